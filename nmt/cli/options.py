"""Options of several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from nmt.cli import completion

RecipeFile: TypeAlias = Annotated[
    Path, typer.Argument(help="A recipe, such as recipes/de-en.yaml.", autocompletion=completion.recipes)
]
Overrides: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Keys of the recipe to change.", autocompletion=completion.keys),
]
RunOrBundle: TypeAlias = Annotated[
    Path, typer.Argument(help="A run folder or a bundle.", autocompletion=completion.runs)
]
Test: TypeAlias = Annotated[
    str | None,
    typer.Option("--test", metavar="NAME=SRC,REF", help="Two files; by default the recipe's test set."),
]
Beam: TypeAlias = Annotated[int | None, typer.Option("--beam", min=1, max=1000, help="Instead of the recipe's beam.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="As JSON.")]
Quiet: TypeAlias = Annotated[bool, typer.Option("-q", "--quiet", help="Only the result and errors.")]
Device: TypeAlias = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option("--device", help="Where to compute; auto uses a GPU if there is one."),
]
Engine: TypeAlias = Annotated[
    Literal["auto", "torch", "ctranslate2"],
    typer.Option("--engine", help="auto uses the export of the run if you made one here; ctranslate2 any that it has."),
]
Workers: TypeAlias = Annotated[
    int | None, typer.Option("--workers", min=1, help="Number of parallel processes with one thread each.")
]
Precision: TypeAlias = Annotated[
    Literal["auto", "fp32", "bf16"] | None,
    typer.Option(
        "--precision",
        help="Instead of the recipe's; auto uses bf16, which is faster, if the hardware supports it.",
    ),
]
Demo: TypeAlias = Annotated[
    bool, typer.Option("--demo", help="A small model that ships with nmt, German to English, instead of a run.")
]
Protect: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--protect/--no-protect",
        help="Whether numbers, addresses, file names, placeholders, tags, code and emoji stay as they are.",
    ),
]
Split: TypeAlias = Annotated[
    Literal["auto", "always", "never"],
    typer.Option(
        "--split",
        help="Whether lines are split into sentences; auto splits unless the run was trained on lines of several.",
    ),
]
