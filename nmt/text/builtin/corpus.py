"""The built-in corpus: German-English pairs generated from a lexicon and a grammar, and a test set written by hand.

It is a demonstration corpus: what a machine without network trains on. Sentence i of a split is a function of the split, i and
nothing else, so a shorter corpus is the beginning of a longer one. Of the combinations of words (see `combinations`), 6 % belong to
test and 4 % to valid: training sentences hold none of them, every test sentence at least one of test's. So test and valid share no
sentence with training, and what they ask for is known words in new company. `natural` was written by a person within the
vocabulary and is in none of the others.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from random import Random
from typing import Final

from nmt.faults import InputFault
from nmt.text.builtin.choice import Choice, DeadEndError
from nmt.text.builtin.combinations import Combination, split_of
from nmt.text.builtin.sentences import sentence

LANGUAGES: Final = ("de", "en")
SPLITS: Final = ("train", "valid", "test", "natural")
COUNTS: Final = {"train": 30_000, "valid": 1_000, "test": 1_000}
SHORTEST, LONGEST = 3, 60
# Lengths to aim at, in words: the share of sentences in each span.
SPANS: Final = {(3, 6): 0.12, (7, 11): 0.29, (12, 18): 0.32, (19, 28): 0.13, (29, 60): 0.14}


def pairs(split: str, source: str = "de", target: str = "en", count: int | None = None) -> list[tuple[str, str]]:
    """Sentence pairs of a split, by default all there are: 30,000, 1,000, 1,000, and what was written by hand."""
    _check(split, source, target)
    found = _natural() if split == "natural" else _generated(split, COUNTS[split] if count is None else count)
    taken = found[:count]
    return list(taken) if source == "de" else [(english, german) for german, english in taken]


def _check(split: str, source: str, target: str) -> None:
    if split not in SPLITS:
        raise InputFault(f"data: the built-in corpus has no split {split!r}; it has {', '.join(SPLITS)}")
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in LANGUAGES:
            raise InputFault(f"{key}: the built-in corpus has no language {language!r}; it has {', '.join(LANGUAGES)}")
    if source == target:
        raise InputFault(f"data.target: expected another language than data.source, found {target!r} for both; the built-in corpus has de and en")


@cache
def _natural() -> tuple[tuple[str, str], ...]:
    text = (files("nmt.text.builtin") / "natural.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((german, english) for german, english in rows)


@cache
def _generated(split: str, count: int) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for index in range(count):
        pair, attempt = None, 0
        while pair is None or pair in found:
            pair = _attempt(split, index, attempt)[0]
            attempt += 1
        found[pair] = None
    return tuple(found)


def combinations(split: str, count: int) -> list[list[Combination]]:
    """The combinations of the first sentences of a split, before those are dropped that occurred twice."""
    found: list[list[Combination]] = []
    for index in range(count):
        attempt = 0
        while (drawn := _attempt(split, index, attempt))[0] is None:
            attempt += 1
        found.append(drawn[1])
    return found


def _attempt(split: str, index: int, attempt: int) -> tuple[tuple[str, str] | None, list[Combination]]:
    """A pair, or none when it ended nowhere, is too short or long, or holds no combination of its split."""
    choice = Choice(f"{split}:{index}:{attempt}", split)
    try:
        pair = sentence(choice, _length(choice.random))
    except DeadEndError:
        return None, []
    fits = all(SHORTEST <= text.count(" ") + 1 <= LONGEST for text in pair)
    own = split == "train" or any(split_of(*combination) == split for combination in choice.combinations)
    return (pair if fits and own else None), choice.combinations


def _length(random: Random) -> int:
    low, high = random.choices(list(SPANS), list(SPANS.values()))[0]
    return random.randint(low, high)
