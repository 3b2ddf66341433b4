"""The languages of a server, and language detection."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from nmt.text import detection
from nmt.text.detection import Guess
from nmt.text.languages import base, name

if TYPE_CHECKING:
    from lingua import LanguageDetector

__all__ = ["AUTO", "Guess", "detect", "identify", "matching", "name"]

AUTO = "auto"


def matching(requested: str, served: Collection[str]) -> str | None:
    """The served code for a requested one in any case: itself, or without its region (``en`` for ``en-US``)."""
    by_case = {code.lower(): code for code in served}
    return by_case.get(requested.lower()) or by_case.get(base(requested))


def detect(text: str, candidates: Sequence[str]) -> list[Guess]:
    """The candidate languages of a text, most probable first.

    If detection finds nothing, the first candidate with confidence 0. A text in none of the candidate
    languages gives these the confidences that they have among all languages.
    """
    loaded = _detector(tuple(candidates)) if detection.available() else None
    found: list[Guess] = []
    if loaded:
        detector, codes = loaded
        values = detector.compute_language_confidence_values(text[: detection.READ])
        found = [
            Guess(codes[value.language.iso_code_639_1.name], round(100 * value.value, 1))
            for value in values
            if value.value
        ]
    if found and detection.unlike(text, candidates):
        among_all = dict(detection.ranked(text))
        found = [guess._replace(confidence=among_all.get(base(guess.language), 0.0)) for guess in found]
    return found or [Guess(candidates[0], 0.0)]


def identify(text: str, candidates: Sequence[str]) -> list[Guess]:
    """`detect`, with a known language that is none of the candidates before them."""
    other = detection.unlike(text, candidates)
    return [*([other] if other and other.language != detection.UNKNOWN else []), *detect(text, candidates)]


@lru_cache
def _detector(candidates: tuple[str, ...]) -> tuple[LanguageDetector, dict[str, str]] | None:
    """A detector, and the served codes by the detector's; None if it knows fewer than two of the candidates."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    known = {base(code).upper(): code for code in reversed(candidates) if hasattr(IsoCode639_1, base(code).upper())}
    if len(known) < 2:
        return None
    codes = [getattr(IsoCode639_1, code) for code in known]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build(), known
