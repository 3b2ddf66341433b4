"""`nmt bench`: how fast a run trains and translates on this machine."""

from __future__ import annotations

import shlex
import sys
import time
from enum import StrEnum
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli.output import logger, print_json


class Precision(StrEnum):
    """What translations may be computed in."""

    FP32 = "fp32"
    BF16 = "bf16"


def bench(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    threads: Annotated[
        list[int] | None, typer.Option("--threads", min=1, help="May be repeated; by default what torch finds.")
    ] = None,
    workers: Annotated[
        list[int] | None, typer.Option("--workers", min=1, help="Also translate by that many; may be repeated.")
    ] = None,
    beam: Annotated[
        list[int] | None, typer.Option("--beam", min=1, help="May be repeated; by default the recipe's.")
    ] = None,
    precision: Annotated[
        list[Precision] | None, typer.Option("--precision", help="To translate in; may be repeated, by default fp32.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Option("--test", metavar="NAME=SRC,REF", help="Text to work on; by default the recipe's test set."),
    ] = None,
    sentences: Annotated[int, typer.Option("--sentences", min=1, help="How many of its sentences to translate.")] = 200,
    updates: Annotated[
        int, typer.Option("--updates", min=1, help="Updates to time, after ten that are not counted.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors besides the table.")] = False,
) -> None:
    """Time updates and translations of a run, each in a process of its own.

    Training: target pieces a second, the parts of an update, and what share it is of the machine's rate of matrix products.
    Translating: by torch, and by the run's export if it has one. Starting: until the help, and until a first translation.
    Nothing in the run is changed. Figures hold for an idle machine only.

    Examples:

      nmt bench runs/de-en

      nmt bench runs/de-en-transformer --threads 1 --threads 2 --workers 2 --beam 1 --beam 5 --precision bf16 --json
    """
    from nmt.evaluation import report, testsets
    from nmt.inference.ctranslate2 import open_export
    from nmt.lab.bench import alone, of_run
    from nmt.lab.bench.cases import available_precisions
    from nmt.lab.bench.tables import table
    from nmt.provenance import origin
    from nmt.runs.run_folder import Run

    opened, say, begun = Run(run), logger(quiet), time.monotonic()
    opened.check()
    compared = testsets.read(test) if test else testsets.of_run(opened, say)
    text = of_run.Text(compared.source, compared.references)
    few = of_run.Text(text.source[:sentences], text.target[:sentences])
    exported = (export := open_export(opened)) is not None and not export.fault(opened)
    ways = [("torch", str(each)) for each in precision or [Precision.FP32]] + (
        [("ctranslate2", "")] if exported else []
    )
    say("starting")
    rows: list[dict[str, Any]] = [of_run.start(run, next(filter(str.strip, few.source), ""))]
    for count in threads or [_threads()]:
        for each in available_precisions("cpu"):
            say(f"training in {each}, threads: {count}")
            rows.append({"threads": count} | alone.measured(of_run.train, run, text, each, updates, threads=count))
    sharing = [{"threads": count} for count in threads or [_threads()]] + [
        {"workers": count} for count in workers or []
    ]
    for shared, width, (engine, each) in product(sharing, beam or [opened.recipe.search.beam], ways):
        say(f"translating by {engine} {each}, beam {width}, {shared}")
        count = shared.get("threads", 1)
        rows.append(
            shared
            | alone.measured(
                of_run.translate, run, few, engine, shared.get("workers"), count, width, each, threads=count
            )
        )
    if as_json:
        about = {"lines": len(few.source), "updates": updates, "test": compared.name}
        found = {"conditions": about, "claims": of_run.claims(run, rows), "rows": rows}
        print_json({**origin(shlex.join(["nmt", *sys.argv[1:]]), time.monotonic() - begun), **found})
    else:
        for work in ("train", "translate", "start"):
            print(report.text(table([row for row in rows if row["work"] == work])))


def _threads() -> int:
    import torch

    return torch.get_num_threads()
