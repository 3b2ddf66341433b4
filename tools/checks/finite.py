"""NaN and inf in loss and gradients: updates are skipped and counted; twenty in a row stop training."""

from __future__ import annotations

import json
import math
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from safetensors.torch import load_file

from nmt.models.protocol import TranslationModel
from nmt.runs import run_folder
from nmt.training import checkpoints, loop
from nmt.training.objective import objective
from tools.checks.check import Trial
from tools.checks.moments import around_updates, in_update
from tools.checks.outcome import difference, leaves
from tools.checks.process import Prelude
from tools.checks.toy import Toy, toys

LONGER = "training.updates=26"
GOOD = 4
"""The last update before a row of bad ones."""
PATTERNS = {"now and then": 3, "19 in a row": 19, "20 in a row": 20}
VALUES = (math.nan, math.inf, -math.inf)

Poison = Callable[[TranslationModel, float], AbstractContextManager[object]]


def in_loss(model: TranslationModel, value: float) -> AbstractContextManager[object]:
    """Adds the value to the loss; the gradient stays finite."""

    def poisoned(*given: Any) -> Any:
        loss = objective(*given)
        return loss._replace(loss=loss.loss + value)

    return patch.object(loop, "objective", poisoned)


@contextmanager
def in_logits(model: TranslationModel, value: float) -> Iterator[None]:
    """Multiplies the logits by the value: loss and gradients are not finite."""
    hook = model.register_forward_hook(lambda _, given, logits: logits * value)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def in_gradient(model: TranslationModel, value: float) -> Iterator[None]:
    """Adds the value to the gradient of one parameter; the loss stays finite."""
    hook = next(iter(model.parameters())).register_hook(lambda gradient: gradient + value)  # type: ignore[no-untyped-call]  # torch leaves it so
    try:
        yield
    finally:
        hook.remove()


POISONS: tuple[Poison, ...] = (in_loss, in_logits, in_gradient)


def inject(poison: Poison, value: float, updates: frozenset[int]) -> Prelude:
    """A prelude of `process.start` that poisons these updates."""
    return partial(_inject, poison, value, updates)


def _inject(poison: Poison, value: float, updates: frozenset[int]) -> None:
    def act(training: loop.Training, make: Callable[[], None]) -> None:
        if training.progress.update + 1 not in updates:
            make()
            return
        with poison(training.model, value):
            make()

    around_updates(act)


def trials(count: int) -> Iterator[Trial]:
    """Every poison with every value in every pattern, with all models in turn."""
    ways = [(pattern, poison, value) for pattern in PATTERNS for poison in POISONS for value in VALUES]
    with toys() as models:
        for number in range(count):
            yield _trial(
                models[number % len(models)], *ways[number * 10 % len(ways)], random.Random(f"finite {number}")
            )


def _trial(toy: Toy, pattern: str, poison: Poison, value: float, rng: random.Random) -> Trial:
    shutil.rmtree(toy.run, ignore_errors=True)
    many = PATTERNS[pattern]
    updates = rng.sample(range(1, 27), many) if pattern == "now and then" else range(GOOD + 1, GOOD + 1 + many)
    status = toy.train(LONGER, prelude=inject(poison, value, frozenset(updates)))
    tried = f"{toy.name}: {value} {poison.__name__.replace('_', ' ')}, {pattern}"
    skipped = sum("is not finite; skipped" in line for line in toy.stderr_lines)
    if skipped != many:
        return Trial(tried, f"exit {status}; {skipped} of {many} were skipped: {toy.stderr_lines[-1]}")
    return Trial(
        tried,
        _not_finite(toy.run)
        or (_not_kept(toy, status) if many == loop.PATIENCE_WITH_NAN else _not_finished(toy, status, many)),
    )


def _not_finite(folder: Path) -> str | None:
    """The file of weights or metrics with a number that is not finite, or None."""
    last = list(checkpoints.steps(folder / run_folder.CHECKPOINTS).values())[-1] / checkpoints.WEIGHTS
    for path in (folder / run_folder.WEIGHTS, last):
        if not all(bool(torch.isfinite(tensor).all()) for tensor in load_file(path).values()):
            return f"{path.name} holds what is not finite"
    metrics = (folder / run_folder.METRICS).read_text()
    return (
        None
        if all(word not in metrics for word in ("NaN", "Infinity"))
        else f"{run_folder.METRICS} holds what is not finite"
    )


def _not_finished(toy: Toy, status: int, many: int) -> str | None:
    outcome = json.loads((toy.run / run_folder.OUTCOME).read_text()) if status == 0 else {}
    return (
        None
        if outcome.get("skipped") == many
        else f"exit {status}, counted {outcome.get('skipped')}: {toy.stderr_lines[-1]}"
    )


def _not_kept(toy: Toy, status: int) -> str | None:
    """What is wrong after twenty in a row, or None.

    Training must fail, the newest checkpoint must hold the last good state, and training must continue from it.
    """
    if status != 1 or not any("20 updates in a row" in line for line in toy.stderr_lines[-2:]):
        return f"exit {status}: {toy.stderr_lines[-1]}"
    good = toy.folder / "good"
    if not good.exists():
        toy.train(LONGER, run=good, prelude=in_update(GOOD, signal.SIGTERM))
    if found := difference(_state(toy.run), _state(good)):
        return found
    return None if toy.train(LONGER) == 0 else f"does not go on: {toy.stderr_lines[-1]}"


def _state(folder: Path) -> dict[str, Any]:
    """Weights and optimizer of the newest checkpoint."""
    last = list(checkpoints.steps(folder / run_folder.CHECKPOINTS).values())[-1]
    state = torch.load(last / checkpoints.STATE, weights_only=True)["optimizer"]["state"]
    return {"weights": (last / checkpoints.WEIGHTS).read_bytes(), **dict(leaves(state, "optimizer"))}
