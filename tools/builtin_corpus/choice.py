"""The random generator of one sentence, restricted to the combinations of words of its split."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tools.builtin_corpus.combinations import Combination, admitted_adjectives, admitted_nouns, split_of
from tools.builtin_corpus.words import Adjective, Noun

T = TypeVar("T")


class DeadEndError(Exception):
    """No option is admitted: the sentence is drawn again."""


class Choice:
    """Draws for one sentence; the same seed always draws the same. `combinations` are those drawn so far."""

    OWN = 0.5
    """How often a combination of valid or test is preferred where there is one."""

    def __init__(self, seed: str, split: str) -> None:
        self.random = Random(seed)
        self.split = split
        self.combinations: list[Combination] = []

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        """One option, drawn uniformly."""
        if not options:
            raise DeadEndError
        return options[int(self.random.random() * len(options))]

    def weighted(self, options: dict[T, float]) -> T:
        """One option, drawn by weight; the weights sum to 1."""
        rest = self.random.random()
        for option, weight in options.items():
            rest -= weight
            if rest < 0:
                return option
        return next(iter(options))

    def noun(self, word: str, nouns: tuple[Noun, ...]) -> Noun:
        """A noun that may stand with a verb."""
        admitted, own = admitted_nouns(word, nouns, self.split)
        noun = self.pick(own if own and self.chance(self.OWN) else admitted)
        self.combinations.append((word, noun.english))
        return noun

    def adjective(self, noun: Noun) -> Adjective | None:
        """An adjective that may describe a noun, if there is one."""
        admitted, own = admitted_adjectives(noun, self.split)
        if not admitted:
            return None
        adjective = self.pick(own if own and self.chance(self.OWN) else admitted)
        self.combinations.append((adjective.english[0], noun.english))
        return adjective

    def admits(self, word: str, noun: Noun) -> bool:
        """Whether a combination may be used; when it may, it counts as drawn."""
        if split_of(word, noun.english) not in ("train", self.split):
            return False
        self.combinations.append((word, noun.english))
        return True
