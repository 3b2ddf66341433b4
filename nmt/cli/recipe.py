"""`nmt recipe show` and `nmt recipe schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Print recipes and their schema.", no_args_is_help=True)


@app.command()
def show(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/de-en.yaml.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Keys of the recipe to change.")
    ] = None,
) -> None:
    """Print a recipe with overrides and all defaults.

    Example: nmt recipe show recipes/de-en.yaml model.attention=none
    """
    from nmt.recipe import reading

    typer.echo(reading.dump(reading.read(recipe, overrides or [])), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for completion in editors.

    Example: nmt recipe schema > recipe.schema.json
    """
    from nmt.recipe import reading

    typer.echo(reading.schema())
