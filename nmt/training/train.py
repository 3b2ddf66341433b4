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

from nmt import atomic, provenance
from nmt.cpu_tuning import keep_few_kernels, keep_freed_memory
from nmt.data.batches import Batches
from nmt.data.prefetch import Prefetcher
from nmt.data.vocabulary import EOS
from nmt.errors import UserError
from nmt.models import weights
from nmt.models.device import find_device
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs import run_folder
from nmt.runs.run_folder import Run
from nmt.training import checkpoints, planning, preparing
from nmt.training.loop import Training, TrainingStoppedError
from nmt.training.preparing import Dataset
from nmt.training.reporting import FolderReporter, cut_back
from nmt.training.validation import Validator

LIMITS = ("training.updates", "training.epochs", "training.minutes")
CHANGEABLE = {*LIMITS, "training.keep", "data.in_memory", "data.cache"}
"""Keys that may differ when a run is continued: limits may be raised, and how many checkpoints are kept, or where a large corpus lies, does not
touch the result."""
WRITTEN = (
    run_folder.RECIPE,
    run_folder.METADATA,
    run_folder.WEIGHTS,
    run_folder.OUTCOME,
    run_folder.METRICS,
    run_folder.TIMING,
)
"""The files of a run folder that training alone writes, one process at a time."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

Log = Callable[[str], None]


def train(recipe: Recipe, folder: Path, *, restart: bool, log: Log, console: Console, quiet: bool) -> int:
    """Trains the recipe into the run folder, or continues it, or says that it is finished.

    Returns 0, or 128 plus the number of the signal that asked to stop; then everything is saved.
    """
    _check_folder(folder)
    keep_freed_memory()
    keep_few_kernels()
    if restart or not (folder / run_folder.METADATA).exists():
        prepared = preparing.prepare(recipe, log)
        _create(recipe, folder, prepared, log, restart=restart)
        with run_folder.locked(folder):
            return _fit(Run(folder), prepared, log, console, quiet)
    with run_folder.locked(folder):
        if not _continues(Run(folder), recipe, log):
            return 0
        return _fit(Run(folder), preparing.prepare_again(Run(folder), log), log, console, quiet)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: expected a folder for the run, found a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / run_folder.METADATA).exists():
        raise UserError(f"{folder}: not empty and not a run folder; name another one with --run")


def _continues(run: Run, recipe: Recipe, log: Log) -> bool:
    """Whether there is something left to train; a raised limit is written into the run, any other change is refused."""
    changed = {key: values for key, values in reading.differences(run.recipe, recipe).items() if key != "name"}
    refused = [
        f"  {key}: {before!r} in the run, {now!r} now"
        for key, (before, now) in changed.items()
        if key not in CHANGEABLE
    ]
    if refused:
        ways = "name another folder with --run, or begin anew with --restart"
        raise UserError("\n".join([f"{run.path}: begun with another recipe; {ways}", *refused]))
    if changed:
        _raise_limits(run, recipe, sorted(changed))
        run = Run(run.path)
    if run.outcome is not None:
        log(
            f"{run.path}: finished after {run.outcome['update']} updates; raise a limit to continue, or begin anew with --restart"
        )
    return run.outcome is None


def _raise_limits(run: Run, recipe: Recipe, changed: list[str]) -> None:
    """Writes the changes into the run, the recipe last: killed in between, the same command finds them again."""
    metadata, pace, given = run.metadata, run.metadata["updates_per_minute"], ", ".join(changed)
    if recipe.training.minutes and pace is None:
        raise UserError(
            f"{run.path}: {given}: begun without training.minutes, so updates were not timed; set training.updates instead"
        )
    before, now = metadata["updates"], planning.count_updates(recipe.training, pace, metadata["batches_per_epoch"])
    if now < before:
        raise UserError(
            f"{run.path}: {given}: planned for {before} updates, which cannot be lowered to {now}; begin anew with --restart"
        )
    if now > before:
        (run.path / run_folder.OUTCOME).unlink(missing_ok=True)
    atomic.write_json(run.path / run_folder.METADATA, {**metadata, "updates": now})
    atomic.write_file(run.path / run_folder.RECIPE, reading.dump(recipe.model_copy(update={"name": run.recipe.name})))


def _create(recipe: Recipe, folder: Path, prepared: Dataset, log: Log, *, restart: bool) -> None:
    """Makes the run folder with everything that is fixed at the start; it appears whole. On a restart the old one makes way only then."""
    building = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        _discard_unfinished(folder)
        building.mkdir(parents=True)
        with run_folder.locked(building):
            _fill(building, recipe, prepared, log)
            _take_place(building, folder, restart)
    except OSError as error:
        raise UserError(
            f"{folder}: the run folder cannot be made ({error.strerror}); name another one with --run"
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _discard_unfinished(folder: Path) -> None:
    """Removes what kills left of earlier beginnings of this run; one that is being made is locked."""
    for left in folder.parent.glob(f".{glob.escape(folder.name)}.[0-9]*"):
        with contextlib.suppress(UserError), run_folder.locked(left):
            shutil.rmtree(left, ignore_errors=True)


def _fill(building: Path, recipe: Recipe, prepared: Dataset, log: Log) -> None:
    atomic.write_file(building / run_folder.RECIPE, reading.dump(recipe))
    sides = (
        {run_folder.JOINT: prepared.source}
        if prepared.joint
        else {run_folder.SOURCE: prepared.source, run_folder.TARGET: prepared.target}
    )
    for name, vocabulary in sides.items():
        atomic.write_file(building / name, vocabulary.model)
    batches = preparing.batches(recipe, prepared)
    metadata = _facts(prepared, batches)
    atomic.write_json(building / run_folder.METADATA, metadata)  # from here on `Run` can build the model that is timed
    decided = planning.decide(Run(building), batches, log)
    atomic.write_json(building / run_folder.METADATA, metadata | decided)


def _take_place(building: Path, folder: Path, restart: bool) -> None:
    """Gives the folder its name; an old run is put aside."""
    if not folder.exists() or not restart:
        building.rename(folder)  # an empty folder may be there
        return
    with run_folder.locked(folder):
        aside = atomic.move_aside(folder)
        building.rename(folder)
        atomic.delete(aside)


def _facts(prepared: Dataset, batches: Batches) -> dict[str, Any]:
    packages = ("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets")
    return {
        "format": run_folder.FORMAT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": provenance.machine(),
        "corpus": prepared.corpus.metadata,
        "lengths": {
            side: _percentiles(lengths) for side, lengths in zip(("source", "target"), batches.lengths(0), strict=True)
        },
        "vocabulary": {"source": len(prepared.source), "target": len(prepared.target), "joint": prepared.joint},
        "unseen": run_folder.ranges(_unseen(prepared)),
        **({"pieces": prepared.pieces.record} if prepared.pieces else {}),
    }


def _unseen(prepared: Dataset) -> list[int]:
    """Source token ids that the best segmentation of no training sentence has, as translating takes the best one."""
    return np.setdiff1d(np.arange(EOS + 1, len(prepared.source)), prepared.train[0].distinct).tolist()  # type: ignore[no-any-return]  # as numpy does


def _percentiles(lengths: np.ndarray) -> dict[str, int]:
    """Lengths in pieces of the first epoch's examples, without the end piece, and their sum."""
    return {
        "median": int(np.median(lengths)),
        "95": int(np.percentile(lengths, 95)),
        "longest": int(lengths.max()),
        "pieces": int(lengths.sum()),
    }


