"""`nmt evaluate`."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, TypeAlias

import typer

from nmt.cli import evaluate_batch
from nmt.cli.options import Device, Precision, Quiet
from nmt.cli.output import console, logger, option_errors, print_json, print_text
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.atomic import JsonObject
    from nmt.evaluation.evaluate import Decoding, Result, Translate
    from nmt.evaluation.significance import Difference
    from nmt.inference.open import Split
    from nmt.runs.run_folder import Run

    Differences: TypeAlias = list[tuple[Difference, ...]]

BATCH = "With --batch"
"""The options of a batch, in the help."""
WINDOW = 1024
"""Sentences between two updates of the progress bar."""


def evaluate(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Run folders or bundles; the second and further ones are compared with the first. With --batch also "
            "patterns such as 'runs/*', and one YAML file.",
        ),
    ],
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="NAME=SRC,REF", help="Two files; by default the recipe's test set."),
    ] = None,
    split: Annotated[
        Literal["test", "valid"],
        typer.Option("--split", help="Split of the recipe's corpus; choose settings by valid."),
    ] = "test",
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="Why a test set is scored with other settings.")
    ] = None,
    by_length: Annotated[bool, typer.Option("--by-length", help="Also BLEU by source length.")] = False,
    beam: Annotated[
        list[int] | None,
        typer.Option("--beam", min=1, help="Instead of the recipe's beam; with --batch it may be repeated."),
    ] = None,
    length_penalty: Annotated[
        float | None, typer.Option("--length-penalty", min=0.0, help="Instead of the recipe's.")
    ] = None,
    precision: Precision = None,
    split_lines: Annotated[
        Literal["auto", "always", "never"],
        typer.Option(
            "--split-lines",
            help="Whether lines are split into sentences, as nmt translate does; a test set is scored as it is.",
        ),
    ] = "never",
    device: Device = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything as JSON: a list with an object for each test set.")
    ] = False,
    quiet: Quiet = False,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch", help="Many runs; those that differ in the seed alone are one row.", rich_help_panel=BATCH
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="RUN",
            help="Add differences from this run and its other seeds, with p-values.",
            rich_help_panel=BATCH,
        ),
    ] = None,
    languages: Annotated[
        str | None,
        typer.Option(
            "--languages",
            metavar="SRC-TGT",
            help="Languages of the test sets, if they are not the endings of the files.",
            rich_help_panel=BATCH,
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            "--results",
            metavar="DIR",
            help="Folder of the tables and the figure; by default results.",
            rich_help_panel=BATCH,
        ),
    ] = None,
    form: Annotated[
        Literal["text", "csv", "json", "markdown", "latex"] | None,
        typer.Option("--format", help="What is printed; the folder has all forms.", rich_help_panel=BATCH),
    ] = None,
) -> None:
    """Score runs by BLEU, chrF2 and TER with 95 % intervals and signatures.

    Outputs and scores are kept in the run folder; the command line of sacrebleu can score the outputs again. A test set
    that was scored with other settings or weights is refused: choose settings by --split valid, or give a --reason.

    Examples:

      nmt evaluate runs/de-en

      nmt evaluate runs/de-en --split valid --length-penalty 1.0

      nmt evaluate runs/de-en-thought-vector runs/de-en --test news=news.de,news.en --by-length

      nmt evaluate --batch 'runs/*' --baseline runs/de-en-1 --test news=news.de,news.en --results results/news
    """
    if batch:
        options = evaluate_batch.Options(
            runs=runs,
            tests=test or [],
            split=split,
            baseline=baseline,
            languages=languages,
            reason=reason,
            beams=beam or [],
            length_penalty=length_penalty,
            precision=precision,
            split_lines=split_lines,
            results=results or Path("results"),
            form=form or ("json" if as_json else "text"),
            quiet=quiet,
        )
        if by_length:
            raise UserError("--by-length: not with --batch; runs.csv names the outputs of each run")
        evaluate_batch.evaluate_batch(options, lambda run, decoding: _translator(run, decoding, device, quiet))
        return
    for name, given in (("baseline", baseline), ("languages", languages), ("results", results), ("format", form)):
        if given is not None:
            raise UserError(f"--{name}: only with --batch")
    if len(beam or []) > 1:
        raise UserError("--beam: given twice; several beams are compared with --batch")
    tests = _Tests(test or [], split, reason)
    _compare(
        runs,
        tests,
        by_length,
        beam[0] if beam else None,
        length_penalty,
        precision,
        split_lines,
        device,
        as_json,
        quiet,
    )


class _Tests(NamedTuple):
    """The test sets to score, and why they are scored in another way than before."""

    named: list[str]
    split: Literal["test", "valid"]
    reason: str | None


def _compare(
    runs: list[str],
    tests: _Tests,
    by_length: bool,
    beam: int | None,
    length_penalty: float | None,
    precision: str | None,
    split_lines: Split,
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    from nmt.evaluation import evaluation_log, systems, testsets
    from nmt.evaluation.evaluate import compare
    from nmt.runs.run_folder import Run

    say = logger(quiet)
    opened = [Run(Path(path)) for path in runs]
    for run in opened:
        run.check()
    named = [testsets.read(argument) for argument in tests.named]
    testsets.check_names(named)
    groups = [[(run, each) for run in opened] for each in named] or [
        [(run, testsets.of_run(run, say, tests.split)) for run in opened]
    ]
    with option_errors():
        decodings = {
            run: systems.decoding(run, beam=beam, length_penalty=length_penalty, precision=precision, split=split_lines)
            for run in opened
        }
    for run, each in chain(*groups):
        evaluation_log.permit(run, each, [decodings[run]], tests.reason)
    reports = []
    for group in groups:
        results = []
        for run, each in group:
            say(f"{run.path}: translating {len(each.source):,} sentences of {each.name}")
            translate = _translator(run, decodings[run], device, quiet)
            scored = systems.score(run, each, decodings[run], translate, by_length=by_length, reason=tests.reason)
            results.append(scored)
        differences: Differences = compare(results) if len(results) > 1 else []
        for warning in dict.fromkeys(
            f"{result.run}: {warning}" for result in results for warning in result.scores.warnings
        ):
            say(f"warning: {warning}")
        if as_json:
            reports.append(_as_json(results, differences))
        else:
            _print(results, differences, by_length)
    if as_json:
        print_json(reports)


def _translator(run: Run, decoding: Decoding, device: str, quiet: bool) -> Translate:
    """Translates with a progress bar."""
    from rich.progress import track

    from nmt.inference.open import open_translator

    translator = open_translator(
        run, "torch", device=device, precision=decoding.precision, search=decoding.search, split=decoding.split
    )

    def translate(sentences: list[str]) -> list[str]:
        found = track(
            translator.stream(sentences, WINDOW),
            str(run.path),
            len(sentences),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        return [each.text for each in found]

    return translate


def _as_json(results: list[Result], differences: Differences) -> JsonObject:
    return {
        "results": [result.as_json() for result in results],
        "against_first": [[each.as_json() for each in row] for row in differences],
    }


def _print(results: list[Result], differences: Differences, by_length: bool) -> None:
    from nmt.evaluation import report

    records = [result.as_json() for result in results]
    print_text(report.text(report.scores_table(records), report.WIDTH))
    if differences:
        print_text(report.text(report.differences_table(records, differences), report.WIDTH))
    for record in records if by_length else []:
        print_text(f"{record['run']} on {record['test']}\n{report.text(report.lengths_table(record))}")
    for note in dict.fromkeys(f"{record['run']}: {note}" for record in records for note in record["notes"]):
        print_text(f"note: {note}")
