"""Facts, filler words and questions: what is said once has to be known when it is asked for.

A source is a fact, n filler words and a question; the target is the answer. `identifier`: "Party A", "the router XG-1000": three symbols that
stood together in no sentence of training have to be repeated. `fluent`: who "grew up in France" speaks fluent French; one of twenty
countries decides one of twenty languages. Fillers are drawn evenly, and hold neither symbols nor countries, so nothing competes with the fact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.learning import FIRST

TRAINED = 20
"""Filler words at most in training; what lies beyond is extrapolation."""
SYMBOLS, KNOWN, COUNTRIES, FILLERS = 36, 4000, 20, 50
"""Symbols of identifiers, identifiers of training (of 36 x 36 x 36), countries, and filler words."""
MARK, ASK, FILLER = FIRST, FIRST + 1, FIRST + 2
FACT = FILLER + FILLERS
"""The first token id of facts and answers."""

NUMBERS = np.random.default_rng(0).permutation(SYMBOLS**3)
"""Identifiers by number: those of training first."""
Facts: TypeAlias = Callable[[np.random.Generator, int, bool], tuple[np.ndarray, np.ndarray]]
"""Draws facts ``(batch, pieces)`` and their answers ``(batch, pieces)``; those of training, or those of the test."""


class Task(NamedTuple):
    """What has to be remembered."""

    title: str
    vocabulary: int
    facts: Facts


def identifiers(generator: np.random.Generator, count: int, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """Three symbols each, to be repeated. The test holds only identifiers that training does not."""
    numbers = generator.choice(NUMBERS[:KNOWN] if training else NUMBERS[KNOWN:], count)
    symbols = FACT + np.stack(np.unravel_index(numbers, (SYMBOLS,) * 3), 1)
    return symbols, symbols


def countries(generator: np.random.Generator, count: int, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """A country each, whose language is the answer. The pairs have to be learned, so the test asks for those of training."""
    country = FACT + generator.integers(COUNTRIES, size=(count, 1))
    return country, COUNTRIES + country


TASKS = {
    "identifier": Task("the router XG-1000 … which router?", FACT + SYMBOLS, identifiers),
    "fluent": Task("grew up in France … fluent in?", FACT + 2 * COUNTRIES, countries),
}


def draw_batch(generator: np.random.Generator, task: Task, gap: int, count: int, *, training: bool) -> Batch:
    """Mark, fact, ``gap`` fillers, question."""
    facts, answers = task.facts(generator, count, training)
    fillers = FILLER + generator.integers(FILLERS, size=(count, gap))
    one = np.ones((count, 1), int)
    return collate(np.concatenate([MARK * one, facts, fillers, ASK * one], 1).tolist(), answers.tolist())


def draw_gap(generator: np.random.Generator) -> int:
    """A gap of training, 0 to `TRAINED`, evenly on a logarithmic scale: half of the batches have at most three, which a beginner can bridge."""
    return int((TRAINED + 2) ** generator.random()) - 1
