"""Gradients that grow on their way back: a tanh cell whose recurrent matrix has been made larger, trained with and without clipping.

The claim is told of plain SGD (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063); AdamW, whose steps have a bound of their own, stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.lab.experiments.architectures import architecture, encoder
from nmt.lab.experiments.experiment import Claim, Log, Verdict
from nmt.lab.experiments.span import VOCABULARY, recall
from nmt.models.protocol import TranslationModel

STEPS, UPDATES, THRESHOLD = 50, 200, 1.0
GAINS = (1.5, 3.0)
RATES = {"sgd": 0.1, "adamw": 3e-3}
DIVERGED, WRECKED = 2.0, 10.0
"""A loss this many times that of the start has diverged; recurrent weights whose norm has grown so many times are wrecked."""


@dataclass(frozen=True)
class Blast:
    """One training: the gradient norms before clipping, the largest after it, and what became of the loss and of the recurrent weights."""

    optimizer: str
    gain: float
    clipped: bool
    seed: int
    median_norm: float
    largest_norm: float
    largest_used: float
    diverged_at: int | None
    growth: float
    """Norm of the recurrent matrix at the end over that at the start."""

    @property
    def damaged(self) -> bool:
        """Whether training has diverged or wrecked the weights that it began with."""
        return self.diverged_at is not None or not self.growth <= WRECKED  # also when it is not a number


def blast(optimizer: str, gain: float, clipped: bool, seed: int, updates: int) -> Blast:
    """Trains a tanh thought-vector model at first-piece recall, from a recurrent matrix times ``gain``, until the loss has diverged."""
    model = architecture("tanh", vocabulary=VOCABULARY, seed=seed)
    recurrent = encoder(model).forwards[0].layer.weight_hh_l0
    recurrent.data.mul_(gain)
    start, losses, norms, used = recurrent.norm().item(), list[float](), list[float](), list[float]()
    for loss in _train(model, optimizer, seed, updates):
        losses.append(loss)
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), THRESHOLD if clipped else math.inf).item())
        used.append(gradient_norm(model))
        if not losses[-1] <= DIVERGED * losses[0]:
            break
    at = None if losses[-1] <= DIVERGED * losses[0] else len(losses)
    return Blast(
        optimizer, gain, clipped, seed, median(norms), max(norms), max(used), at, recurrent.norm().item() / start
    )


def _train(model: TranslationModel, optimizer: str, seed: int, updates: int) -> Iterable[float]:
    """The loss of each update in turn, given when its gradients are there and before they are used."""
    kinds: dict[str, Callable[..., torch.optim.Optimizer]] = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}
    steps = kinds[optimizer](model.parameters(), lr=RATES[optimizer], weight_decay=0.0)
    generator, draw = np.random.default_rng([seed, 1]), recall(STEPS - 1)
    for _ in range(updates):
        batch = draw(generator)
        logits: Tensor = model(batch.source, batch.source_mask, batch.previous)
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.expected.flatten())
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        yield loss.item()
        steps.step()
        steps.zero_grad()


def gradient_norm(model: TranslationModel) -> float:
    """The norm of all gradients together."""
    return math.sqrt(
        sum(float(each.grad.double().pow(2).sum()) for each in model.parameters() if each.grad is not None)
    )


def explode(seeds: Iterable[int], updates: int, log: Log) -> list[Blast]:
    """Every optimizer and gain, with clipping and without, for each seed."""
    found = []
    for optimizer, gain, clipped, seed in product(RATES, GAINS, (False, True), seeds):
        one = blast(optimizer, gain, clipped, seed, updates)
        setting = f"{optimizer}, gain {gain:g}, {'clipped' if clipped else 'not clipped'}, seed {seed}"
        log(f"{setting}: largest gradient norm {one.largest_norm:.2g}, recurrent weights x {one.growth:.3g}")
        found.append(one)
    return found


def judge(blasts: Sequence[Blast]) -> Verdict:
    """Whether a large recurrent matrix makes training diverge and clipping prevents it.

    It holds if at the smallest gain plain SGD diverges in every seed without clipping and in none with it; under conditions if at some gain,
    with some optimizer, every training is damaged without clipping and none with it. Clipped norms must not be above the threshold.
    """
    if any(each.largest_used > THRESHOLD + 1e-6 for each in blasts if each.clipped):
        return "does not hold"
    least = min(each.gain for each in blasts)
    first = [each for each in blasts if each.optimizer == "sgd" and each.gain == least]
    if all((each.diverged_at is not None) != each.clipped for each in first):
        return "holds"
    settings = {(each.optimizer, each.gain) for each in blasts}
    saved = [
        all(each.damaged != each.clipped for each in blasts if (each.optimizer, each.gain) == setting)
        for setting in settings
    ]
    return "holds under conditions" if any(saved) else "does not hold"


def claim(blasts: Sequence[Blast], updates: int) -> Claim:
    """Row B5, in numbers."""
    used = max(each.largest_used for each in blasts if each.clipped)
    conditions = f"tanh cell, recall over {STEPS} steps, {updates} updates, clipping at {THRESHOLD}"
    return Claim(
        id="B5",
        number=f"{'; '.join(lines(blasts))}; largest norm after clipping {used:.7f} ({conditions})",
        verdict=judge(blasts),
    )


def lines(blasts: Sequence[Blast]) -> list[str]:
    """One line an optimizer and gain, over the seeds."""
    settings = dict.fromkeys((each.optimizer, each.gain) for each in blasts)
    return [_line([each for each in blasts if (each.optimizer, each.gain) == setting]) for setting in settings]


def _line(blasts: Sequence[Blast]) -> str:
    wild, tame = (_outcome([each for each in blasts if each.clipped == clipped]) for clipped in (False, True))
    norm = max(each.largest_norm for each in blasts)
    return f"{blasts[0].optimizer}, gain {blasts[0].gain:g}: largest gradient norm {norm:.2g}, not clipped {wild}, clipped {tame}"


def _outcome(blasts: Sequence[Blast]) -> str:
    diverged, growth = sum(each.diverged_at is not None for each in blasts), [each.growth for each in blasts]
    return f"{diverged} of {len(blasts)} seeds diverge (recurrent weights x {min(growth):.3g}..{max(growth):.3g})"
