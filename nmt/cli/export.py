"""`nmt export`: a run for another engine, with a report that compares the translations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nmt.cli.options import AsJson, Quiet, Test
from nmt.cli.output import logger, print_json, print_text

if TYPE_CHECKING:
    from nmt.evaluation.testsets import TestSet
    from nmt.runs.run_folder import Run


def export(
    run: Annotated[Path, typer.Argument(help="A run folder of a Transformer.")],
    to: Annotated[Literal["ctranslate2"], typer.Option("--to", help="The engine.")],
    quantization: Annotated[
        Literal["float32", "int8"], typer.Option("--quantization", help="Precision of the weights.")
    ] = "float32",
    test: Test = None,
    sentences: Annotated[
        int, typer.Option("--sentences", min=1, help="Number of its sentences to compare both on.")
    ] = 1000,
    allowed_loss: Annotated[
        float, typer.Option("--allowed-loss", min=0.0, help="BLEU that the export may lose.")
    ] = 0.3,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Export a Transformer to RUN/ctranslate2, which nmt translate then uses.

    Both translate the test set by greedy search, by beam search, and with the settings of the run. In float32 texts
    and probabilities must be equal; BLEU may not fall by more than --allowed-loss. Otherwise nothing is exported. An
    earlier export is replaced.

    Examples:

      nmt export runs/de-en-transformer --to ctranslate2

      nmt export runs/de-en-transformer --to ctranslate2 --quantization int8
    """
    from nmt.export.export import export as start
    from nmt.inference import exports
    from nmt.runs.files import EXPORT
    from nmt.runs.run_folder import Run

    opened, say = Run(run), logger(quiet)
    exports.check(opened, quantization)
    compared = _compared(opened, test, quiet)
    source, references = compared.source[:sentences], compared.references[:sentences]
    parity = start(opened, quantization, source, references, allowed_loss=allowed_loss, log=say)
    if as_json:
        print_json(parity.as_json())
    else:
        print_text("\n".join(parity.lines()))
    say(f"exported to {run / EXPORT}: nmt translate {run}")


def _compared(run: Run, test: str | None, quiet: bool) -> TestSet:
    from nmt.evaluation import testsets

    return testsets.read(test) if test else testsets.of_run(run, logger(quiet))
