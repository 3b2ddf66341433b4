"""`nmt experiment`: a question about memory, asked of small models."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.output import logger, print_json
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.lab.experiments.experiment import Options, Outcome
    from nmt.lab.experiments.record import Record


def experiment(
    name: Annotated[str | None, typer.Argument(help="Which experiment; without it they are listed.")] = None,
    cells: Annotated[
        str | None, typer.Option("--cells", metavar="A,B", help="Models to compare, instead of all.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", help="Seeds, 1 to N.")] = None,
    updates: Annotated[int | None, typer.Option("--updates", metavar="N", help="Updates of training.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="Which task, for an experiment with several.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="A run folder, for an experiment that looks at one.")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the experiments and what they ask.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything as JSON: rows, conditions, claims, details, commit, versions.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Also write NAME.json, .svg and .png there, NAME-TASK with --task."),
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors besides the table.")] = False,
) -> None:
    """Measure a claim of the story of memory, in minutes, with the very models that translate.

    Prints a table with its conditions, and for each claim the number and whether it holds.

    Examples:

      nmt experiment

      nmt experiment order

      nmt experiment span --cells tanh,lstm --seeds 1 --updates 500

      nmt experiment gates --json --out docs/results/experiments
    """
    from nmt.lab.experiments.experiment import Options

    if name is None or list_all:
        _list(as_json)
        return
    if out is not None:
        _check(out)
    names = None if cells is None else tuple(each.strip() for each in cells.split(","))
    outcome, record = _measure(name, Options(cells=names, seeds=seeds, updates=updates, task=task, run=run), quiet)
    _print(record, as_json)
    if out is not None:
        _write(out / (f"{name}-{task}" if task else name), outcome, record)


def _list(as_json: bool) -> None:
    from nmt.lab.experiments.registry import EXPERIMENTS

    if as_json:
        print_json({name: entry.question for name, entry in EXPERIMENTS.items()})
        return
    for name, entry in EXPERIMENTS.items():
        print(f"{name:<12}{entry.question}")


def _measure(name: str, asked: Options, quiet: bool) -> tuple[Outcome, Record]:
    from nmt.lab.experiments.record import make
    from nmt.lab.experiments.registry import find

    begun, answer = time.monotonic(), find(name)
    outcome = answer(asked, logger(quiet))
    return outcome, make(name, asked, outcome, time.monotonic() - begun)


def _print(record: Record, as_json: bool) -> None:
    from nmt.lab.experiments.record import text

    if as_json:
        print_json(record)
    else:
        print(text(record))


def _check(out: Path) -> None:
    """Refuses before minutes of training what could not be written after them."""
    from nmt.lab.plotting import style

    style.require_matplotlib()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {out} cannot be made ({error.strerror}); name another folder") from error
    if not os.access(out, os.W_OK):
        raise UserError(f"--out: {out} may not be written to; name another folder")


def _write(stem: Path, outcome: Outcome, record: Record) -> None:
    """STEM.json, and STEM.svg and STEM.png where there is something to draw; each whole."""
    from nmt import atomic
    from nmt.lab.plotting import style

    atomic.write_json(stem.with_name(f"{stem.name}.json"), record)
    if outcome.figure is not None:
        style.save(outcome.figure(), stem)
