"""Which combinations of two words belong to which split.

A combination is a verb with a noun it governs, or an adjective with the noun it describes, known by their English
words, so that a sentence that is the same in one of the languages has the same combinations. A hash of the two words
gives 6 % of the combinations to test and 4 % to valid. Training sentences hold none of these, and every sentence of
valid and test holds at least one of its own. A word with fewer than `FEW` partners keeps them all in training, so that
each single word is learned.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final
from zlib import crc32

from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.words import Adjective, Noun

Combination = tuple[str, str]
FEW: Final = 7
TEST, VALID = 6, 10


@cache
def _partners() -> dict[str, set[str]]:
    """How many others each word can stand with."""
    found: dict[str, set[str]] = {}
    for verb in lexicon().verbs:
        for noun in {noun for frame in verb.frames for role in frame.roles for noun in role.nouns}:
            found.setdefault(verb.name, set()).add(noun.english)
            found.setdefault(noun.english, set()).add(verb.name)
    for adjective in lexicon().adjectives:
        for noun in adjective.nouns:
            found.setdefault(adjective.english[0], set()).add(noun.english)
            found.setdefault(noun.english, set()).add(adjective.english[0])
    return found


@cache
def split_of(first: str, second: str) -> str:
    """The split a combination belongs to."""
    partners = _partners()
    if len(partners.get(first, ())) < FEW or len(partners.get(second, ())) < FEW:
        return "train"
    share = crc32(f"{first} {second}".encode()) % 100
    return "test" if share < TEST else "valid" if share < VALID else "train"


def _sorted(found: Iterable[str], split: str) -> list[tuple[bool, bool]]:
    return [(owner in ("train", split), owner == split) for owner in found]


@cache
def admitted_nouns(word: str, nouns: tuple[Noun, ...], split: str) -> tuple[tuple[Noun, ...], tuple[Noun, ...]]:
    """The nouns that may stand with a word in a split, and those of them that it does not share with training."""
    marks = _sorted((split_of(word, noun.english) for noun in nouns), split)
    own = () if split == "train" else tuple(noun for noun, mark in zip(nouns, marks, strict=True) if mark[1])
    return tuple(noun for noun, mark in zip(nouns, marks, strict=True) if mark[0]), own


@cache
def admitted_adjectives(noun: Noun, split: str) -> tuple[tuple[Adjective, ...], tuple[Adjective, ...]]:
    """The adjectives that may describe a noun in a split, and those of them that it does not share with training."""
    fitting = [adjective for adjective in lexicon().adjectives if noun in adjective.nouns]
    marks = _sorted((split_of(adjective.english[0], noun.english) for adjective in fitting), split)
    own = (
        () if split == "train" else tuple(adjective for adjective, mark in zip(fitting, marks, strict=True) if mark[1])
    )
    return tuple(adjective for adjective, mark in zip(fitting, marks, strict=True) if mark[0]), own
