"""Training of small models on batches that are drawn as they are needed, by the training step of translators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from nmt.data.batches import Batch
from nmt.models.protocol import TranslationModel
from nmt.training.objective import Loss, objective
from nmt.training.schedules import learning_rate
from nmt.training.step import TrainingStep, Update, train_on

FIRST_TOKEN = 4
"""The first id that is free for tokens of a task; those below are pad, unknown, begin and end."""
CLIP = 1.0
"""Gradient norm."""

Model = TypeVar("Model", bound=nn.Module)
Examples = TypeVar("Examples")
DrawBatch = Callable[[np.random.Generator], Batch]
Stop = Callable[[int, Update], bool]


def batches(draw: Callable[[np.random.Generator], Examples], updates: int, seed: int) -> Iterator[Examples]:
    """Fresh batches, one for each update. They depend on the seed alone, so all models of a seed see the same."""
    generator = np.random.default_rng([seed, 1])
    return (draw(generator) for _ in range(updates))


def learn(model: TranslationModel, draw: DrawBatch, *, updates: int, seed: int, peak: float) -> None:
    """Trains on the objective of translators: cross-entropy under teacher forcing, without label smoothing."""
    learn_task(model, draw, objective, updates=updates, seed=seed, peak=peak)


def learn_task(
    model: Model,
    draw: Callable[[np.random.Generator], Examples],
    loss: Callable[[Model, Examples], Loss],
    *,
    updates: int,
    seed: int,
    peak: float,
    stop: Stop | None = None,
) -> None:
    """Trains on the loss of a task, until ``stop(update, outcome)`` is true.

    AdamW with a cosine schedule, 5 % of the updates as warm-up, in fp32.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, betas=(0.9, 0.98), weight_decay=0.0)
    model.train()
    train_on(
        batches(draw, updates, seed),
        partial(loss, model),
        TrainingStep(optimizer, CLIP),
        lambda update: learning_rate("cosine", update, peak=peak, warmup=updates // 20, total=updates),
        stop,
    )
    model.eval()


@torch.no_grad()
def exact(model: TranslationModel, batch: Batch) -> np.ndarray:
    """For each example whether every target token is ranked first under teacher forcing, ``(batch,)`` of bool.

    That is so exactly if greedy decoding produces the target.
    """
    return all_right(model(batch.source, batch.source_mask, batch.previous), batch).cpu().numpy()


def all_right(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    """For each example whether the expected token has the largest logit at every target position, ``(batch,)``."""
    return ((logits.argmax(-1) == batch.expected) | ~batch.target_mask).all(1)
