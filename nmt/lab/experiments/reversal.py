"""Reversing strings: the task on which cells and stacks are compared, by the models that translate.

A model is trained either on strings that are always fresh, or on a few again and again; both are scored on the same held-out ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.learning import FIRST, DrawBatch, exact, learn, recurrent
from nmt.models.protocol import TranslationModel
from nmt.training.objective import cross_entropy

LETTERS, SHORTEST, LONGEST = 10, 5, 15
EMBEDDING, HIDDEN, BATCH, PEAK = 32, 64, 32, 6e-3
HELD_OUT, FEW = 1000, 500
"""Strings that are held out, and strings in the small training set."""

Strings = list[tuple[int, ...]]


class Shape(NamedTuple):
    """What a model is made of: its cell, and the layers of encoder and decoder."""

    cell: str
    layers: int = 1
    residual: bool = False

    @property
    def name(self) -> str:
        return (
            self.cell + (f", {self.layers} layers" if self.layers > 1 else "") + (", residual" if self.residual else "")
        )

    def model(self, seed: int, hidden: int = HIDDEN) -> TranslationModel:
        """With the fresh weights of a seed."""
        torch.manual_seed(seed)
        stack: dict[str, Any] = {"layers": self.layers, "hidden": hidden, "residual": self.residual}
        encoder = {**stack, "direction": "forward"}
        return recurrent(
            FIRST + LETTERS, cell=self.cell, hidden=hidden, embedding=EMBEDDING, encoder=encoder, decoder=stack
        )


class Score(NamedTuple):
    """Of held-out strings: those reversed exactly, in per cent, and nats a piece."""

    exact: float
    loss: float


class Losses(NamedTuple):
    """Nats a piece of a model trained on few strings: on these, and on held-out ones."""

    training: float
    held_out: float

    @property
    def gap(self) -> float:
        return self.held_out - self.training


def strings(generator: np.random.Generator, count: int, without: frozenset[tuple[int, ...]] = frozenset()) -> Strings:
    """Random strings of letters, none of those to be left out."""
    found: Strings = []
    while len(found) < count:
        length = generator.integers(SHORTEST, LONGEST, endpoint=True)
        drawn = tuple(generator.integers(FIRST, FIRST + LETTERS, size=length).tolist())
        found += [drawn] if drawn not in without else []
    return found


def reversing(inputs: Strings) -> Batch:
    """Strings, and each one's reverse as its target."""
    return collate(inputs, [each[::-1] for each in inputs])


def on_fresh(shape: Shape, seed: int, updates: int, held_out: Strings) -> Score:
    """A model trained on fresh strings all the time, and what it makes of held-out ones."""
    without, test = frozenset(held_out), reversing(held_out)
    model = _trained(shape, lambda generator: reversing(strings(generator, BATCH, without)), seed, updates)
    return Score(100 * float(exact(model, test).mean()), _loss(model, test))


def on_few(shape: Shape, seed: int, updates: int, held_out: Strings) -> Losses:
    """A model trained on the same few strings again and again."""
    few = strings(np.random.default_rng([seed, 2]), FEW, frozenset(held_out))
    model = _trained(
        shape, lambda generator: reversing([few[row] for row in generator.integers(FEW, size=BATCH)]), seed, updates
    )
    return Losses(_loss(model, reversing(few)), _loss(model, reversing(held_out)))


def _trained(shape: Shape, draw: DrawBatch, seed: int, updates: int) -> TranslationModel:
    model = shape.model(seed)
    learn(model, draw, updates=updates, seed=seed, peak=PEAK)
    return model


@torch.no_grad()
def _loss(model: TranslationModel, batch: Batch) -> float:
    """Nats a piece under teacher forcing."""
    loss = cross_entropy(model(batch.source, batch.source_mask, batch.previous), batch.expected, batch.target_mask, 0.0)
    return loss.nll.item() / loss.tokens
