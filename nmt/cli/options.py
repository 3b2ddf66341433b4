"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import typer

Quiet: TypeAlias = Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")]
Device: TypeAlias = Annotated[
    Literal["auto", "cpu", "cuda", "mps"],
    typer.Option("--device", help="Where to compute; auto takes a GPU where there is one."),
]
Precision: TypeAlias = Annotated[
    Literal["auto", "fp32", "bf16"] | None,
    typer.Option(
        "--precision",
        help="Instead of the recipe's; auto takes bf16, which is faster, where the hardware computes in it.",
    ),
]
