"""`nmt experiment`: a question about memory in neural networks, answered with small models."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nmt.cli import completion
from nmt.cli.options import Quiet
from nmt.cli.output import logger, print_json, print_text
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.atomic import JsonObject
    from nmt.lab.experiments.experiment import Outcome


def experiment(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Name of the experiment; without it all are listed.", autocompletion=completion.experiments
        ),
    ] = None,
    cells: Annotated[
        str | None, typer.Option("--cells", metavar="A,B", help="Models to compare, instead of all.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", help="Seeds, 1 to N.")] = None,
    updates: Annotated[int | None, typer.Option("--updates", metavar="N", help="Updates of training.")] = None,
    task: Annotated[str | None, typer.Option("--task", help="The task, for an experiment with several.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="A run folder, for an experiment on a trained translator.")
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"] | None,
        typer.Option("--device", help="Where to compute; by default on the CPU, as the published results."),
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the experiments and their questions.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything as JSON: rows, conditions, claims, details, commit, versions.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Also write NAME.json, .svg and .png there, NAME-TASK with --task."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure a claim about memory in neural networks, in minutes, with models of the same code as translators.

    Prints a table with its conditions, and for each claim the number and whether it holds.

    Examples:

      nmt experiment

      nmt experiment order

      nmt experiment span --cells tanh,lstm --seeds 1 --updates 500

      nmt experiment gates --json --out docs/results/experiments
    """
    from nmt.lab.experiments import record
    from nmt.lab.experiments.experiment import Options, find

    if name is None or list_all:
        _list(as_json)
        return
    if out is not None:
        _check_writable(out)
    names = None if cells is None else tuple(each.strip() for each in cells.split(","))
    options = Options(cells=names, seeds=seeds, updates=updates, task=task, run=run, device=device)
    start, chosen = time.monotonic(), find(name)
    outcome = chosen(options, logger(quiet))
    made = record.as_json(name, options, outcome, time.monotonic() - start)
    if as_json:
        print_json(made)
    else:
        print_text(record.text(made))
    if out is not None:
        _write(out / (f"{name}-{task}" if task else name), made, outcome)


def _list(as_json: bool) -> None:
    from nmt.lab.experiments.experiment import EXPERIMENTS

    if as_json:
        print_json({name: entry.question for name, entry in EXPERIMENTS.items()})
        return
    for name, entry in EXPERIMENTS.items():
        print_text(f"{name:<12}{entry.question}")


def _check_writable(out: Path) -> None:
    """Raises before minutes of training if their results could not be written."""
    from nmt.lab.plotting import style

    style.require_matplotlib()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {out} cannot be made ({error.strerror}); name another folder") from error
    if not os.access(out, os.W_OK):
        raise UserError(f"--out: {out} is not writable; name another folder")


def _write(stem: Path, record: JsonObject, outcome: Outcome) -> None:
    """STEM.json, and STEM.svg and STEM.png if there is a figure, each atomically."""
    from nmt import atomic
    from nmt.lab.plotting import style

    atomic.write_json(stem.with_name(f"{stem.name}.json"), record)
    if outcome.figure is not None:
        style.save(outcome.figure(), stem)
