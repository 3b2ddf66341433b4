"""Where the time of an update goes: data, forward, backward, optimiser. The same functions as in training, with a clock between them."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from nmt.cpu_tuning import keep_few_kernels
from nmt.data.batches import Batches, TokenIds
from nmt.lab.bench import operations
from nmt.lab.bench.machine import product_rate, synchronise
from nmt.lab.bench.operations import Sizes
from nmt.models.device import autocast
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters
from nmt.training.objective import cross_entropy

PHASES = ("data", "forward", "backward", "optimiser")
WARMING = 10
"""Updates that are not counted."""


@dataclass(frozen=True)
class Updates:
    """Training at full speed, and what of the machine's best it is."""

    parameters: int
    updates: int
    seconds: dict[str, float]
    """Per update, by phase: the batch made and moved, logits and loss, gradients, clipping and the step."""
    pieces_per_second: float
    """Target pieces, their ends counted and padding not."""
    padding: float
    """Share of the padded positions, of both sides, that are padding."""
    operations: int
    """Of the matrix products of an update, on average, padding counted: by formula."""
    share: float
    """Of the measured rate of matrix products in this precision."""

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def measure(
    model: TranslationModel,
    sizes: Sizes,
    vocabulary: int,
    batches: Batches,
    *,
    device: torch.device,
    precision: str,
    updates: int,
) -> Updates:
    """Times updates of a model, whose weights change by rounding at most: the rate is tiny."""
    keep_few_kernels()
    optimizer = torch.optim.AdamW(model.to(device).train().parameters(), lr=1e-9, fused=device.type != "mps")
    sums, pieces, positions, done = dict.fromkeys(PHASES, 0.0), 0, np.zeros(2), 0
    for number in range(WARMING + updates):
        clock = _Clock(device)
        batch = batches.batch(0, number % batches.count(0)).to(device)
        clock.lap("data")
        with autocast(device, precision):
            logits = model(batch.source, batch.source_mask, batch.previous)
        loss = cross_entropy(logits, batch.expected, batch.target_mask, 0.1)
        clock.lap("forward")
        (loss.objective / loss.pieces).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        clock.lap("backward")
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        clock.lap("optimiser")
        if number >= WARMING:
            sums = {phase: sums[phase] + clock.seconds[phase] for phase in PHASES}
            pieces += loss.pieces
            real, padded = loss.pieces + int(batch.source_mask.sum()), batch.source.numel() + batch.expected.numel()
            positions += (real, padded)
            done += len(batch.source) * operations.update(
                sizes, vocabulary, batch.source.shape[1], batch.expected.shape[1]
            )
    total = sum(sums.values())
    return Updates(
        parameters=parameters(model),
        updates=updates,
        seconds={phase: seconds / updates for phase, seconds in sums.items()},
        pieces_per_second=pieces / total,
        padding=float(1 - positions[0] / positions[1]),
        operations=done // updates,
        share=done / total / product_rate(device, precision),
    )


def of_one_length(length: int, vocabulary: int, batch_tokens: int, count: int = 20) -> Batches:
    """Batches of random pieces, each side ``length`` long with its end, so that nothing is padding."""
    generator = np.random.default_rng(0)
    rows = count * max(1, batch_tokens // length)
    sides = (TokenIds(generator.integers(4, vocabulary, (rows, length - 1)).tolist()) for _ in range(2))
    return Batches(*sides, seed=0, batch_tokens=batch_tokens)


class _Clock:
    """Seconds between laps, when the device has done what it was told."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.seconds = device, dict[str, float]()
        self.begun = time.perf_counter()

    def lap(self, name: str) -> None:
        synchronise(self.device)
        now = time.perf_counter()
        self.seconds[name] = now - self.begun
        self.begun = now