def _fit(run: Run, prepared: Dataset, log: Log, console: Console, quiet: bool) -> int:
    """Trains from the newest sound checkpoint, or from the start, to the end."""
    metadata, recipe = run.metadata, run.recipe
    torch.set_num_threads(metadata["threads"])
    torch.manual_seed(recipe.training.seed)
    device, plan = find_device(metadata["device"]), planning.plan(recipe, metadata)
    model = run.fresh_model().to(device)
    search = run.search_settings(beam=recipe.training.valid_beam)
    longest = metadata["lengths"]["source"]["longest"]
    validate = Validator(model, prepared, recipe, search, longest, device, plan.precision)
    reporter = FolderReporter(run.path, plan, log, console, quiet=quiet, tensorboard=recipe.training.tensorboard)
    batches = Prefetcher(preparing.batches(recipe, prepared), recipe.training.loaders)
    training = Training(model, batches, plan, device, validate, run.path / run_folder.CHECKPOINTS, reporter)
    _restore(training, run, log)
    with listening(log) as stop_requested, reporter:
        log(
            f"training {metadata['parameters']:,} parameters on {device.type} in {plan.precision} with {metadata['threads']} threads into {run.path}"
        )
        try:
            training.fit(lambda: bool(stop_requested))
        except TrainingStoppedError:
            log(f"stopped at update {training.progress.update}; everything is saved, the same command continues")
            return 128 + stop_requested[0]
    best = training.progress
    atomic.write_json(
        run.path / run_folder.OUTCOME,
        {"update": best.update, "best": best.best, "best_update": best.best_update, "skipped": best.skipped},
    )
    log(
        f"finished after {best.update} updates; best weights are of update {best.best_update}: nmt translate {run.path}"
    )
    return 0


def _restore(training: Training, run: Run, log: Log) -> None:
    """Puts the training where it was left, or where it begins, and removes what a kill left unfinished."""
    for name in WRITTEN:
        atomic.remove_leftovers(run.path / name)
    newest = checkpoints.newest(run.path / run_folder.CHECKPOINTS, log)
    if newest is not None:
        training.restore(newest)
        log(f"continuing from update {training.progress.update}")
    elif run.recipe.training.init_from:
        _start_from(Run(Path(run.recipe.training.init_from)), training)
    for name in (run_folder.METRICS, run_folder.TIMING):
        cut_back(run.path / name, training.progress)


def _start_from(other: Run, training: Training) -> None:
    """Begins with another run's best weights."""
    try:
        weights.put(training.model, dict(other.model().named_parameters()))
    except ValueError as error:
        raise UserError(
            f"training.init_from: {other.path}: {error}\nexpected a run with weights of the same model and vocabulary"
        ) from error


@contextlib.contextmanager
def listening(log: Log) -> Iterator[list[int]]:
    """Collects signals that ask to stop instead of dying of them; a second Ctrl-C leaves at once."""
    stop_requested: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if stop_requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop_requested.append(number)
        log(f"{signal.Signals(number).name}: stopping after this update")

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield stop_requested
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
