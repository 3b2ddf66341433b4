"""The splits of the built-in corpus.

Sentence i of a split is a function of the split and i, so a shorter corpus is the beginning of a longer one. Of the
combinations of words (see `combinations`), 6 % belong to test and 4 % to valid: training sentences hold none of them,
every test sentence at least one of test's. So test and valid share no sentence with training, and test known words in
new combinations. `natural` was written by hand in words of the lexicon and occurs in no other split.
"""

from __future__ import annotations

import itertools
from functools import cache, lru_cache
from random import Random
from typing import Final, NamedTuple

from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.combinations import Combination, split_of
from tools.builtin_corpus.lexicon import rows
from tools.builtin_corpus.sentences import sentence

COUNTS: Final = {"train": 30_000, "valid": 1_000, "test": 1_000}
SHORTEST, LONGEST = 3, 60
PATIENCE: Final = 40
"""Attempts at a sentence before another length is aimed at, so that all splits have the same lengths."""
# Lengths to aim at, in words: the share of sentences in each span. What comes out is somewhat shorter.
SPANS: Final = {(3, 6): 0.12, (7, 11): 0.29, (12, 18): 0.32, (19, 28): 0.13, (29, 60): 0.14}


class Sentence(NamedTuple):
    """A generated pair, and the combinations of words it holds."""

    german: str
    english: str
    combinations: tuple[Combination, ...]


def pairs(split: str) -> list[tuple[str, str]]:
    """German-English pairs of a split."""
    if split == "natural":
        return list(natural())
    return [(entry.german, entry.english) for entry in generated(split, COUNTS[split])]


@cache
def natural() -> tuple[tuple[str, str], ...]:
    """The pairs written by hand."""
    return tuple((german, english) for german, english in rows("natural"))


@cache
def generated(split: str, count: int) -> tuple[Sentence, ...]:
    """The first sentences of a generated split, each once, and none that was written by hand."""
    seen, found = set(natural()), []
    for index in range(count):
        drawn = next(
            drawn for attempt in itertools.count() if (drawn := _drawn(split, index, attempt)) and drawn[:2] not in seen
        )
        seen.add(drawn[:2])
        found.append(drawn)
    return tuple(found)


def _drawn(split: str, index: int, attempt: int) -> Sentence | None:
    """A sentence, or none when it ended nowhere, is too short or long, or holds no combination of its split."""
    choice = Choice(f"{split}:{index}:{attempt}", split)
    try:
        german, english = sentence(choice, _length(f"{split}:{index}:length:{attempt // PATIENCE}"))
    except DeadEndError:
        return None
    fits = all(SHORTEST <= text.count(" ") + 1 <= LONGEST for text in (german, english))
    own = split == "train" or any(split_of(*combination) == split for combination in choice.combinations)
    return Sentence(german, english, tuple(choice.combinations)) if fits and own else None


@lru_cache(8)
def _length(seed: str) -> int:
    random = Random(seed)
    low, high = random.choices(list(SPANS), list(SPANS.values()))[0]
    return random.randint(low, high)
