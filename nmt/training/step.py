"""One training step: gradients of the mean loss per token, clipped and applied. `train_on` repeats it over batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

import torch
from torch import nn

from nmt.training.objective import Loss

Examples = TypeVar("Examples")


class Update(NamedTuple):
    """The outcome of one update: sums over its batches as in `Loss`, and the gradient norm before clipping."""

    loss: float
    nll: float
    tokens: int
    norm: float
    applied: bool
    """False where the loss or its gradient was not finite; then the weights are unchanged."""


class TrainingStep:
    """Updates the parameters of an optimizer, whose gradient norm is clipped at ``clip`` (None: never)."""

    def __init__(self, optimizer: torch.optim.Optimizer, clip: float | None) -> None:
        self.optimizer, self.clip = optimizer, clip
        self.parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]

    def __call__(self, losses: Iterable[Loss], tokens: int, learning_rate: float) -> Update:
        """One update on the sum of the losses divided by ``tokens``, their total.

        Each loss is computed when the backward pass of the one before is done, so one graph is in memory at a time.
        A finite loss can have a gradient that is not finite, so both are checked.
        """
        loss = nll = 0.0
        for each in losses:
            (each.loss / tokens).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            loss += each.loss.item()
            nll += each.nll.item()
        norm = nn.utils.clip_grad_norm_(self.parameters, self.clip or math.inf).item()
        applied = math.isfinite(norm) and math.isfinite(loss)
        if applied:
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
            self.optimizer.step()
        self.optimizer.zero_grad()
        return Update(loss, nll, tokens, norm, applied)


def train_on(
    batches: Iterable[Examples],
    objective: Callable[[Examples], Loss],
    step: TrainingStep,
    schedule: Callable[[int], float],
    stop: Callable[[int, Update], bool] | None = None,
) -> None:
    """One update for each batch, at the learning rate ``schedule(update)``, until ``stop(update, outcome)`` is true."""
    for update, batch in enumerate(batches, 1):
        loss = objective(batch)
        done = step([loss], loss.tokens, schedule(update))
        if stop and stop(update, done):
            break
