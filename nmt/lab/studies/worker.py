"""One process of a study: trains a run on one thread, translates every test set, and leaves the results.

It can be stopped at any moment: training resumes from its checkpoint, and finished translations are kept.
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

from rich.console import Console

from nmt import atomic, provenance
from nmt.errors import RunError, UserError
from nmt.evaluation.evaluate import write_lines
from nmt.evaluation.testsets import TestSet
from nmt.inference import diagnostics
from nmt.inference.open import open_translator
from nmt.inference.translator import Translation
from nmt.lab.studies.plan import Job, comparable_json
from nmt.lab.studies.results import OUTPUTS, Example, JobResult, Results, output_name, read_json
from nmt.runs.run_folder import METRICS, TIMING, Run
from nmt.training.begin import train

CAPPED = "capped.json"
EXAMPLE_WORDS = (40, 60)
"""Source words of the sentence whose attention the report shows: the first in the test sets of this length."""


@dataclass(frozen=True)
class Assignment:
    """A job with the folders that its process works in."""

    job: Job
    results: Path
    runs: Path
    tests: tuple[str, ...]
    beams: tuple[int, ...]

    @property
    def run(self) -> Path:
        """The run folder, which keeps the weights."""
        return self.runs / self.job.name

    @property
    def log(self) -> Path:
        """The output of the process."""
        return self.runs / f"{self.job.name}.log"


def work(assignment: Assignment) -> None:
    """The body of a process. Its exit status is that of `nmt train`; an error is the last line of its log."""
    _end_with_parent()
    with assignment.log.open("a", encoding="utf8", buffering=1) as log, redirect_stdout(log), redirect_stderr(log):
        try:
            code = _work(assignment, Console(file=log, width=200, no_color=True))
        except Exception as error:
            if not isinstance(error, (UserError, RunError)):
                traceback.print_exc()
            print(f"{type(error).__name__}: {error}".replace("\n", " "))
            code = 2 if isinstance(error, UserError) else 1
    raise SystemExit(code)


def _work(assignment: Assignment, console: Console) -> int:
    job = assignment.job
    code = train(job.recipe, assignment.run, restart=False, log=console.print, console=console, quiet=True)
    if code == 0:
        began = time.perf_counter()
        capped, example = _translate(assignment)
        result = _result(assignment, capped, example, time.perf_counter() - began)
        Results(assignment.results).keep(job, assignment.run, result)
    return code


def _end_with_parent() -> None:
    """Asks this process to save and stop when the study that started it has ended."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _translate(assignment: Assignment) -> tuple[dict[str, int], Example | None]:
    """Translates every test set with every beam. Returns how many outputs reached the length limit, and the example."""
    results, run = Results(assignment.results), Run(assignment.run)
    counted = run.path / OUTPUTS / CAPPED
    capped: dict[str, int] = read_json(counted) if counted.exists() else {}
    # concatenated sentences are translated whole, however long
    model = open_translator(run, "torch", device=run.metadata.decided.device, split_long=False, split="never")
    for beam in assignment.beams:
        translator = model.with_search(run.search_settings(beam=beam))
        for test in map(results.test, assignment.tests):
            name = output_name(test.name, beam)
            if name not in capped:
                found = translator.translate(test.source)
                write_lines(run.path / OUTPUTS / name, [one.text for one in found])
                capped[name] = sum(diagnostics.CAPPED in one.warnings for one in found)
                atomic.write_json(counted, capped)
    sentence = example_sentence([results.test(name) for name in assignment.tests])
    if sentence is None:
        return capped, None
    translator = model.with_search(run.search_settings(beam=max(assignment.beams), keep_weights=True))
    return capped, example_of(translator.translate(sentence))


def example_sentence(tests: Sequence[TestSet]) -> str | None:
    """The first test sentence within `EXAMPLE_WORDS`: too long for a thought vector, short enough for a picture."""
    fewest, most = EXAMPLE_WORDS
    return next((line for test in tests for line in test.source if fewest <= len(line.split()) <= most), None)


def example_of(found: Translation) -> Example:
    """A translation with the weights of its attention, rounded for print."""
    values, weights = found.as_json(), None
    if found.weights is not None:
        weights = [[round(weight, 3) for weight in row] for row in found.weights.tolist()]
    names = ("source", "text", "pieces", "source_pieces", "warnings")
    return Example(**{name: values[name] for name in names}, weights=weights)


def _result(assignment: Assignment, capped: dict[str, int], example: Example | None, translating: float) -> JobResult:
    """The result of a trained run. Training seconds are those of updates, whatever else the machine did."""
    run = Run(assignment.run)
    updates = [each for each in atomic.read_records(run.path / METRICS) if "tokens" in each]
    rates = {each["update"]: each["tokens_per_second"] for each in atomic.read_records(run.path / TIMING)}
    outcome, decided = run.outcome, run.metadata.decided
    assert outcome is not None, "training has finished"
    steps = zip([0, *(each["tokens"] for each in updates)], updates, strict=False)
    seconds = sum(
        (each["tokens"] - before) / rates[each["update"]] for before, each in steps if rates.get(each["update"])
    )
    return JobResult(
        parameters=decided.parameters,
        updates=outcome.update,
        best_update=outcome.best_update,
        target_tokens=updates[-1]["tokens"],
        precision=decided.precision,
        training_seconds=round(seconds),
        translating_seconds=round(translating),
        weights_sha256=run.weights_sha256,
        capped=capped,
        example=example,
        origin={
            "machine": run.metadata.machine,
            "versions": run.metadata.versions,
            "commit": provenance.commit(),
        },
        recipe=comparable_json(assignment.job.recipe),
    )
