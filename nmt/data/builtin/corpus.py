"""The built-in corpus: German-English pairs generated from a lexicon and a grammar, and a test set written by hand.

It is a demonstration corpus: what a machine without network trains on. Sentence i of a split is a function of the split, i and
nothing else, so a shorter corpus is the beginning of a longer one. Of the combinations of words (see `combinations`), 6 % belong to
test and 4 % to valid: training sentences hold none of them, every test sentence at least one of test's. So test and valid share no
sentence with training, and what they ask for is known words in new company. `natural` was written by a person within the
vocabulary and is in none of the others.
"""

from __future__ import annotations

import itertools
from functools import cache, lru_cache
from importlib.resources import files
from random import Random
from typing import Final, NamedTuple

from nmt.data.builtin.choice import Choice, DeadEndError
from nmt.data.builtin.combinations import Combination, split_of
from nmt.data.builtin.sentences import sentence
from nmt.errors import UserError

LANGUAGES: Final = ("de", "en")
SPLITS: Final = ("train", "valid", "test", "natural")
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


def pairs(split: str, source: str = "de", target: str = "en", count: int | None = None) -> list[tuple[str, str]]:
    """Sentence pairs of a split, by default all there are: 30,000, 1,000, 1,000, and what was written by hand."""
    _check(split, source, target)
    if split == "natural":
        found = _natural()[:count]
    else:
        found = tuple(
            (entry.german, entry.english) for entry in generated(split, COUNTS[split] if count is None else count)
        )
    return list(found) if source == "de" else [(english, german) for german, english in found]


def _check(split: str, source: str, target: str) -> None:
    if split not in SPLITS:
        raise UserError(f"data: the built-in corpus has no split {split!r}; it has {', '.join(SPLITS)}")
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in LANGUAGES:
            raise UserError(f"{key}: the built-in corpus has no language {language!r}; it has {', '.join(LANGUAGES)}")
    if source == target:
        raise UserError(
            f"data.target: expected another language than data.source, found {target!r} for both; the built-in corpus has de and en"
        )


@cache
def _natural() -> tuple[tuple[str, str], ...]:
    text = (files("nmt.data.builtin") / "natural.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((german, english) for german, english in rows)


@cache
def generated(split: str, count: int) -> tuple[Sentence, ...]:
    """The first sentences of a generated split, each once, and none that was written by hand."""
    seen, found = set(_natural()), []
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
