"""What is asked for, checked in the order, and refused in the words, that clients of LibreTranslate know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nmt.serving import languages
from nmt.serving.http_parsing import Fields, HttpError, whole

if TYPE_CHECKING:
    from nmt.serving.limits import Limits
    from nmt.serving.models import Models


@dataclass(frozen=True)
class Asked:
    """A request to translate, checked as far as it can be without looking at the texts."""

    texts: list[str]
    many: bool
    """Whether the texts came as a list, so that the answer is one too."""
    source: str
    """A code that is served, or `auto`."""
    target: str
    html: bool
    alternatives: int
    details: bool
    model: str | None


def texts(given: Fields) -> tuple[list[str], bool]:
    """The texts to translate, and whether they came as a list."""
    value = given.values.get("q")
    if value is None or value in ("", []):
        raise HttpError(400, "Invalid request: missing q parameter")
    if isinstance(value, str):
        return [whole(value)], False
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise HttpError(400, "Invalid request: q parameter is not a string or a list of strings")
    return [whole(each) for each in value], True


def checked(given: Fields, limits: Limits, models: Models) -> Asked:
    """What is to be translated, checked in the order that clients of LibreTranslate know."""
    found, many = texts(given)
    source, target = given.required("source"), given.required("target")
    alternatives = _alternatives(given.values.get("alternatives"), limits.alternatives)
    check_size(found, limits)
    source = languages.AUTO if source.lower() == languages.AUTO else _served(source, models)
    target = _served(target, models)
    if (kind := given.text("format") or "text") not in ("text", "html"):
        raise HttpError(400, f"{kind} format is not supported")
    if source not in (languages.AUTO, target) and models.find(source, target) is None:
        raise unavailable(source, target)
    return Asked(found, many, source, target, kind == "html", alternatives, given.flag("details"), given.text("model"))


def check_size(found: list[str], limits: Limits) -> None:
    """Refuses more texts than are allowed, and longer ones."""
    for size, limit in ((len(found), limits.items), *((len(text), limits.characters) for text in found)):
        if size > limit:
            raise HttpError(400, f"Invalid request: request ({size}) exceeds text limit ({limit})")


def unavailable(source: str, target: str) -> HttpError:
    """That there is no model for a pair of languages."""
    names = [f"{languages.name(code)} ({code})" for code in (target, source)]
    return HttpError(400, f"{names[0]} is not available as a target language from {names[1]}")


def _served(code: str, models: Models) -> str:
    if (found := languages.matching(code, models.codes)) is None:
        raise HttpError(400, f"{code} is not supported")
    return found


def _alternatives(value: Any, most: int) -> int:
    if value in (None, ""):
        return 0
    try:
        # True is no number, and int() would round what is none.
        number = int(value) if isinstance(value, str) or type(value) is int else None
    except ValueError:
        number = None
    if number is None:
        raise HttpError(400, "Invalid request: alternatives parameter is not a number")
    if number > most:
        raise HttpError(400, f"Invalid request: alternatives parameter must be <= {most}")
    if number < 0:
        raise HttpError(400, "Invalid request: alternatives parameter must be >= 0")
    return number
