"""Exploding gradients: a tanh cell with an enlarged recurrent matrix, trained with and without gradient clipping.

The claim is made for plain SGD (Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063). AdamW, whose steps are bounded
anyway, is measured too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import median

import torch
from torch.nn import functional

from nmt.data.batches import Batch
from nmt.errors import Log
from nmt.lab.experiments.architectures import reading_cell, recurrent_architecture
from nmt.lab.experiments.experiment import Claim, Verdict
from nmt.lab.experiments.learning import batches
from nmt.lab.experiments.span import VOCABULARY, recall
from nmt.models.protocol import TranslationModel
from nmt.training.objective import Loss
from nmt.training.step import TrainingStep, Update, train_on

STEPS, UPDATES, THRESHOLD = 50, 200, 1.0
GAINS = (1.5, 3.0)
RATES = {"sgd": 0.1, "adamw": 3e-3}
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}
DIVERGED, WRECKED = 2.0, 10.0
"""Factors over the start: of the loss, from which training has diverged; and of the norm of recurrent weights, above
which they are damaged."""


@dataclass(frozen=True)
class Training:
    """One training run: gradient norms before and after clipping, divergence, and growth of the recurrent weights."""

    optimizer: str
    gain: float
    clipped: bool
    seed: int
    median_norm: float
    largest_norm: float
    largest_used: float
    """Largest gradient norm after clipping."""
    diverged_at: int | None
    growth: float
    """Norm of the recurrent matrix at the end, or before it diverged, over that at the start."""

    @property
    def damaged(self) -> bool:
        """Whether training has diverged or damaged the recurrent weights."""
        return self.diverged_at is not None or not self.growth <= WRECKED  # true for NaN as well


def train(optimizer: str, gain: float, clipped: bool, seed: int, updates: int) -> Training:
    """Trains a tanh model with its recurrent matrix times ``gain`` on recall, until the loss diverges."""
    model = recurrent_architecture("tanh", vocabulary=VOCABULARY, seed=seed)
    recurrent = reading_cell(model).layer.weight_hh_l0
    recurrent.data.mul_(gain)
    losses, norms, used, weights = list[float](), list[float](), list[float](), [recurrent.norm().item()]

    def has_diverged() -> bool:
        return not losses[-1] <= DIVERGED * losses[0]  # true for NaN as well

    def stop(update: int, done: Update) -> bool:
        losses.append(done.loss / done.tokens)
        norms.append(done.norm)
        if not has_diverged():
            weights.append(recurrent.norm().item())
        return has_diverged()

    chosen = OPTIMIZERS[optimizer](model.parameters(), lr=0.0, weight_decay=0.0)
    chosen.register_step_pre_hook(lambda *_: used.append(gradient_norm(model)))
    train_on(
        batches(recall(STEPS - 1), updates, seed),
        lambda batch: recall_loss(model, batch),
        TrainingStep(chosen, THRESHOLD if clipped else None),
        lambda _: RATES[optimizer],
        stop,
    )
    return Training(
        optimizer,
        gain,
        clipped,
        seed,
        median_norm=median(norms),
        largest_norm=max(norms),
        largest_used=max(used),
        diverged_at=len(losses) if has_diverged() else None,
        growth=weights[-1] / weights[0],
    )


def recall_loss(model: TranslationModel, batch: Batch) -> Loss:
    """Cross-entropy over all target tokens; no example has padding."""
    logits = model(batch.source, batch.source_mask, batch.previous)
    loss = functional.cross_entropy(logits.flatten(0, 1), batch.expected.flatten(), reduction="sum")
    return Loss(loss, loss.detach(), batch.expected.numel())


def gradient_norm(model: TranslationModel) -> float:
    """The norm of all gradients together."""
    return math.sqrt(
        sum(float(each.grad.double().pow(2).sum()) for each in model.parameters() if each.grad is not None)
    )


def train_all(seeds: Iterable[int], updates: int, log: Log) -> list[Training]:
    """Every optimizer and gain, with clipping and without, for each seed."""
    found = []
    for optimizer, gain, clipped, seed in product(RATES, GAINS, (False, True), seeds):
        one = train(optimizer, gain, clipped, seed, updates)
        condition = f"{optimizer}, gain {gain:g}, {'clipped' if clipped else 'not clipped'}, seed {seed}"
        log(f"{condition}: largest gradient norm {one.largest_norm:.2g}, recurrent weights x {one.growth:.3g}")
        found.append(one)
    return found


def judge(trainings: Sequence[Training]) -> Verdict:
    """Whether a large recurrent matrix makes training diverge, and clipping prevents it.

    It holds if at the smallest gain SGD diverges in every seed without clipping and in none with it. It holds under
    conditions if for some gain and optimizer every training is damaged without clipping and none with it. It does not
    hold if a clipped norm is above the threshold.
    """
    if any(each.largest_used > THRESHOLD + 1e-6 for each in trainings if each.clipped):
        return "does not hold"
    smallest = min(each.gain for each in trainings)
    first = [each for each in trainings if each.optimizer == "sgd" and each.gain == smallest]
    if all((each.diverged_at is not None) != each.clipped for each in first):
        return "holds"
    prevented = [all(each.damaged != each.clipped for each in group) for group in _groups(trainings)]
    return "holds under conditions" if any(prevented) else "does not hold"


def claim(trainings: Sequence[Training], updates: int) -> Claim:
    """B5: gradients explode, and clipping keeps training stable."""
    used = max(each.largest_used for each in trainings if each.clipped)
    conditions = f"tanh cell, recall over {STEPS} steps, {updates} updates, clipping at {THRESHOLD}"
    return Claim(
        id="B5",
        number=f"{'; '.join(lines(trainings))}; largest norm after clipping {used:.7f} ({conditions})",
        verdict=judge(trainings),
    )


def lines(trainings: Sequence[Training]) -> list[str]:
    """One line for each optimizer and gain, over the seeds."""
    return [_line(group) for group in _groups(trainings)]


def _groups(trainings: Sequence[Training]) -> list[list[Training]]:
    """Trainings by optimizer and gain."""
    conditions = dict.fromkeys((each.optimizer, each.gain) for each in trainings)
    return [[each for each in trainings if (each.optimizer, each.gain) == condition] for condition in conditions]


def _line(group: Sequence[Training]) -> str:
    unclipped, clipped = (_summary([each for each in group if each.clipped == wanted]) for wanted in (False, True))
    norm = max(each.largest_norm for each in group)
    name = f"{group[0].optimizer}, gain {group[0].gain:g}"
    return f"{name}: largest gradient norm {norm:.2g}, not clipped {unclipped}, clipped {clipped}"


def _summary(trainings: Sequence[Training]) -> str:
    diverged, growth = sum(each.diverged_at is not None for each in trainings), [each.growth for each in trainings]
    return f"{diverged} of {len(trainings)} seeds diverge (recurrent weights x {min(growth):.3g}..{max(growth):.3g})"
