"""`nmt train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt.cli.options import Overrides, Quiet, RecipeFile
from nmt.cli.output import console, logger


def train(
    recipe: RecipeFile,
    overrides: Overrides = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The run folder; by default runs/NAME of the recipe.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Delete the content of the run folder and start again.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train a model, or continue a run that was interrupted.

    The same command on the same run folder continues it; a higher limit (training.updates=5000) continues a finished
    run. Ctrl-C saves and stops.

    Examples:

      nmt train recipes/de-en.yaml

      nmt train recipes/de-en.yaml model.attention=none training.updates=500 --run runs/short

      nmt train recipes/de-en.yaml data.corpus=null data.train=mine.tsv data.source=fr --run runs/mine
    """
    from nmt.recipe import reading

    read = reading.read(recipe, overrides or [])
    from nmt.runs import run_folder  # imports torch
    from nmt.training.begin import train as start

    code = start(
        read, run or run_folder.RUNS / str(read.name), restart=restart, log=logger(quiet), console=console, quiet=quiet
    )
    raise typer.Exit(code)
