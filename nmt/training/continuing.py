"""Going on with a run: limits that are raised, and training text that is added."""

from __future__ import annotations

from nmt import atomic
from nmt.errors import Log, UserError
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs import run_folder
from nmt.runs.metadata import Metadata
from nmt.runs.run_folder import Run
from nmt.training import planning
from nmt.training.dataset import Dataset
from nmt.training.description import check_lengths, with_text
from nmt.training.loading import load_more, reload_dataset

LIMITS = ("training.updates", "training.epochs", "training.minutes")
MORE_TEXT = "data.extra"
CHANGEABLE = {*LIMITS, MORE_TEXT, "training.keep", "data.in_memory", "data.cache", "data.offline"}
"""Keys that may differ when a run is continued: limits may be raised, text may be added, and the others do not change
the result."""


def prepared(run: Run, recipe: Recipe, log: Log) -> tuple[Run, Dataset] | None:
    """The run and its text, with the changes of the recipe written into it; None where nothing is left to train."""
    changed = _changes(run, recipe)
    dataset = None
    if changed:
        dataset = load_more(run, recipe, log) if MORE_TEXT in changed else None
        _write(run, recipe, _changed_metadata(run, recipe, ", ".join(changed), dataset, log))
        run = Run(run.path)
    if run.outcome is not None:
        log(
            f"{run.path}: finished after {run.outcome.update} updates; "
            "raise a limit to continue, or begin anew with --restart"
        )
        return None
    return run, dataset or reload_dataset(run, log)


def _changes(run: Run, recipe: Recipe) -> list[str]:
    """The keys that differ; one that may not is an error."""
    changed = {key: values for key, values in reading.differences(run.recipe, recipe).items() if key != "name"}
    refused = [
        f"  {key}: {before!r} in the run, {now!r} now"
        for key, (before, now) in changed.items()
        if key not in CHANGEABLE
    ]
    if refused:
        ways = "name another folder with --run, or begin anew with --restart"
        raise UserError("\n".join([f"{run.path}: begun with another recipe; {ways}", *refused]))
    return sorted(changed)


def _changed_metadata(run: Run, recipe: Recipe, keys: str, dataset: Dataset | None, log: Log) -> Metadata:
    """The metadata of the run after the changes of these keys."""
    metadata, decided = run.metadata, run.metadata.decided
    if recipe.training.minutes and decided.updates_per_minute is None:
        raise UserError(
            f"{run.path}: {keys}: begun without training.minutes, so updates were not timed; "
            "set training.updates instead"
        )
    if dataset is not None:
        batches = planning.batches(recipe, dataset)
        check_lengths(dataset, batches, log)
        metadata = with_text(metadata, dataset, batches)
        decided = decided.with_updates(decided.updates, batches.count(0))
    now = planning.count_updates(recipe.training, decided.updates_per_minute, decided.batches_per_epoch)
    if now < decided.updates:
        raise UserError(
            f"{run.path}: {keys}: planned for {decided.updates} updates, which cannot be lowered to {now}; "
            "begin anew with --restart"
        )
    if dataset is not None and run.outcome is not None and now == decided.updates:
        raise UserError(
            f"{run.path}: {keys}: finished after {now} updates; to train on more text raise a limit, too: updates=N"
        )
    return metadata.with_decisions(decided.with_updates(now))


def _write(run: Run, recipe: Recipe, metadata: Metadata) -> None:
    """Writes the changes into the run, the recipe last: after a kill in between, the same command finds them again."""
    if metadata.decided.updates > run.metadata.decided.updates:
        (run.path / run_folder.OUTCOME).unlink(missing_ok=True)
    atomic.write_json(run.path / run_folder.METADATA, metadata.as_json())
    atomic.write_file(run.path / run_folder.RECIPE, reading.dump(recipe.model_copy(update={"name": run.recipe.name})))
