"""`nmt evaluate`."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from nmt.cli.options import Beam, Device, Precision, Quiet
from nmt.cli.output import console, logger, option_errors, print_json, print_text

if TYPE_CHECKING:
    from nmt.atomic import JsonObject
    from nmt.evaluation.evaluate import Decoding, Result
    from nmt.evaluation.significance import Difference
    from nmt.evaluation.testsets import TestSet
    from nmt.runs.run_folder import Run

    Differences: TypeAlias = list[tuple[Difference, ...]]

WINDOW = 1024
"""Sentences between two updates of the progress bar."""


def evaluate(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Run folders or bundles; the second and further ones are compared with the first."
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
    beam: Beam = None,
    length_penalty: Annotated[
        float | None, typer.Option("--length-penalty", min=0.0, help="Instead of the recipe's.")
    ] = None,
    precision: Precision = None,
    device: Device = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything as JSON: a list with an object for each test set.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Score runs by BLEU, chrF2 and TER with 95 % intervals and signatures.

    Outputs and scores are kept in the run folder; the command line of sacrebleu can score the outputs again. A test set
    that was scored with other settings or weights is refused: choose settings by --split valid, or give a --reason.

    Examples:

      nmt evaluate runs/de-en

      nmt evaluate runs/de-en --split valid --length-penalty 1.0

      nmt evaluate runs/de-en-thought-vector runs/de-en --test news=news.de,news.en --by-length
    """
    from nmt.evaluation import evaluation_log, systems, testsets
    from nmt.evaluation.evaluate import compare
    from nmt.runs.run_folder import Run

    say = logger(quiet)
    opened = [Run(path) for path in runs]
    for run in opened:
        run.check()
    named = [testsets.read(argument) for argument in test or []]
    testsets.check_names(named)
    groups = [[(run, each) for run in opened] for each in named] or [
        [(run, testsets.of_run(run, say, split)) for run in opened]
    ]
    with option_errors():
        decodings = {
            run: systems.decoding(run, beam=beam, length_penalty=length_penalty, precision=precision) for run in opened
        }
    for run, each in chain(*groups):
        evaluation_log.permit(run, each, [decodings[run]], reason)
    reports = []
    for group in groups:
        results = [_score(run, each, decodings[run], device, by_length, reason, quiet) for run, each in group]
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


def _score(
    run: Run, test: TestSet, decoding: Decoding, device: str, by_length: bool, reason: str | None, quiet: bool
) -> Result:
    from rich.progress import track

    from nmt.evaluation import systems
    from nmt.inference.open import open_translator

    translator = open_translator(
        run, "torch", device=device, precision=decoding.precision, search=decoding.search, split="never"
    )

    def translate(sentences: list[str]) -> list[str]:
        shown = f"{run.path} on {test.name}"
        found = track(
            translator.stream(sentences, WINDOW),
            shown,
            len(sentences),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        return [each.text for each in found]

    logger(quiet)(f"{run.path}: translating {len(test.source):,} sentences of {test.name}")
    return systems.score(run, test, decoding, translate, by_length=by_length, reason=reason)


def _as_json(results: list[Result], differences: Differences) -> JsonObject:
    return {
        "results": [result.as_json() for result in results],
        "against_first": [[each.as_json() for each in row] for row in differences],
    }


def _print(results: list[Result], differences: Differences, by_length: bool) -> None:
    from nmt.evaluation import report

    records = [result.as_json() for result in results]
    print_text(report.text(report.scores_table(records, differences)))
    for record in records if by_length else []:
        print_text(f"{record['run']} on {record['test']}\n{report.text(report.lengths_table(record))}")
    for note in dict.fromkeys(f"{record['run']}: {note}" for record in records for note in record["notes"]):
        print_text(f"note: {note}")
