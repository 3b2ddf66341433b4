"""Where attention looks while it turns strings round, a task in which it is known where it should: at the piece that is copied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from nmt.data.batches import Batch, collate
from nmt.lab.experiments.learning import FIRST, exact, learn, recurrent
from nmt.models.protocol import TranslationModel

SYMBOLS = 20
VOCABULARY = FIRST + SYMBOLS
SHORTEST, LONGEST, BATCH, PEAK = 3, 10, 64, 5e-3
TEST = 200
"""Fresh strings whose alignment is read."""


def strings(generator: np.random.Generator, count: int = BATCH) -> Batch:
    """Strings and the same turned round."""
    sources = [
        generator.integers(FIRST, VOCABULARY, size=length).tolist()
        for length in generator.integers(SHORTEST, LONGEST, count, endpoint=True)
    ]
    return collate(sources, [source[::-1] for source in sources])


def attention_weights(model: TranslationModel, batch: Batch) -> Tensor:
    """The weights under teacher forcing, ``(batch, target, slot)``."""
    memory = model.encode(batch.source, batch.source_mask)
    state, rows = model.initial_state(memory), []
    for previous in batch.previous.unbind(1):
        step = model.step(previous, state, memory)
        state = step.state
        rows.append(step.weights)
    return torch.stack(rows, 1)


class Reading(NamedTuple):
    """Attention's weights over strings turned round."""

    sums: float
    """Largest distance of a row's sum from 1."""
    padding: float
    """Largest weight of a padded slot."""
    aligned: float
    """Share of pieces that attend most to the very piece they copy."""
    right: float
    """Share of strings that are turned round exactly."""


@torch.no_grad()
def read(model: TranslationModel, batch: Batch) -> Reading:
    """Rows of the end piece count for sums and padding; for alignment they do not, since the end copies no piece."""
    weights = attention_weights(model, batch)
    sums = (weights.sum(-1) - 1).abs()[batch.target_mask].max()
    padding = weights.masked_fill(batch.source_mask.unsqueeze(1), 0.0).max()
    aligned = weights.argmax(-1)[copies(batch)] == expected_slots(batch)[copies(batch)]
    return Reading(float(sums), float(padding), float(aligned.float().mean()), float(exact(model, batch).mean()))


def copies(batch: Batch) -> Tensor:
    """Where the target copies a piece of the source: all of it but its end, ``(batch, target)``."""
    return torch.arange(batch.expected.shape[1]) < batch.target_mask.sum(1, keepdim=True) - 1


def expected_slots(batch: Batch) -> Tensor:
    """The source position that each target position copies: the last piece first, ``(batch, target)``."""
    return batch.target_mask.sum(1, keepdim=True) - 2 - torch.arange(batch.expected.shape[1])


def learned(seed: int, updates: int) -> Reading:
    """Attention that has learned to turn strings round, read on fresh ones."""
    torch.manual_seed(seed)
    model = recurrent(VOCABULARY, attention="bahdanau", direction="both")
    learn(model, strings, updates=updates, seed=seed, peak=PEAK)
    return read(model, strings(np.random.default_rng([seed, 2]), TEST))
