"""Validation of translation requests, with the order of checks and the messages of LibreTranslate."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nmt.serving import languages
from nmt.serving.http_parsing import HttpError, Parameters, replace_surrogates

if TYPE_CHECKING:
    from nmt.serving.admission import Limits
    from nmt.serving.models import Models


_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")


@dataclass(frozen=True)
class TranslationRequest:
    """A valid request to translate; whether there is a model for each detected language is not known yet."""

    texts: list[str]
    many: bool
    """Whether the texts came as a list; the response then has lists too."""
    source: str
    """A code that is served, or ``auto``."""
    target: str
    html: bool
    alternatives: int
    details: bool
    model: str | None


def read_texts(parameters: Parameters) -> tuple[list[str], bool]:
    """The texts to translate, and whether they came as a list."""
    value = parameters.values.get("q")
    if value is None or value in ("", []):
        raise HttpError(400, "Invalid request: missing q parameter")
    if isinstance(value, str):
        return [value], False
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise HttpError(400, "Invalid request: q parameter is not a string or a list of strings")
    return value, True


def validate(parameters: Parameters, limits: Limits, models: Models) -> TranslationRequest:
    """The request in these parameters, or an error of status 400."""
    texts, many = read_texts(parameters)
    return _validated(parameters, texts, many, limits, models)


def validate_file(parameters: Parameters, limits: Limits, models: Models) -> TranslationRequest:
    """The request to translate a file, whose text is not among its parameters."""
    return replace(_validated(parameters, [""], False, limits, models), html=True, alternatives=0, details=False)


def _validated(
    parameters: Parameters, texts: list[str], many: bool, limits: Limits, models: Models
) -> TranslationRequest:
    source, target = parameters.required("source"), parameters.required("target")
    alternatives = _alternatives(parameters.values.get("alternatives"), limits.alternatives)
    texts = within_limits(texts, limits)
    source = languages.AUTO if source.lower() == languages.AUTO else _served_code(source, models)
    target = _served_code(target, models)
    if (kind := parameters.text("format") or "text") not in ("text", "html"):
        raise HttpError(400, f"{kind} format is not supported")
    if source not in (languages.AUTO, target) and models.find(source, target) is None:
        raise unavailable(source, target)
    return TranslationRequest(
        texts, many, source, target, kind == "html", alternatives, parameters.flag("details"), parameters.text("model")
    )


def within_limits(texts: list[str], limits: Limits) -> list[str]:
    """The texts without lone surrogates; too many texts and texts that are too long are refused, unread."""
    for size, limit in ((len(texts), limits.items), (max(map(len, texts)), limits.characters)):
        if size > limit:
            raise HttpError(400, f"Invalid request: request ({size}) exceeds text limit ({limit})")
    return [replace_surrogates(text) for text in texts]


def unavailable(source: str, target: str) -> HttpError:
    """The error for a pair of languages without a model."""
    names = [f"{languages.name(code)} ({code})" for code in (target, source)]
    return HttpError(400, f"{names[0]} is not available as a target language from {names[1]}")


def _served_code(code: str, models: Models) -> str:
    if (found := languages.matching(code, models.codes)) is None:
        raise HttpError(400, f"{code} is not supported")
    return found


def _alternatives(value: Any, most: int) -> int:
    if value in (None, ""):
        return 0
    try:
        # int() would also accept True, "1_0" and digits of other scripts, and round 1.5
        number = int(value) if type(value) is int or _INTEGER.fullmatch(value) else None
    except (TypeError, ValueError):
        number = None
    if number is None:
        raise HttpError(400, "Invalid request: alternatives parameter is not a number")
    if number > most:
        raise HttpError(400, f"Invalid request: alternatives parameter must be <= {most}")
    if number < 0:
        raise HttpError(400, "Invalid request: alternatives parameter must be >= 0")
    return number
