"""Which language a text is in, by the extra `lid` (lingua), among all languages that it knows.

Detection in lingua's mode of low accuracy takes 90 MB and about a millisecond a sentence; docs/log.md has how often it
errs. Without the extra every language is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

from nmt.text.languages import base

if TYPE_CHECKING:
    from lingua import LanguageDetector

READ = 1000
"""Characters that detection reads; more do not change the result."""
CERTAIN, IMPROBABLE = 90.0, 1.0
"""Least confidence, in percent, for a language to be named; below, it is unknown. A language of less than the second is
not that of the text."""
LETTERS = 12
"""Fewest letters of a text whose language is looked at."""
UNKNOWN = "unknown"
NORWEGIAN = {"nb": "no", "nn": "no"}


class Guess(NamedTuple):
    """A detected language."""

    language: str
    confidence: float
    """0 to 100."""


def available() -> bool:
    """Whether the extra `lid` is installed."""
    return find_spec("lingua") is not None


def ranked(text: str) -> list[Guess]:
    """All languages that a text may be in, most probable first; none without evidence."""
    if not available():
        return []
    values = _detector().compute_language_confidence_values(text[:READ])
    return [
        Guess(value.language.iso_code_639_1.name.lower(), round(100 * value.value, 1))
        for value in values
        if value.value > 0
    ]


def identify(text: str) -> Guess | None:
    """The language of a text, or None if it is unknown: too short, or no language is probable enough."""
    best = next(iter(ranked(text)), None) if _long_enough(text) else None
    return best if best and best.confidence >= CERTAIN else None


def unlike(text: str, languages: Sequence[str]) -> Guess | None:
    """If a text is in none of these languages, all of which detection must know: the language that it is rather in.

    Of an unknown language, that is `UNKNOWN`.
    """
    found = ranked(text) if _long_enough(text) else []
    families = set(map(_family, languages))
    if not found or sum(guess.confidence for guess in found if _family(guess.language) in families) >= IMPROBABLE:
        return None
    if not all(map(_knows, languages)):
        return None
    return found[0] if found[0].confidence >= CERTAIN else Guess(UNKNOWN, found[0].confidence)


def _long_enough(text: str) -> bool:
    return sum(map(str.isalpha, text[:READ])) >= LETTERS


def _family(code: str) -> str:
    return NORWEGIAN.get(base(code), base(code))


def _knows(code: str) -> bool:
    from lingua import IsoCode639_1

    return _family(code) == "no" or hasattr(IsoCode639_1, base(code).upper())


@lru_cache(1)
def _detector() -> LanguageDetector:
    from lingua import LanguageDetectorBuilder

    builder = LanguageDetectorBuilder.from_all_languages().with_low_accuracy_mode()
    return builder.with_preloaded_language_models().build()
