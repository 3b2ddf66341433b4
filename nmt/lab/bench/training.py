"""How the time of an update divides into data, forward, backward and optimiser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from nmt.cpu_tuning import keep_few_kernels
from nmt.data.batches import Batch, Batches, TokenIds
from nmt.lab.bench import operations
from nmt.lab.bench.machine import product_rate, synchronise
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters
from nmt.training.objective import Loss, objective
from nmt.training.step import TrainingStep

PHASES = ("data", "forward", "backward", "optimiser")
WARMING = 10
"""Updates before those that are timed."""


@dataclass(frozen=True)
class Updates:
    """Speed of training, and its share of the speed of matrix products on this machine."""

    parameters: int
    updates: int
    seconds: dict[str, float]
    """Per update, by phase: making and moving the batch; logits and loss; gradients; clipping and the optimizer."""
    tokens_per_second: float
    """Target tokens, end of sentence included, padding excluded."""
    padding: float
    """Share of the positions of both sides that are padding."""
    operations: int
    """In the matrix products of an update, padding included: the mean."""
    share: float
    """Of the measured rate of matrix products in this precision."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measure(
    model: TranslationModel,
    batches: Batches,
    *,
    device: torch.device,
    precision: str,
    updates: int,
) -> Updates:
    """Times updates of a model at a learning rate so small that the weights hardly change."""
    keep_few_kernels()
    optimizer = torch.optim.AdamW(model.to(device).train().parameters(), lr=0.0, fused=device.type != "mps")
    step = TrainingStep(optimizer, clip=1.0)
    totals, tokens, positions = dict.fromkeys(PHASES, 0.0), 0, np.zeros(2)
    shapes: list[tuple[int, int, int]] = []
    for number in range(WARMING + updates):
        clock = _Clock(device)
        batch = batches.batch(0, number % batches.count(0)).to(device)
        targets = int(batch.target_mask.sum())
        clock.lap("data")
        step(_timed_loss(model, batch, precision, clock), targets, learning_rate=1e-9)
        clock.lap("optimiser")
        if number >= WARMING:
            totals = {phase: totals[phase] + clock.seconds[phase] for phase in PHASES}
            tokens += targets
            real, padded = targets + int(batch.source_mask.sum()), batch.source.numel() + batch.expected.numel()
            positions += (real, padded)
            shapes.append((*batch.source.shape, batch.expected.shape[1]))
    total = sum(totals.values())
    pairs = {lengths: operations.of_update(model, *lengths, device) for lengths in {shape[1:] for shape in shapes}}
    done = sum(size * pairs[source, target] for size, source, target in shapes)
    return Updates(
        parameters=parameters(model),
        updates=updates,
        seconds={phase: seconds / updates for phase, seconds in totals.items()},
        tokens_per_second=tokens / total,
        padding=float(1 - positions[0] / positions[1]),
        operations=done // updates,
        share=done / total / product_rate(device, precision),
    )


def _timed_loss(model: TranslationModel, batch: Batch, precision: str, clock: _Clock) -> Iterator[Loss]:
    """The one loss of an update; the step resumes this generator when its backward pass is done."""
    loss = objective(model, batch, 0.1, precision)
    clock.lap("forward")
    yield loss
    clock.lap("backward")


def of_one_length(length: int, vocabulary: int, batch_tokens: int, count: int = 20) -> Batches:
    """Batches of random tokens without padding: each side has ``length`` tokens, end of sentence included."""
    generator = np.random.default_rng(0)
    rows = count * max(1, batch_tokens // length)
    sides = (TokenIds(generator.integers(4, vocabulary, (rows, length - 1)).tolist()) for _ in range(2))
    return Batches(*sides, seed=0, batch_tokens=batch_tokens)


class _Clock:
    """Seconds between laps, each taken when the device has finished its work."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds = device, dict[str, float]()
        self.begun = time.perf_counter()

    def lap(self, name: str) -> None:
        synchronise(self.device)
        now = time.perf_counter()
        self.seconds[name] = now - self.begun
        self.begun = now
