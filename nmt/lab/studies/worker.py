"""What one process of a study does: train a run on one thread, translate every test set, leave the results.

It can be stopped at any moment: training resumes from its checkpoint, and translations that are there are not made again.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from nmt import atomic, provenance
from nmt.errors import RunError, UserError
from nmt.evaluation import outputs
from nmt.evaluation.testsets import TestSet
from nmt.inference import diagnostics
from nmt.inference.open import open_translator
from nmt.inference.translator import Translation
from nmt.lab.studies.plan import Unit
from nmt.lab.studies.results import OUTPUTS, Results, output_name, read_json
from nmt.runs.run_folder import METRICS, TIMING, Run
from nmt.training.begin import train

CAPPED = "capped.json"
EXAMPLE_WORDS = (40, 60)
"""Source words of the sentence that the report shows a picture of: the first in the packed test sets of about this length."""


@dataclass(frozen=True)
class Job:
    """A run of a study and the folders that it works in."""

    unit: Unit
    results: Path
    runs: Path
    tests: tuple[str, ...]
    beams: tuple[int, ...]

    @property
    def run(self) -> Path:
        """The run folder, which keeps the weights."""
        return self.runs / self.unit.name

    @property
    def log(self) -> Path:
        """What the process has to say."""
        return self.runs / f"{self.unit.name}.log"


def work(job: Job) -> None:
    """The whole of a process. Its exit status is that of `nmt train`; what went wrong is the last line of its log."""
    _end_with_parent()
    with job.log.open("a", encoding="utf8", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        try:
            code = _work(job, Console(file=log, width=200, no_color=True))
        except Exception as error:
            if not isinstance(error, (UserError, RunError)):
                traceback.print_exc()
            print(f"{type(error).__name__}: {error}".replace("\n", " "))
            code = 2 if isinstance(error, UserError) else 1
    raise SystemExit(code)


def _work(job: Job, console: Console) -> int:
    code = train(job.unit.recipe, job.run, restart=False, log=console.print, console=console, quiet=True)
    if code == 0:
        began = time.perf_counter()
        translated = _translate(job)
        Results(job.results).keep(job.unit, job.run, _result(Run(job.run), time.perf_counter() - began) | translated)
    return code


def _end_with_parent() -> None:
    """Asks this process to save and stop once the study that started it is gone, however that ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _translate(job: Job) -> dict[str, Any]:
    """Every test set with every beam, outputs that reached the length cap counted, and one long sentence with its attention."""
    results, run, capped = Results(job.results), Run(job.run), job.run / OUTPUTS / CAPPED
    counts = read_json(capped) if capped.exists() else {}
    # concatenated sentences are translated whole, however long
    model = open_translator(run, "torch", device="cpu", split_lines=False)
    for beam in job.beams:
        translator = model.with_search(run.search_settings(beam=beam))
        for test in map(results.test, job.tests):
            name = output_name(test.name, beam)
            if name not in counts:
                found = translator.translate(test.source)
                outputs.write_lines(job.run / OUTPUTS / name, [one.text for one in found])
                counts[name] = sum(diagnostics.CAPPED in one.warnings for one in found)
                atomic.write_json(capped, counts)
    sentence = example([results.test(name) for name in job.tests])
    translator = model.with_search(run.search_settings(beam=max(job.beams), keep_weights=True))
    return {"capped": counts, "example": shown(translator.translate(sentence)) if sentence else None}


def example(tests: Sequence[TestSet]) -> str | None:
    """The first test sentence of the length that a picture can hold and a thought vector cannot."""
    fewest, most = EXAMPLE_WORDS
    return next((line for test in tests for line in test.source if fewest <= len(line.split()) <= most), None)


def shown(found: Translation) -> dict[str, Any]:
    """A translation with the weights of its attention, rounded for print."""
    weights = (
        None if found.weights is None else [[round(weight, 3) for weight in row] for row in found.weights.tolist()]
    )
    return {**found.as_json(), "weights": weights}


def _result(run: Run, translating: float) -> dict[str, Any]:
    """What training came to. Seconds are those of updates on one thread, beside whatever else the machine did."""
    updates = [each for each in atomic.read_records(run.path / METRICS) if "tokens" in each]
    rates = {each["update"]: each["tokens_per_second"] for each in atomic.read_records(run.path / TIMING)}
    outcome, decided = run.outcome, run.metadata.decided
    assert outcome is not None, "training has finished"
    steps = zip([0, *(each["tokens"] for each in updates)], updates, strict=False)
    seconds = sum(
        (each["tokens"] - before) / rates[each["update"]] for before, each in steps if rates.get(each["update"])
    )
    return {
        "parameters": decided.parameters,
        "updates": outcome.update,
        "best_update": outcome.best_update,
        "target_pieces": updates[-1]["tokens"],
        "precision": decided.precision,
        "machine": run.metadata.machine,
        "versions": run.metadata.versions,
        "commit": provenance.commit(),
        "weights_sha256": run.weights_sha256,
        "training_seconds": round(seconds),
        "translating_seconds": round(translating),
    }
