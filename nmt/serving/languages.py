"""Language codes and names, and which language a text is in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lingua import LanguageDetector

AUTO = "auto"
ENOUGH = 1000
"""Characters that are looked at: more of them change no answer."""


class Guess(NamedTuple):
    """A language that a text may be in."""

    language: str
    confidence: float
    """0 to 100."""


def name(code: str) -> str:
    """The English name of a language; a code that has none here is its own name."""
    known = _names().get(_base(code))
    if known is None:
        return code
    return known if code.lower() == _base(code) else f"{known} ({code})"


def matching(asked: str, served: Collection[str]) -> str | None:
    """The served code that is meant, whatever its case: itself, or else the one of the same language without a region (``en`` for ``en-US``)."""
    by_case = {code.lower(): code for code in served}
    return by_case.get(asked.lower()) or by_case.get(_base(asked))


def detection() -> bool:
    """Whether the extra that tells languages apart is installed."""
    return find_spec("lingua") is not None


def detect(text: str, candidates: Sequence[str]) -> list[Guess]:
    """The languages of ``candidates`` that the text may be in, best first; the first candidate with confidence 0 where nothing can be told."""
    told = _told_apart(tuple(candidates)) if detection() else None
    found: list[Guess] = []
    if told:
        values = told[0].compute_language_confidence_values(text[:ENOUGH])
        found = [
            Guess(told[1][value.language.iso_code_639_1.name], round(100 * value.value, 1))
            for value in values
            if value.value
        ]
    return found or [Guess(candidates[0], 0.0)]


@lru_cache
def _names() -> dict[str, str]:
    """English names by code."""
    text = (resources.files("nmt.serving") / "languages.tsv").read_text("utf8")
    return dict(line.split("\t") for line in text.splitlines())


@lru_cache
def _told_apart(candidates: tuple[str, ...]) -> tuple[LanguageDetector, dict[str, str]] | None:
    """A detector, and our codes by those that it knows; None where there is nothing to tell apart."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    known = {_base(code).upper(): code for code in reversed(candidates) if hasattr(IsoCode639_1, _base(code).upper())}
    if len(known) < 2:
        return None
    codes = [getattr(IsoCode639_1, code) for code in known]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build(), known


def _base(code: str) -> str:
    """``pt`` of ``pt-BR`` and of ``pt_BR``."""
    return code.lower().replace("_", "-").partition("-")[0]
