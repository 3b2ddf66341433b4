"""The report of the bottleneck study: every number as JSON with its origin, tables in Markdown, figures, and one page.

A published study has a summary written by hand in ``summary.md`` of its results folder: a first line ``# TITLE``, then
paragraphs. It opens the report.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from nmt import atomic, provenance
from nmt.atomic import JsonObject
from nmt.errors import Log, UserError
from nmt.evaluation.report import markdown
from nmt.lab.experiments import record
from nmt.lab.studies import bottleneck, figures, page, verdicts
from nmt.lab.studies.analysis import Analysis
from nmt.lab.studies.archive import ARCHIVE
from nmt.lab.studies.plan import Plan
from nmt.lab.studies.results import OUTPUTS, REFERENCES, Results, concatenated_name, output_name, read_summary
from nmt.lab.studies.tables import tables


def write(plan: Plan, folder: Path, log: Log) -> list[Path]:
    """Analyses the finished runs of a results folder and writes the report beside them; returns the files written."""
    results = Results.open(folder)
    finished = [job for job in plan.jobs if results.finished(job)]
    if not finished:
        raise UserError(
            f"no run of this study is finished in {folder}; train with "
            f"nmt study recipes/{plan.name}.yaml --out {folder}"
        )
    if plan.settings.kind == "ladder":
        from nmt.lab.studies import ladder

        return ladder.report(plan, results, log)
    if plan.settings.kind == "grid":
        from nmt.lab.studies import grid_report

        return grid_report.report(plan, results, log)
    began = time.perf_counter()
    evaluations = results.log_evaluation(results.test(concatenated_name(1)), finished)
    found = bottleneck.analyse(plan, results, evaluations, log)
    return save(found, provenance.origin(plan.command, time.perf_counter() - began), folder)


def save(found: Analysis, origin: JsonObject, folder: Path) -> list[Path]:
    """Writes an analysis in all its forms, each file whole."""
    title, *summary = read_summary(folder) or [f"The bottleneck study: {found.conditions.languages}"]
    expectations, claims = verdicts.expectations(found), verdicts.claims(found)
    made, charts, how = (
        tables(found, expectations, claims),
        figures.charts(found),
        list(commands(found, origin["command"])),
    )
    conditions = {key: value for key, value in asdict(found.conditions).items() if value not in (None, [])}
    missing = found.conditions.missing_runs
    text = [
        *(f"# {title}", *summary),
        *([f"Not finished: {', '.join(missing)}."] if missing else []),
        *(f"![{chart.caption}]({chart.name}.svg)" for chart in charts),
        *(f"## {caption}\n\n{markdown(table).rstrip()}" for caption, table in made.items()),
        f"## Conditions\n\n{record.settings(conditions)}.",
        *(f"{what}\n\n    {command}" for what, command in how),
    ]
    judged = {"expectations": [asdict(each) for each in expectations], "claims": [asdict(claim) for claim in claims]}
    paths = [folder / name for name in ("bottleneck.json", "bottleneck.md", "index.html")]
    atomic.write_json(paths[0], {**origin, **found.as_json(), **judged})
    atomic.write_file(paths[1], "\n\n".join(text) + "\n")
    atomic.write_file(paths[2], page.html(title, summary, found, made, charts, {**conditions, **origin}, how))
    return [*paths, *(path for chart in charts for path in chart.save(folder))]


def commands(found: Analysis, command: str) -> Iterator[tuple[str, str]]:
    """The command that repeats the study, and those that score saved outputs by sacrebleu's own command."""
    name, size, beam = found.baseline or next(iter(found.systems)), found.size, found.beam
    seed = next(iter(found.systems[name].seeds))
    cost = next(one for one in found.costs if (one.system, one.seed, one.k, one.beam) == (name, seed, size, beam))
    tokens = re.search(r"tok:([\w-]+)", found.signature)
    run, options = f"{OUTPUTS}/{name}-seed{seed}", f"-m bleu -b -w 2{f' -tok {tokens[1]}' if tokens else ''}"
    reference = f"{OUTPUTS}/{REFERENCES}/{concatenated_name(size)}.txt"
    together, single = (f"{run}/{output_name(concatenated_name(each), beam)}" for each in (size, 1))
    yield "The whole study; finished runs are kept:", command
    yield f"The outputs, if they are in {ARCHIVE}:", f"tar xf {ARCHIVE}"
    yield (
        f"BLEU of {run}, concatenated, k = {size}: {cost.concatenated:.2f}",
        f"sacrebleu {reference} -i {together} {options}",
    )
    joined = f"paste -d ' ' {'- ' * size}< {single} | sacrebleu {reference} {options}"
    yield f"BLEU of the same run one by one: {cost.one_by_one:.2f}", joined
