"""`nmt train`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli import completion
from nmt.cli.options import Overrides, Quiet
from nmt.cli.output import console, logger

LIMITS = ("updates", "epochs", "minutes")
"""Keys of the section `training` that may be given without its name."""


def train(
    recipe: Annotated[
        Path,
        typer.Argument(
            help="A recipe, such as recipes/de-en.yaml, or the folder of a run to continue.",
            autocompletion=completion.recipes_and_runs,
        ),
    ],
    overrides: Overrides = None,
    run: Annotated[
        Path | None,
        typer.Option("--run", help="The run folder; by default that of the recipe, or runs/NAME of a new one."),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Delete the content of the run folder and start again.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train a model, or continue a run that was interrupted.

    The same command on the same run folder continues it, and so does the folder alone. A higher limit continues a
    finished run, with more text if data.extra names some. updates, epochs and minutes need no "training." in front.
    Ctrl-C saves and stops.

    Examples:

      nmt train recipes/de-en.yaml

      nmt train recipes/de-en.yaml model.attention=none updates=500 --run runs/short

      nmt train recipes/de-en.yaml data.corpus=null data.train=mine.tsv data.source=fr --run runs/mine

      nmt train runs/mine updates=9000 data.extra=[more.tsv]
    """
    from nmt.recipe import reading
    from nmt.runs import run_folder

    saved = run_folder.saved_recipe(recipe)
    read = reading.read(saved or recipe, limited(overrides or [], replacing=bool(saved)))
    from nmt.training.begin import train as start  # imports torch

    folder = run or (saved.parent if saved else run_folder.RUNS / str(read.name))
    code = start(read, folder, restart=restart, log=logger(quiet), console=console, quiet=quiet)
    raise typer.Exit(code)


def limited(overrides: Sequence[str], *, replacing: bool) -> list[str]:
    """Overrides in which limits are keys of `training`; ``replacing`` those that are not named where one is."""
    full = [f"training.{each}" if each.partition("=")[0] in LIMITS else each for each in overrides]
    named = [key for key in LIMITS if any(each.startswith(f"training.{key}=") for each in full)]
    other = [f"training.{key}=null" for key in LIMITS if key not in named] if named and replacing else []
    return [*other, *full]
