"""From a recipe to a trained run: a run folder is made, or continued where an earlier command stopped."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from rich.console import Console

from nmt import atomic, provenance
from nmt.cpu_tuning import keep_few_kernels, keep_freed_memory
from nmt.data import corpus as corpora
from nmt.data.batches import Batches
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusRequest
from nmt.data.vocabulary import EOS, Vocabulary
from nmt.errors import Log, UserError
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs import run_folder
from nmt.runs.metadata import Metadata
from nmt.runs.run_folder import Run
from nmt.training import planning, vocabularies
from nmt.training.dataset import Dataset, encode
from nmt.training.fit import fit

LIMITS = ("training.updates", "training.epochs", "training.minutes")
CHANGEABLE = {*LIMITS, "training.keep", "data.in_memory", "data.cache"}
"""Keys that may differ when a run is continued: limits may be raised, and the others do not change the result."""


def train(recipe: Recipe, folder: Path, *, restart: bool, log: Log, console: Console, quiet: bool) -> int:
    """Trains the recipe into the run folder, or continues the run there, or says that it is finished.

    Returns 0, or 128 plus the number of the signal that stopped training; then everything is saved.
    """
    folder = atomic.followed(folder)
    _check_folder(folder)
    keep_freed_memory()
    keep_few_kernels()
    if restart or not (folder / run_folder.METADATA).exists():
        dataset = load_dataset(recipe, log)
        _create(recipe, folder, dataset, log, restart=restart)
        with run_folder.locked(folder):
            return fit(Run(folder), dataset, log, console, quiet)
    with run_folder.locked(folder):
        if not _continues(Run(folder), recipe, log):
            return 0
        return fit(Run(folder), reload_dataset(Run(folder), log), log, console, quiet)


def load_dataset(recipe: Recipe, log: Log) -> Dataset:
    """Loads the corpus, learns or loads the vocabularies, and encodes."""
    corpus = corpora.load(CorpusRequest(**recipe.data.model_dump()), log)
    return encode(corpus, *load_vocabularies(recipe, corpus, log), recipe.data.concatenation, log)


def load_vocabularies(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies that the recipe names, or those learned from the corpus."""
    wanted = recipe.vocabulary
    given = wanted.from_run or recipe.training.init_from
    if given:
        return vocabularies.load(Path(given))
    return vocabularies.learn(corpus, wanted.type, wanted.size, joint=wanted.joint, log=log)


def reload_dataset(run: Run, log: Log) -> Dataset:
    """The dataset that the run began with; text that has changed since is an error."""
    metadata = run.metadata.corpus
    corpus = corpora.load_again(CorpusRequest(**run.recipe.data.model_dump()), metadata, log)
    for name, before in metadata.splits.items():
        now = corpus.metadata.splits.get(name)
        if now is None or now.sha256 != before.sha256:
            raise UserError(
                f"data.{name}: not the text that {run.path} was begun with; bring it back, or begin anew with --restart"
            )
    return encode(corpus, *run.vocabularies, run.recipe.data.concatenation, log)


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: expected a folder for the run, found a file")
    if folder.exists() and any(folder.iterdir()) and not (folder / run_folder.METADATA).exists():
        raise UserError(f"{folder}: not empty and not a run folder; name another one with --run")


def _continues(run: Run, recipe: Recipe, log: Log) -> bool:
    """Whether something is left to train. Raised limits are written into the run; any other change is an error."""
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
            f"{run.path}: finished after {run.outcome.update} updates; "
            "raise a limit to continue, or begin anew with --restart"
        )
    return run.outcome is None


def _raise_limits(run: Run, recipe: Recipe, changed: list[str]) -> None:
    """Writes the changes into the run, the recipe last: after a kill in between, the same command finds them again."""
    decided, keys = run.metadata.decided, ", ".join(changed)
    per_minute, before = decided.updates_per_minute, decided.updates
    if recipe.training.minutes and per_minute is None:
        raise UserError(
            f"{run.path}: {keys}: begun without training.minutes, so updates were not timed; "
            "set training.updates instead"
        )
    now = planning.count_updates(recipe.training, per_minute, decided.batches_per_epoch)
    if now < before:
        raise UserError(
            f"{run.path}: {keys}: planned for {before} updates, which cannot be lowered to {now}; "
            "begin anew with --restart"
        )
    if now > before:
        (run.path / run_folder.OUTCOME).unlink(missing_ok=True)
    metadata = run.metadata.with_decisions(decided.with_updates(now))
    atomic.write_json(run.path / run_folder.METADATA, metadata.as_json())
    atomic.write_file(run.path / run_folder.RECIPE, reading.dump(recipe.model_copy(update={"name": run.recipe.name})))


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
    _report_left_out(batches, log)
    if not Batches(*dataset.valid, seed=0, batch_tokens=batches.batch_tokens).count(0):
        raise UserError("training.batch_tokens: all validation pairs are longer than that; raise it")
    metadata = _describe(dataset, batches)
    atomic.write_json(building / run_folder.METADATA, metadata.as_json())  # now `Run` can build the model that is timed
    decided = planning.decide(Run(building), batches, log)
    atomic.write_json(building / run_folder.METADATA, metadata.with_decisions(decided).as_json())


def _report_left_out(batches: Batches, log: Log) -> None:
    count, tokens = batches.left_out(0), f"training.batch_tokens, {batches.batch_tokens:,} tokens"
    if not batches.count(0):
        raise UserError(f"training.batch_tokens: all {count:,} training pairs are longer than {tokens}; raise it")
    if count:
        log(f"left out {count:,} training pairs that are longer than {tokens}")


def _describe(dataset: Dataset, batches: Batches) -> Metadata:
    """The run's metadata that does not depend on the plan."""
    packages = ("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets")
    source, target = batches.lengths(0)
    values = {
        "format": run_folder.FORMAT,
        "created": provenance.now(),
        "versions": provenance.versions(*packages),
        "machine": provenance.machine(),
        "corpus": dataset.corpus.metadata.as_json(),
        "lengths": {"source": _percentiles(source), "target": _percentiles(target)},
        "vocabulary": {"source": len(dataset.source), "target": len(dataset.target), "joint": dataset.joint},
        "unseen_tokens": run_folder.ranges(_unseen(dataset)),
        "several_sentences": dataset.several_sentences(batches.most_sentences),
        **({"token_cache": dataset.cached.record.model_dump()} if dataset.cached else {}),
    }
    return Metadata.model_validate(values)


def _unseen(dataset: Dataset) -> list[int]:
    """Source token ids that occur in the best segmentation of no training sentence; translation uses the best one."""
    known = np.arange(EOS + 1, len(dataset.source))
    return np.setdiff1d(known, dataset.train[0].distinct).tolist()  # type: ignore[no-any-return]  # as numpy does


def _percentiles(lengths: np.ndarray) -> dict[str, int]:
    """Lengths in tokens of the first epoch's examples, without EOS, and their sum."""
    return {
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
        "longest": int(lengths.max()),
        "tokens": int(lengths.sum()),
    }
