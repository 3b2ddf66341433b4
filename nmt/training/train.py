"""`train`: from a recipe to a finished run folder, or on from where an earlier command stopped."""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from rich.console import Console

from nmt import files, runs
from nmt.faults import InputFault
from nmt.models import weights
from nmt.process import keep_few_kernels, keep_freed_memory
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs import Run
from nmt.text.vocabulary import EOS
from nmt.training import checkpoints, hardware, planning, preparing
from nmt.training.batches import Batches
from nmt.training.loading import Loader
from nmt.training.loop import Stopped, Training
from nmt.training.preparing import Prepared
from nmt.training.reporting import FolderReporter, cut_back
from nmt.training.validating import Validator

LIMITS = ("training.updates", "training.epochs", "training.minutes")
CHANGEABLE = {*LIMITS, "training.keep", "data.in_memory", "data.prepared"}
"""Keys that may differ when a run is continued: limits may be raised, and how many checkpoints are kept, or where a large corpus lies, does not
touch the result."""
WRITTEN = (runs.RECIPE, runs.FACTS, runs.WEIGHTS, runs.OUTCOME, runs.METRICS, runs.TIMING)
"""The files of a run folder that training alone writes, one process at a time."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

Notice = Callable[[str], None]


def train(recipe: Recipe, folder: Path, *, restart: bool, notice: Notice, console: Console, quiet: bool) -> int:
    """Trains the recipe into the run folder, or continues it, or says that it is finished.

    Returns 0, or 128 plus the number of the signal that asked to stop; then everything is saved.
    """
    _check_folder(folder)
    keep_freed_memory()
    keep_few_kernels()
    if restart or not (folder / runs.FACTS).exists():
        prepared = preparing.prepare(recipe, notice)
        _create(recipe, folder, prepared, notice, restart=restart)
        with runs.locked(folder):
            return _fit(Run(folder), prepared, notice, console, quiet)
    with runs.locked(folder):
        if not _continues(Run(folder), recipe, notice):
            return 0
        return _fit(Run(folder), preparing.prepare_again(Run(folder), notice), notice, console, quiet)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputFault(f"{folder}: expected a folder for the run, found a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / runs.FACTS).exists():
        raise InputFault(f"{folder}: not empty and not a run folder; name another one with --run")


def _continues(run: Run, recipe: Recipe, notice: Notice) -> bool:
    """Whether there is something left to train; a raised limit is written into the run, any other change is refused."""
    changed = {key: values for key, values in reading.differences(run.recipe, recipe).items() if key != "name"}
    refused = [f"  {key}: {before!r} in the run, {now!r} now" for key, (before, now) in changed.items() if key not in CHANGEABLE]
    if refused:
        ways = "name another folder with --run, or begin anew with --restart"
        raise InputFault("\n".join([f"{run.path}: begun with another recipe; {ways}", *refused]))
    if changed:
        _raise_limits(run, recipe, sorted(changed))
        run = Run(run.path)
    if run.outcome is not None:
        notice(f"{run.path}: finished after {run.outcome['update']} updates; raise a limit to continue, or begin anew with --restart")
    return run.outcome is None


def _raise_limits(run: Run, recipe: Recipe, changed: list[str]) -> None:
    """Writes the changes into the run, the recipe last: killed in between, the same command finds them again."""
    facts, pace, given = run.facts, run.facts["updates_per_minute"], ", ".join(changed)
    if recipe.training.minutes and pace is None:
        raise InputFault(f"{run.path}: {given}: begun without training.minutes, so updates were not timed; set training.updates instead")
    before, now = facts["updates"], planning.count_updates(recipe.training, pace, facts["batches_per_epoch"])
    if now < before:
        raise InputFault(f"{run.path}: {given}: planned for {before} updates, which cannot be lowered to {now}; begin anew with --restart")
    if now > before:
        (run.path / runs.OUTCOME).unlink(missing_ok=True)
    files.write_json(run.path / runs.FACTS, {**facts, "updates": now})
    files.write_whole(run.path / runs.RECIPE, reading.dump(recipe.model_copy(update={"name": run.recipe.name})))


def _create(recipe: Recipe, folder: Path, prepared: Prepared, notice: Notice, *, restart: bool) -> None:
    """Makes the run folder with everything that is fixed at the start; it appears whole. On a restart the old one makes way only then."""
    building = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        _discard_unfinished(folder)
        building.mkdir(parents=True)
        with runs.locked(building):
            _fill(building, recipe, prepared, notice)
            _take_place(building, folder, restart)
    except OSError as error:
        raise InputFault(f"{folder}: the run folder cannot be made ({error.strerror}); name another one with --run") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _discard_unfinished(folder: Path) -> None:
    """Removes what kills left of earlier beginnings of this run; one that is being made is locked."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.[0-9]*"):
        with contextlib.suppress(InputFault), runs.locked(left):
            shutil.rmtree(left, ignore_errors=True)


