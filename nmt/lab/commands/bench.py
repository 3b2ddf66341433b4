"""`nmt bench`: how fast a run trains and translates on this machine."""

from __future__ import annotations

import shlex
import sys
import time
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.options import AsJson, Device, Quiet, RunOrBundle, Test
from nmt.cli.output import logger, print_json, print_text
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.inference.open import Engine


class Precision(StrEnum):
    """Precisions to translate in; an option that may be repeated takes no `Literal`."""

    FP32 = "fp32"
    BF16 = "bf16"


def bench(
    run: RunOrBundle,
    threads: Annotated[
        list[int] | None, typer.Option("--threads", min=1, help="May be repeated; by default what torch finds.")
    ] = None,
    workers: Annotated[
        list[int] | None,
        typer.Option("--workers", min=1, help="Also translate with so many processes; may be repeated."),
    ] = None,
    beam: Annotated[
        list[int] | None, typer.Option("--beam", min=1, max=1000, help="May be repeated; by default the recipe's.")
    ] = None,
    precision: Annotated[
        list[Precision] | None, typer.Option("--precision", help="To translate in; may be repeated, by default fp32.")
    ] = None,
    device: Device = "auto",
    test: Test = None,
    sentences: Annotated[int, typer.Option("--sentences", min=1, help="Number of its sentences to translate.")] = 200,
    updates: Annotated[
        int, typer.Option("--updates", min=1, help="Updates to time, after ten that are not counted.")
    ] = 20,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Time updates and translations of a run, each in a separate process.

    Training: target tokens a second, the phases of an update, and its share of the machine's rate of matrix products.
    Translating: by torch, and on a CPU by the run's export if it has one. Starting: until the help, and until a first
    translation. The run is not changed. Figures hold for an idle machine only.

    Examples:

      nmt bench runs/de-en

      nmt bench runs/de-en-transformer --threads 1 --threads 2 --workers 2 --beam 1 --beam 5 --precision bf16 --json
    """
    import torch

    from nmt.evaluation import report, testsets
    from nmt.inference.open import find_export
    from nmt.lab.bench import runs
    from nmt.lab.bench.cases import available_precisions
    from nmt.lab.bench.machine import in_process
    from nmt.lab.bench.tables import Row, table
    from nmt.models.device import find_device
    from nmt.provenance import origin
    from nmt.runs.run_folder import Run

    opened, log, begun, place = Run(run), logger(quiet), time.monotonic(), find_device(device).type
    if workers and place != "cpu":
        raise UserError(f"--workers: processes compute on the CPU, found --device {place}; leave one of them out")
    opened.check()
    compared = testsets.read(test) if test else testsets.of_run(opened, log)
    text = runs.Text(compared.source, compared.references)
    few = runs.Text(text.source[:sentences], text.target[:sentences])
    export = find_export(opened, "auto", log) if place == "cpu" else None
    engines: list[tuple[Engine, str]] = [("torch", str(each)) for each in precision or [Precision.FP32]]
    if export is not None:
        engines.append(("ctranslate2", ""))
    log("starting")
    rows: list[Row] = [runs.start(run, next(filter(str.strip, few.source), ""))]
    counts = threads or [torch.get_num_threads()]
    for count in counts:
        for each in available_precisions(place):
            log(f"training in {each}, threads: {count}")
            rows.append({"threads": count} | in_process(runs.train, run, text, place, each, updates, threads=count))
    sharing = [{"threads": count} for count in counts] + [{"workers": count} for count in workers or []]
    for shared, width, (engine, each) in product(sharing, beam or [opened.recipe.search.beam], engines):
        log(f"translating by {engine} {each}, beam {width}, {shared}")
        count = shared.get("threads", 1)
        how = engine, place, shared.get("workers"), count, width, each
        rows.append(shared | in_process(runs.translate, run, few, *how, threads=count))
    if as_json:
        conditions = {"lines": len(few.source), "updates": updates, "test": compared.name, "device": place}
        found = {"conditions": conditions, "claims": runs.claims(run, rows), "rows": rows}
        print_json({**origin(shlex.join(["nmt", *sys.argv[1:]]), time.monotonic() - begun), **found})
    else:
        for work in ("train", "translate", "start"):
            print_text(report.text(table([row for row in rows if row["work"] == work])))
