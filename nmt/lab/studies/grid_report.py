"""The report of a grid: means over seeds with their range, and differences from the baseline, in every form."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from nmt import atomic, provenance
from nmt.errors import Log
from nmt.evaluation import averages, averages_report, evaluate
from nmt.evaluation.averages import Averages, Row
from nmt.evaluation.evaluate import Decoding, Result
from nmt.lab.experiments import record
from nmt.lab.plotting import scores, style
from nmt.lab.studies.plan import Job, Plan
from nmt.lab.studies.results import Results, StudyConditions, concatenated_name, read_summary
from nmt.search import SearchSettings

TEST = concatenated_name(1)


def report(plan: Plan, results: Results, log: Log) -> list[Path]:
    """Scores the finished runs and writes grid.json, .csv, .tex, .md and the figure."""
    began, folder = time.monotonic(), results.path
    finished = [job for job in plan.jobs if results.finished(job)]
    evaluations = results.log_evaluation(results.test(TEST), finished)
    found = analyse(plan, results, finished, log)
    conditions = results.conditions(plan, finished, evaluations)
    origin = provenance.origin(plan.command, time.monotonic() - began)
    values = {**origin, "study": plan.name, "conditions": asdict(conditions), **found.as_json()}
    atomic.write_json(folder / "grid.json", values)
    atomic.write_file(folder / "grid.csv", averages_report.csv([found]))
    atomic.write_file(folder / "grid.tex", averages_report.latex([found]))
    atomic.write_file(folder / "grid.md", markdown(found, conditions, read_summary(folder)))
    made = [folder / f"grid.{ending}" for ending in ("json", "csv", "tex", "md")]
    return [*made, *style.save(scores.draw([found]), folder / "grid")]


def analyse(plan: Plan, results: Results, finished: Sequence[Job], log: Log) -> Averages:
    """A row for each system and beam. Without a finished run of the baseline nothing is compared."""
    rows: dict[tuple[str, int], list[Job]] = {}
    for beam in plan.settings.beams:
        for job in finished:
            rows.setdefault((job.system, beam), []).append(job)
    log(f"scoring {len(finished)} of {len(plan.jobs)} runs")
    base = plan.settings.baseline
    return averages.average(
        [_row(plan, results, jobs, beam) for (_, beam), jobs in rows.items()],
        languages=f"{plan.shared.data.source}-{plan.shared.data.target}",
        baseline=plan.systems[base].title if any(job.system == base for job in finished) else None,
    )


def _row(plan: Plan, results: Results, jobs: Sequence[Job], beam: int) -> Row:
    title = plan.systems[jobs[0].system].title
    found = tuple(_result(results, job, beam) for job in jobs)
    return Row(system=title, seeds=tuple(job.seed for job in jobs), results=found)


def _result(results: Results, job: Job, beam: int) -> Result:
    own, output = job.recipe.search, results.output(job, TEST, beam)
    search = SearchSettings(
        beam=beam,
        length_penalty=own.length_penalty,
        min_length=own.min_length,
        max_ratio=own.max_ratio,
        max_extra=own.max_extra,
    )
    return evaluate.evaluate(
        lambda _: output,
        replace(results.test(TEST), name="test"),
        target=job.recipe.data.target,
        run=job.name,
        decoding=Decoding(search),
        weights_sha256=results.result(job).weights_sha256,
    )


def markdown(found: Averages, conditions: StudyConditions, summary: Sequence[str]) -> str:
    """The summary written by hand, if there is one, the table, and the conditions."""
    title, *paragraphs = summary or [f"A grid: {conditions.languages}"]
    missing = [f"Not finished: {', '.join(conditions.missing_runs)}."] if conditions.missing_runs else []
    shown = {key: value for key, value in asdict(conditions).items() if value not in (None, [])}
    table = averages_report.markdown([found]).rstrip()
    figure = "![Mean score of every system, its interval and its seeds](grid.svg)"
    text = [f"# {title}", *paragraphs, *missing, figure, table, f"Conditions: {record.settings(shown)}."]
    return "\n\n".join(text) + "\n"
