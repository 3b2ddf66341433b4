"""Decides, once when a run begins, what its recipe leaves open: device, precision, threads, number of updates."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import fields

import torch

from nmt.data.batches import Batches
from nmt.errors import UserError
from nmt.models.device import find_device, resolve_precision
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters
from nmt.recipe.types import Recipe, Training
from nmt.runs.metadata import Decisions
from nmt.runs.run_folder import Run
from nmt.training.dataset import Dataset
from nmt.training.objective import objective
from nmt.training.progress import Plan
from nmt.training.step import TrainingStep

TIMED = 12
"""Updates that are timed, after two to warm up, to turn minutes into a number of updates."""
WEIGHT_BYTES, TRAINED_BYTES = 4, 16
"""Bytes of a parameter, and with its gradient and the two moments of AdamW."""
UPDATING = 0.85
"""Share of a limit in minutes that is spent on updates; the rest is for validating and saving."""


def check_size(run: Run, device: torch.device) -> None:
    """Raises if the run's model cannot be trained in the memory of this machine; nothing is allocated."""
    with torch.device("meta"):
        count = parameters(run.fresh_model())
    needed = count * (TRAINED_BYTES if device.type == "cpu" else WEIGHT_BYTES)
    if needed > (has := memory()):
        raise UserError(
            f"model: {count:,} parameters take {needed / 2**30:,.1f} GiB in training, and this machine has "
            f"{has / 2**30:,.1f} GiB\nlower the sizes in model, or vocabulary.size"
        )


def memory() -> int:
    """The memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def decide(run: Run, batches: Batches, log: Callable[[str], None]) -> Decisions:
    """Sets the number of threads, and times updates where the recipe limits minutes."""
    wanted = run.recipe.training
    device = find_device(wanted.device)
    check_size(run, device)
    precision = resolve_precision(wanted.precision, device)
    threads = wanted.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    per_minute = None if wanted.minutes is None else _updates_per_minute(run, batches, device, precision)
    per_epoch = batches.count(0)
    updates = count_updates(wanted, per_minute, per_epoch)
    if per_minute is not None:
        log(f"training.minutes {wanted.minutes:g} comes to {updates} updates on this machine")
    return Decisions(
        device=device.type,
        precision=precision,
        threads=threads,
        updates_per_minute=per_minute,
        batches_per_epoch=per_epoch,
        updates=updates,
        validate_every=wanted.validate_every or math.ceil(updates / _validations(wanted)),
        warmup=min(wanted.warmup, updates // 10),
        parameters=parameters(run.fresh_model()),
    )


def count_updates(wanted: Training, per_minute: float | None, batches_per_epoch: int) -> int:
    """The number of updates after which the first of the limits is reached."""
    limits = [wanted.updates] if wanted.updates else []
    if wanted.epochs:
        limits.append(math.ceil(wanted.epochs * batches_per_epoch / wanted.accumulate))
    if wanted.minutes and per_minute:
        limits.append(max(1, int(wanted.minutes * per_minute)))
    return min(limits)


def _validations(wanted: Training) -> int:
    """Validations of a run whose recipe does not say: ten, or one a minute in less than ten minutes."""
    return max(1, min(10, int(wanted.minutes or 10)))


def plan(recipe: Recipe, decided: Decisions) -> Plan:
    """The plan of the training loop: the recipe, with what was decided in place of what it leaves open."""
    values = recipe.training.model_dump() | {
        name: getattr(decided, name) for name in ("updates", "validate_every", "warmup", "precision")
    }
    return Plan(**{field.name: values[field.name] for field in fields(Plan)})


def batches(recipe: Recipe, dataset: Dataset) -> Batches:
    """The training batches as the recipe wants them."""
    return dataset.batches(
        seed=recipe.training.seed,
        batch_tokens=recipe.training.batch_tokens,
        most_sentences=recipe.data.concatenation,
        growth=recipe.training.concatenation_growth,
        sampling=recipe.vocabulary.sampling,
    )


def _updates_per_minute(run: Run, batches: Batches, device: torch.device, precision: str) -> float:
    """On this machine, with time for validating and saving; measured on a model that is thrown away."""
    seconds = seconds_per_batch(run.fresh_model().to(device), batches, device, precision)
    return 60 * UPDATING / seconds / run.recipe.training.accumulate


def seconds_per_batch(
    model: TranslationModel, batches: Batches, device: torch.device, precision: str, timed: int = TIMED
) -> float:
    """Seconds per update on one batch: the mean of ``timed`` updates at learning rate 0, after two to warm up."""
    step = TrainingStep(torch.optim.AdamW(model.train().parameters(), lr=0.0), clip=None)
    began = time.perf_counter()
    for number in range(2 + timed):
        if number == 2:
            began = time.perf_counter()
        batch = batches.batch(0, number % batches.count(0)).to(device)
        loss = objective(model, batch, 0.1, precision)
        step([loss], loss.tokens, learning_rate=0.0)
    return (time.perf_counter() - began) / timed
