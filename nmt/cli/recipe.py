"""`nmt recipe show`, `nmt recipe explain` and `nmt recipe schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from nmt.cli import completion
from nmt.cli.help import Command, Group
from nmt.cli.options import Overrides, RecipeFile

app = typer.Typer(cls=Group, help="Show recipes, and explain their keys.", no_args_is_help=True)


@app.command(cls=Command)
def show(
    recipe: RecipeFile,
    overrides: Overrides = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each key means in a comment behind it.")] = False,
) -> None:
    """Print a recipe with overrides and all defaults.

    Examples:

      nmt recipe show recipes/de-en.yaml model.attention=none

      nmt recipe show recipes/de-en.yaml --explain > mine.yaml
    """
    from nmt.recipe import reading

    read = reading.read(recipe, overrides or [])
    typer.echo(reading.dump(read, explain=explain), nl=False)


@app.command("explain", cls=Command)
def explain_key(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY", help="A key, a section, or the last part of a key.", autocompletion=completion.key_names
        ),
    ] = None,
) -> None:
    """Print what keys of a recipe mean, what they accept, and their defaults; without a key, those of all.

    Examples:

      nmt recipe explain training.select

      nmt recipe explain search

      nmt recipe explain beam
    """
    from nmt.recipe import explain

    every = [entry for section in explain.sections() for entry in section.entries]
    found = [entry for key in keys for entry in explain.find(key)] if keys else every
    typer.echo("\n".join(map(str, dict.fromkeys(found))))


@app.command(cls=Command)
def schema() -> None:
    """Print the JSON Schema of recipes, for completion in editors.

    Example: nmt recipe schema > recipe.schema.json
    """
    from nmt.recipe import reading

    typer.echo(reading.schema())
