"""`nmt convert`: run folders and bundles of an older version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nmt.cli.options import Quiet
from nmt.cli.output import logger


def convert(
    run: Annotated[Path, typer.Argument(help="A run folder or a bundle of an older version.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the converted run; by default it replaces the old one.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Convert a run of format 1 to format 2: the same weights, vocabulary, checkpoints and scores under new names.

    Translations stay the same to the bit, and nmt train continues from its checkpoints. The run is replaced once all of
    it is converted, so that nothing is lost if the command is stopped.

    Examples:

      nmt convert runs/de-en

      nmt convert de-en.nmt --out de-en-2.nmt
    """
    from nmt.runs import conversion

    logger(quiet)(f"converted: {conversion.convert(run, out)}")
