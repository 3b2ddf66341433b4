"""Clauses of a made-up language that says who does what to whom by the order of its words alone, and their translations.

The translation says it too, in words of its own: the verb last, adjectives after their nouns, no article. A clause and the one with
subject and object changed hold the very same words.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np

from nmt.lab.experiments.learning import FIRST

NOUNS, VERBS, ADJECTIVES = 20, 10, 6
WORDS = 1 + NOUNS + VERBS + ADJECTIVES
"""Words of the source with its article; the target has one more for each but the article, numbered alike."""
VOCABULARY = FIRST + 2 * WORDS
HELD_OUT = 40
"""Pairs of nouns that never stand in one clause of training, of 190."""


class Phrase(NamedTuple):
    """A noun, and the adjective before it if there is one, each by its number."""

    noun: int
    adjective: int | None


class Clause(NamedTuple):
    """Who does what to whom."""

    subject: Phrase
    verb: int
    object: Phrase

    def swapped(self) -> Clause:
        """The same deed the other way round."""
        return Clause(self.object, self.verb, self.subject)

    def source(self) -> list[int]:
        """The [adjective] noun verb the [adjective] noun."""
        subject, object = ([FIRST, *_adjective(phrase), _noun(phrase)] for phrase in (self.subject, self.object))
        return [*subject, _verb(self.verb), *object]

    def target(self) -> list[int]:
        """Noun [adjective] noun [adjective] verb: the subject first."""
        phrases = [word for phrase in (self.subject, self.object) for word in (_noun(phrase), *_adjective(phrase))]
        return [WORDS + word for word in (*phrases, _verb(self.verb))]


def _noun(phrase: Phrase) -> int:
    return FIRST + 1 + phrase.noun


def _verb(verb: int) -> int:
    return FIRST + 1 + NOUNS + verb


def _adjective(phrase: Phrase) -> list[int]:
    return [] if phrase.adjective is None else [FIRST + 1 + NOUNS + VERBS + phrase.adjective]


def noun_pairs() -> tuple[np.ndarray, np.ndarray]:
    """Pairs of different nouns ``(pair, 2)``, those of training and those held out: the same for every model and seed."""
    pairs = np.random.default_rng(0).permutation(list(combinations(range(NOUNS), 2)))
    return pairs[HELD_OUT:], pairs[:HELD_OUT]


def draw_clause(generator: np.random.Generator, pairs: np.ndarray) -> Clause:
    """A clause about a pair of nouns in either role; every other noun has an adjective."""
    nouns = generator.permutation(pairs[generator.integers(len(pairs))])
    subject, object = (
        Phrase(int(noun), int(generator.integers(ADJECTIVES)) if generator.random() < 0.5 else None) for noun in nouns
    )
    return Clause(subject, int(generator.integers(VERBS)), object)


TRAINING, TESTING = noun_pairs()


def minimal_pairs(count: int) -> list[tuple[Clause, Clause]]:
    """Different clauses about held-out noun pairs, each with the same one swapped."""
    generator, found = np.random.default_rng(1), dict[frozenset[Clause], tuple[Clause, Clause]]()
    while len(found) < count:
        clause = draw_clause(generator, TESTING)
        found[frozenset((clause, clause.swapped()))] = (clause, clause.swapped())
    return list(found.values())
