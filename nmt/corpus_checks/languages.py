"""Whether each side is in its language: untranslated sentences, letters of another script, and text that reads like the other side.

No model of languages is needed for the last: the two sides of the training split are each other's counter-example.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from nmt.corpus_checks.finding import Found
from nmt.data.pairs import Pairs, copied_words

OWN = 0.02
"""Share of a side's letters from which a script belongs to it."""
FEWEST = 20
"""Letters that a sentence must have for its language to be judged."""
PROFILE = 20_000
"""Sentences from which the trigrams of a side are counted."""


def untranslated(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs whose target has words of the source in a row."""
    for name, pairs in splits.items():
        faulty = [" ||| ".join(pair) for pair in zip(pairs.source, pairs.target, strict=True) if copied_words(*pair)]
        yield "untranslated", name, faulty, len(pairs)


def scripts(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences most of whose letters are of a script that the training split's side hardly has."""
    for side in ("source", "target"):
        counts = Counter(
            script for text in getattr(splits["train"], side)[:PROFILE] for script in map(_script, text) if script
        )
        own = {script for script, count in counts.items() if count >= OWN * counts.total()}
        for name, pairs in splits.items():
            sentences = getattr(pairs, side)
            yield "script", f"{name} {side}", [text for text in sentences if _foreign(text, own)], len(sentences)


def languages(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences that read more like the other side than like their own."""
    profiles = {side: _Profile(getattr(splits["train"], side)) for side in ("source", "target")}
    for name, pairs in splits.items():
        for side, other in (("source", "target"), ("target", "source")):
            sentences = getattr(pairs, side)
            faulty = [
                text
                for text in sentences
                if _letters(text) >= FEWEST and profiles[other].score(text) > profiles[side].score(text)
            ]
            yield "language", f"{name} {side}", faulty, len(sentences)


class _Profile:
    """How often each three characters in a row occur, every one counted once more than it does."""

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
    """The first word of a letter's name, such as LATIN or CJK; None for what is no letter."""
    return unicodedata.name(character, "UNNAMED").partition(" ")[0] if character.isalpha() else None
