"""From a recipe to a trained run: a run folder is made, or continued where an earlier command stopped."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rich.console import Console

from nmt import atomic
from nmt.cpu_tuning import keep_few_kernels, keep_freed_memory
from nmt.errors import Log, UserError
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs import run_folder
from nmt.runs.run_folder import Run
from nmt.training import continuing, loading, planning
from nmt.training.dataset import Dataset
from nmt.training.description import check_lengths, describe
from nmt.training.fit import fit, start_from
from nmt.training.reporting import check_tensorboard


def train(recipe: Recipe, folder: Path, *, restart: bool, log: Log, console: Console, quiet: bool) -> int:
    """Trains the recipe into the run folder, or continues the run there, or says that it is finished.

    Returns 0, or 128 plus the number of the signal that stopped training; then everything is saved. A recipe that
    cannot be trained leaves nothing behind.
    """
    recipe, folder = _named(recipe, folder.name), atomic.followed(folder)
    _check_folder(folder)
    if recipe.training.tensorboard:
        check_tensorboard()
    keep_freed_memory()
    keep_few_kernels()
    if restart or not (folder / run_folder.METADATA).exists():
        dataset = loading.load_dataset(recipe, log)
        _create(recipe, folder, dataset, log, restart=restart)
        with run_folder.locked(folder):
            return fit(Run(folder), dataset, log, console, quiet)
    with run_folder.locked(folder):
        left = continuing.prepared(Run(folder), recipe, log)
        return fit(*left, log, console, quiet) if left else 0


def _named(recipe: Recipe, name: str) -> Recipe:
    """The recipe with the name of its run folder, if a recipe can have that name."""
    named = recipe.model_copy(update={"name": name})
    return recipe if any(key == ("name",) for key, _ in named.conflicts()) else named


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: expected a folder for the run, found a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / run_folder.METADATA).exists():
        raise UserError(f"{folder}: not empty and not a run folder; name another one with --run")


def _create(recipe: Recipe, folder: Path, dataset: Dataset, log: Log, *, restart: bool) -> None:
    """Makes the run folder, which appears whole; on a restart the old one is replaced at that moment."""
    try:
        with contextlib.ExitStack() as stack:
            if restart and folder.exists():
                stack.enter_context(run_folder.locked(folder))
            building = stack.enter_context(atomic.atomic_folder(folder, replace=restart))
            _fill(building, recipe, dataset, log)
    except atomic.WriteError as error:
        if not restart and (folder / run_folder.METADATA).exists():
            raise UserError(
                f"{folder}: another nmt train has begun this run meanwhile; wait for it, or name another one with --run"
            ) from error
        raise UserError(
            f"{folder}: the run folder cannot be made ({error.reason}); name another one with --run"
        ) from error


def _fill(building: Path, recipe: Recipe, dataset: Dataset, log: Log) -> None:
    atomic.write_file(building / run_folder.RECIPE, reading.dump(recipe))
    sides = (
        {run_folder.JOINT: dataset.source}
        if dataset.joint
        else {run_folder.SOURCE: dataset.source, run_folder.TARGET: dataset.target}
    )
    for name, vocabulary in sides.items():
        atomic.write_file(building / name, vocabulary.model)
    batches = planning.batches(recipe, dataset)
    check_lengths(dataset, batches, log)
    metadata = describe(dataset, batches)
    atomic.write_json(building / run_folder.METADATA, metadata.as_json())  # now `Run` can build the model that is timed
    decided = planning.decide(Run(building), batches, log)
    if recipe.training.init_from:
        start_from(Run(Path(recipe.training.init_from)), Run(building).fresh_model())
    atomic.write_json(building / run_folder.METADATA, metadata.with_decisions(decided).as_json())
