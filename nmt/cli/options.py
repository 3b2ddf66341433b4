"""Options of several commands."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

Quiet: TypeAlias = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")]
Device: TypeAlias = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option("--device", help="Where to compute; auto uses a GPU if there is one."),
]
Precision: TypeAlias = Annotated[
    Literal["auto", "fp32", "bf16"] | None,
    typer.Option(
        "--precision",
        help="Instead of the recipe's; auto uses bf16, which is faster, if the hardware supports it.",
    ),
]
