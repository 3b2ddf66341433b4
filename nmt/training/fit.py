"""Trains a run from its newest checkpoint, or from the start, to the end of its plan."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType

import torch
from rich.console import Console

from nmt import atomic, unfinished
from nmt.data.batches import Batches, Prefetcher
from nmt.errors import Log, UserError
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator
from nmt.models import weights
from nmt.models.device import find_device, resolve_precision
from nmt.models.protocol import TranslationModel
from nmt.runs import run_folder
from nmt.runs.metadata import Outcome
from nmt.runs.run_folder import Run
from nmt.training import checkpoints, planning
from nmt.training.dataset import Dataset
from nmt.training.loop import Training, TrainingStoppedError
from nmt.training.reporting import FolderReporter, cut_back
from nmt.training.validation import Validator

WRITTEN = (
    run_folder.RECIPE,
    run_folder.METADATA,
    run_folder.WEIGHTS,
    run_folder.OUTCOME,
    run_folder.METRICS,
    run_folder.TIMING,
)
"""The files of a run folder that only training writes, one process at a time."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def fit(run: Run, dataset: Dataset, log: Log, console: Console, quiet: bool) -> int:
    """Returns 0, or 128 plus the number of the signal that stopped training; then everything is saved."""
    decided, wanted = run.metadata.decided, run.recipe.training
    torch.set_num_threads(decided.threads)
    torch.manual_seed(wanted.seed)
    device, plan = find_device(decided.device), planning.plan(run.recipe, decided)
    model = run.fresh_model().to(device)
    validate = validator(run, model, dataset, device, plan.precision)
    reporter = FolderReporter(run.path, plan, log, console, quiet=quiet, tensorboard=wanted.tensorboard)
    batches = Prefetcher(planning.batches(run.recipe, dataset), wanted.loaders)
    training = Training(model, batches, plan, device, validate, run.path / run_folder.CHECKPOINTS, reporter)
    _restore(training, run, log)
    with stop_on_signals(log) as received, reporter:
        log(
            f"training {decided.parameters:,} parameters on {device.type} in {plan.precision} "
            f"with {decided.threads} threads into {run.path}"
        )
        try:
            training.fit(lambda: bool(received))
        except TrainingStoppedError:
            log(f"stopped at update {training.progress.update}; everything is saved, the same command continues")
            return 128 + received[0]
    end = training.progress
    outcome = Outcome(update=end.update, best=end.best, best_update=end.best_update, skipped=end.skipped)
    atomic.write_json(run.path / run_folder.OUTCOME, outcome.as_json())
    log(f"finished after {end.update} updates; best weights are of update {end.best_update}: nmt translate {run.path}")
    return 0


def validator(run: Run, model: TranslationModel, dataset: Dataset, device: torch.device, precision: str) -> Validator:
    """Scores a model in training on the validation split of the dataset."""
    recipe = run.recipe
    search = run.search_settings(beam=recipe.training.valid_beam)
    trained = TrainingStatistics(run.metadata.lengths.source.longest)
    sides, batch_tokens = (dataset.source, dataset.target), recipe.search.batch_tokens

    def translate(lines: Sequence[str]) -> list[str]:
        frozen = model.for_inference(device, resolve_precision(recipe.search.precision, device))
        translator = TorchTranslator(frozen, *sides, search, trained, batch_tokens=batch_tokens, device=device)
        return [found.text for found in translator.translate(lines)]

    batches = Batches(*dataset.valid, seed=0, batch_tokens=recipe.training.batch_tokens)
    return Validator(model, translate, dataset.corpus.valid, batches, recipe.data.target, device, precision)


def _restore(training: Training, run: Run, log: Log) -> None:
    """Restores the newest checkpoint, or the initial weights, and removes what a killed process left unfinished."""
    for name in WRITTEN:
        unfinished.discard(run.path / name)
    newest = checkpoints.newest(run.path / run_folder.CHECKPOINTS, log)
    if newest is not None:
        training.restore(newest)
        log(f"continuing from update {training.progress.update}")
    elif run.recipe.training.init_from:
        start_from(Run(Path(run.recipe.training.init_from)), training.model)
    for name in (run_folder.METRICS, run_folder.TIMING):
        cut_back(run.path / name, training.progress)


def start_from(other: Run, model: TranslationModel) -> None:
    """Puts another run's best weights into a model."""
    try:
        weights.put(model, dict(other.model().named_parameters()))
    except ValueError as error:
        raise UserError(
            f"training.init_from: {other.path}: {error}\nexpected a run with weights of the same model and vocabulary"
        ) from error


@contextlib.contextmanager
def stop_on_signals(log: Log) -> Iterator[list[int]]:
    """Collects the signals that ask training to stop; a second Ctrl-C raises `KeyboardInterrupt`."""
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if received and number == signal.SIGINT:
            raise KeyboardInterrupt
        received.append(number)
        log(f"{signal.Signals(number).name}: stopping after this update")

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
