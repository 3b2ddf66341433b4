"""Whether each side is in its language: untranslated sentences, odd scripts, and the language of the other side.

The last are found by trigram models of the two sides of the training split.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from nmt.corpus_checks.report import Found
from nmt.data.pairs import Pairs, copied_words

OWN_SCRIPT = 0.02
"""Smallest share of a side's letters for a script to belong to it."""
MIN_LETTERS = 20
"""Shortest sentence whose language is judged."""
PROFILE = 20_000
"""Sentences of a side whose trigrams are counted."""


def untranslated(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs whose target repeats words of the source."""
    for name, pairs in splits.items():
        odd = [" ||| ".join(pair) for pair in zip(pairs.source, pairs.target, strict=True) if copied_words(*pair)]
        yield "untranslated", name, odd, len(pairs)


def scripts(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences with most letters in a script that this side of the training split hardly has."""
    for side in ("source", "target"):
        counts = Counter(
            script for text in getattr(splits["train"], side)[:PROFILE] for script in map(_script, text) if script
        )
        own = {script for script, count in counts.items() if count >= OWN_SCRIPT * counts.total()}
        for name, pairs in splits.items():
            sentences = getattr(pairs, side)
            yield "script", f"{name} {side}", [text for text in sentences if _foreign(text, own)], len(sentences)


def languages(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences that are more probable under the trigram model of the other side than of their own."""
    profiles = {side: _Profile(getattr(splits["train"], side)) for side in ("source", "target")}
    for name, pairs in splits.items():
        for side, other in (("source", "target"), ("target", "source")):
            sentences = getattr(pairs, side)
            odd = [
                text
                for text in sentences
                if _letters(text) >= MIN_LETTERS and profiles[other].score(text) > profiles[side].score(text)
            ]
            yield "language", f"{name} {side}", odd, len(sentences)


class _Profile:
    """A model of character trigrams, with add-one smoothing."""

    def __init__(self, sentences: Sequence[str]) -> None:
        every = max(1, len(sentences) // PROFILE)
        self.counts = Counter(trigram for text in sentences[::every] for trigram in _trigrams(text))
        self.total = self.counts.total() + len(self.counts)

    def score(self, text: str) -> float:
        """Log-probability of the trigrams of a text, in nats."""
        return sum(math.log((self.counts[trigram] + 1) / self.total) for trigram in _trigrams(text))


def _trigrams(text: str) -> Iterator[str]:
    spaced = f" {' '.join(text.casefold().split())} "
    return map("".join, zip(spaced, spaced[1:], spaced[2:], strict=False))


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _foreign(text: str, own: set[str]) -> bool:
    found = [script for script in map(_script, text) if script]
    return 2 * sum(script not in own for script in found) > len(found)


@cache
def _script(character: str) -> str | None:
    """The first word of a letter's Unicode name, such as LATIN or CJK; None for other characters."""
    return unicodedata.name(character, "UNNAMED").partition(" ")[0] if character.isalpha() else None
