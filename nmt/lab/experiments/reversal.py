"""Reversing strings, the task of `parameters`.

A model is trained on strings that are always fresh, or on a few strings again and again; both are scored on the same
held-out strings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.architectures import EMBEDDING, HIDDEN, recurrent
from nmt.lab.experiments.learning import FIRST_TOKEN, DrawBatch, exact, learn
from nmt.models.recurrent import RecurrentModel
from nmt.training.objective import objective

LETTERS, SHORTEST, LONGEST = 10, 5, 15
BATCH, PEAK = 32, 6e-3
HELD_OUT, FEW = 1000, 500
"""Held-out strings, and strings of the small training set."""

Strings = list[tuple[int, ...]]


class Shape(NamedTuple):
    """The cell of a model, and the layers of encoder and decoder."""

    cell: str
    layers: int = 1
    residual: bool = False

    @property
    def name(self) -> str:
        depth = f", {self.layers} layers" if self.layers > 1 else ""
        return self.cell + depth + (", residual" if self.residual else "")

    def model(self, seed: int, hidden: int = HIDDEN) -> RecurrentModel:
        """A model with the initial weights of a seed."""
        torch.manual_seed(seed)
        return recurrent(
            FIRST_TOKEN + LETTERS,
            cell=self.cell,
            hidden=hidden,
            embedding=EMBEDDING,
            layers=self.layers,
            residual=self.residual,
        )


class Score(NamedTuple):
    """Of held-out strings: those reversed exactly in %, and the loss in nats per token."""

    exact: float
    loss: float


class Losses(NamedTuple):
    """Nats per token after training on few strings: of these, and of held-out ones."""

    training: float
    held_out: float

    @property
    def gap(self) -> float:
        """Overfitting."""
        return self.held_out - self.training


def strings(generator: np.random.Generator, count: int, without: frozenset[tuple[int, ...]] = frozenset()) -> Strings:
    """Random strings, none of them in ``without``."""
    found: Strings = []
    while len(found) < count:
        length = generator.integers(SHORTEST, LONGEST, endpoint=True)
        drawn = tuple(generator.integers(FIRST_TOKEN, FIRST_TOKEN + LETTERS, size=length).tolist())
        found += [drawn] if drawn not in without else []
    return found


def reversing(inputs: Strings) -> Batch:
    """Strings as sources and their reversals as targets."""
    return collate(inputs, [each[::-1] for each in inputs])


def on_fresh(shape: Shape, seed: int, updates: int, held_out: Strings) -> Score:
    """Trains on fresh strings."""
    without, test = frozenset(held_out), reversing(held_out)
    model = _trained(shape, lambda generator: reversing(strings(generator, BATCH, without)), seed, updates)
    return Score(100 * float(exact(model, test).mean()), _loss(model, test))


def on_few(shape: Shape, seed: int, updates: int, held_out: Strings) -> Losses:
    """Trains on the same few strings again and again."""
    few = strings(np.random.default_rng([seed, 2]), FEW, frozenset(held_out))
    model = _trained(
        shape, lambda generator: reversing([few[row] for row in generator.integers(FEW, size=BATCH)]), seed, updates
    )
    return Losses(_loss(model, reversing(few)), _loss(model, reversing(held_out)))


def _trained(shape: Shape, draw: DrawBatch, seed: int, updates: int) -> RecurrentModel:
    model = shape.model(seed)
    learn(model, draw, updates=updates, seed=seed, peak=PEAK)
    return model


@torch.no_grad()
def _loss(model: RecurrentModel, batch: Batch) -> float:
    """Nats per token under teacher forcing."""
    loss = objective(model, batch)
    return loss.nll.item() / loss.tokens
