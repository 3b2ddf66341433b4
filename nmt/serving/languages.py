"""The languages of a server, and language detection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from nmt.text.languages import base, name

if TYPE_CHECKING:
    from lingua import LanguageDetector

__all__ = ["AUTO", "Guess", "detect", "detection_available", "matching", "name"]

AUTO = "auto"
DETECTED = 1000
"""Characters that detection reads; more do not change the result."""


class Guess(NamedTuple):
    """A detected language."""

    language: str
    confidence: float
    """0 to 100."""


def matching(requested: str, served: Collection[str]) -> str | None:
    """The served code for a requested one in any case: itself, or without its region (``en`` for ``en-US``)."""
    by_case = {code.lower(): code for code in served}
    return by_case.get(requested.lower()) or by_case.get(base(requested))


def detection_available() -> bool:
    """Whether the extra `lid` is installed."""
    return find_spec("lingua") is not None


def detect(text: str, candidates: Sequence[str]) -> list[Guess]:
    """The candidate languages of a text, most probable first.

    If detection finds nothing, the first candidate with confidence 0.
    """
    loaded = _detector(tuple(candidates)) if detection_available() else None
    found: list[Guess] = []
    if loaded:
        detector, codes = loaded
        values = detector.compute_language_confidence_values(text[:DETECTED])
        found = [
            Guess(codes[value.language.iso_code_639_1.name], round(100 * value.value, 1))
            for value in values
            if value.value
        ]
    return found or [Guess(candidates[0], 0.0)]


@lru_cache
def _detector(candidates: tuple[str, ...]) -> tuple[LanguageDetector, dict[str, str]] | None:
    """A detector, and the served codes by the detector's; None if it knows fewer than two of the candidates."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    known = {base(code).upper(): code for code in reversed(candidates) if hasattr(IsoCode639_1, base(code).upper())}
    if len(known) < 2:
        return None
    codes = [getattr(IsoCode639_1, code) for code in known]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build(), known