def _fill(building: Path, recipe: Recipe, prepared: Prepared, notice: Notice) -> None:
    files.write_whole(building / runs.RECIPE, reading.dump(recipe))
    sides = {runs.JOINT: prepared.source} if prepared.joint else {runs.SOURCE: prepared.source, runs.TARGET: prepared.target}
    for name, vocabulary in sides.items():
        files.write_whole(building / name, vocabulary.model)
    batches = preparing.batches(recipe, prepared)
    facts = _facts(prepared, batches)
    files.write_json(building / runs.FACTS, facts)  # from here on `Run` can build the model that is timed
    decided = planning.decide(Run(building), batches, notice)
    files.write_json(building / runs.FACTS, facts | decided)


def _take_place(building: Path, folder: Path, restart: bool) -> None:
    """Gives the folder its name; an old run is put aside."""
    if not folder.exists() or not restart:
        building.rename(folder)  # an empty folder may be there
        return
    with runs.locked(folder):
        aside = files.put_aside(folder)
        building.rename(folder)
        files.delete(aside)


def _facts(prepared: Prepared, batches: Batches) -> dict[str, Any]:
    packages = ("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets")
    return {
        "format": runs.FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": hardware.describe(),
        "corpus": prepared.corpus.facts,
        "lengths": {side: _percentiles(lengths) for side, lengths in zip(("source", "target"), batches.lengths(0), strict=True)},
        "vocabulary": {"source": len(prepared.source), "target": len(prepared.target), "joint": prepared.joint},
        "unseen": runs.ranges(_unseen(prepared)),
        **({"pieces": prepared.pieces.record} if prepared.pieces else {}),
    }


def _unseen(prepared: Prepared) -> list[int]:
    """Source token ids that the best segmentation of no training sentence has, as translating takes the best one."""
    return np.setdiff1d(np.arange(EOS + 1, len(prepared.source)), prepared.train[0].distinct).tolist()  # type: ignore[no-any-return]  # as numpy does


def _percentiles(lengths: np.ndarray) -> dict[str, int]:
    """Lengths in pieces of the first epoch's examples, without the end piece, and their sum."""
    return {"median": int(np.median(lengths)), "95": int(np.percentile(lengths, 95)), "longest": int(lengths.max()), "pieces": int(lengths.sum())}


def _fit(run: Run, prepared: Prepared, notice: Notice, console: Console, quiet: bool) -> int:
    """Trains from the newest sound checkpoint, or from the start, to the end."""
    facts, recipe = run.facts, run.recipe
    torch.set_num_threads(facts["threads"])
    torch.manual_seed(recipe.training.seed)
    device, plan = hardware.device(facts["device"]), planning.plan(recipe, facts)
    model = run.fresh_model().to(device)
    validate = Validator(model, prepared, recipe, facts["lengths"]["source"]["longest"], device, plan.precision)
    reporter = FolderReporter(run.path, plan, notice, console, quiet=quiet, tensorboard=recipe.training.tensorboard)
    batches = Loader(preparing.batches(recipe, prepared), recipe.training.loaders)
    training = Training(model, batches, plan, device, validate, run.path / runs.CHECKPOINTS, reporter)
    _restore(training, run, notice)
    with listening(notice) as heard, reporter:
        notice(f"training {facts['parameters']:,} parameters on {device.type} in {plan.precision} with {facts['threads']} threads into {run.path}")
        try:
            training.fit(lambda: bool(heard))
        except Stopped:
            notice(f"stopped at update {training.progress.update}; everything is saved, the same command continues")
            return 128 + heard[0]
    best = training.progress
    files.write_json(run.path / runs.OUTCOME, {"update": best.update, "best": best.best, "best_update": best.best_update, "skipped": best.skipped})
    notice(f"finished after {best.update} updates; best weights are of update {best.best_update}: nmt translate {run.path}")
    return 0


def _restore(training: Training, run: Run, notice: Notice) -> None:
    """Puts the training where it was left, or where it begins, and removes what a kill left unfinished."""
    for name in WRITTEN:
        files.discard_unfinished(run.path / name)
    newest = checkpoints.newest(run.path / runs.CHECKPOINTS, notice)
    if newest is not None:
        training.restore(newest)
        notice(f"continuing from update {training.progress.update}")
    elif run.recipe.training.init_from:
        _start_from(Run(Path(run.recipe.training.init_from)), training)
    for name in (runs.METRICS, runs.TIMING):
        cut_back(run.path / name, training.progress)


def _start_from(other: Run, training: Training) -> None:
    """Begins with another run's best weights."""
    try:
        weights.put(training.model, dict(other.model().named_parameters()))
    except ValueError as error:
        raise InputFault(f"training.init_from: {other.path}: {error}\nexpected a run with weights of the same model and vocabulary") from error


@contextlib.contextmanager
def listening(notice: Notice) -> Iterator[list[int]]:
    """Collects signals that ask to stop instead of dying of them; a second Ctrl-C leaves at once."""
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if heard and number == signal.SIGINT:
            raise KeyboardInterrupt
        heard.append(number)
        notice(f"{signal.Signals(number).name}: stopping after this update")

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
