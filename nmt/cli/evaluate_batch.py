"""`nmt evaluate --batch`: many runs on many test sets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from nmt.cli.output import logger, option_errors, print_text, say
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    from nmt.evaluation.averages import Averages
    from nmt.evaluation.averages_report import Format
    from nmt.evaluation.batch import Batch, Open, Outcome
    from nmt.evaluation.batch_file import BatchFile
    from nmt.evaluation.evaluate import Decoding
    from nmt.evaluation.languages import Languages
    from nmt.evaluation.testsets import TestSet
    from nmt.inference.open import Split
    from nmt.runs.run_folder import Run

ENDINGS: dict[Format, str] = {"text": "txt", "csv": "csv", "json": "json", "markdown": "md", "latex": "tex"}
"""Endings of the files of the results folder."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of the command line."""

    runs: list[str]
    tests: list[str]
    split: Literal["test", "valid"]
    baseline: Path | None
    languages: str | None
    reason: str | None
    beams: list[int]
    length_penalty: float | None
    precision: str | None
    split_lines: Split
    results: Path
    form: Format
    quiet: bool


def evaluate_batch(options: Options, open_run: Open) -> None:
    """Scores, writes the tables into the results folder, and prints them."""
    from nmt.evaluation import averages_report, batch

    log = logger(options.quiet)
    chosen = _plan(options, log)
    for line in chosen.left_out:
        log(line)
    batch.permit(chosen, options.reason)
    _check_writable(options.results)
    try:
        outcome = batch.score(chosen, lru_cache(maxsize=1)(open_run), options.reason, log)
    except KeyboardInterrupt:
        say("stopped; what is scored is kept in the run folders, the same command continues")
        raise typer.Exit(130) from None
    for line in outcome.errors:
        say(line)
    if outcome.results:
        found = batch.averaged(chosen, outcome)
        _write(found, outcome, options.results, log)
        print_text(averages_report.FORMATS[options.form](found).removesuffix("\n"))
        log(f"tables and figure: {options.results}")
    if outcome.errors:
        raise RunError(
            f"{len(outcome.errors)} of {len(chosen.scorings)} could not be scored, see above; "
            "the same command tries only these again"
        )


def _plan(options: Options, log: Callable[[str], None]) -> Batch:
    from nmt.evaluation import batch, systems, testsets
    from nmt.evaluation.selection import select

    file, patterns = _file(options.runs)
    tests = list(_tests(file, options))
    testsets.check_names([test for test, _ in tests])
    beams: list[int | None] = [*dict.fromkeys([*file.beam, *options.beams])] or [None]
    baseline = options.baseline or (Path(file.baseline) if file.baseline else None)

    def decodings(run: Run) -> list[Decoding]:
        with option_errors():
            return [
                systems.decoding(
                    run,
                    beam=beam,
                    length_penalty=options.length_penalty,
                    precision=options.precision,
                    split=options.split_lines,
                )
                for beam in beams
            ]

    own_test = lru_cache(lambda run: testsets.of_run(run, log, options.split))
    return batch.plan(select([*file.runs, *patterns], baseline), tests, decodings, own_test)


def _file(runs: Sequence[str]) -> tuple[BatchFile, list[str]]:
    """The YAML file among the arguments, and the others."""
    from nmt.evaluation import batch_file

    files = [each for each in runs if each.endswith((".yaml", ".yml"))]
    if len(files) > 1:
        raise UserError(f"--batch: expected at most one YAML file, found {', '.join(files)}")
    read = batch_file.read(Path(files[0])) if files else batch_file.BatchFile()
    return read, [each for each in runs if each not in files]


def _tests(file: BatchFile, options: Options) -> Iterator[tuple[TestSet, Languages | None]]:
    """Test sets with their languages, if these are named."""
    from nmt.evaluation import languages, testsets

    named = languages.parse(options.languages) if options.languages else None
    for name, pair in file.tests.items():
        own = languages.parse(pair.languages) if pair.languages else named
        yield testsets.from_files(name, Path(pair.source), Path(pair.reference)), own
    for argument in options.tests:
        yield testsets.read(argument), named


def _check_writable(folder: Path) -> None:
    """Raises before anything is translated if its scores could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--results: {folder} cannot be made ({error.strerror}); name another folder") from error
    if not os.access(folder, os.W_OK):
        raise UserError(f"--results: {folder} is not writable; name another folder")


def _write(found: Sequence[Averages], outcome: Outcome, folder: Path, log: Callable[[str], None]) -> None:
    """``scores`` in every form, ``runs.csv`` with a line for each run, and the figure if matplotlib is installed."""
    from nmt import atomic
    from nmt.evaluation import averages_report, report
    from nmt.lab.plotting import scores, style

    for form, write in averages_report.FORMATS.items():
        atomic.write_file(folder / f"scores.{ENDINGS[form]}", write(found))
    records = [result.as_json() for result in outcome.results.values()]
    atomic.write_file(folder / "runs.csv", report.csv_text(records))
    try:
        style.require_matplotlib()
    except UserError as error:
        log(f"no figure: {error}")
        return
    style.save(scores.draw(found), folder / "scores")
