"""The report of a study: every number as JSON with its conditions and origin, tables in Markdown, figures, and one page for the wall."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nmt import atomic, provenance
from nmt.errors import UserError
from nmt.evaluation.report import markdown
from nmt.lab.experiments import record
from nmt.lab.studies import bottleneck, figures, looks, page, verdicts, wording
from nmt.lab.studies.figures import Chart
from nmt.lab.studies.findings import Findings
from nmt.lab.studies.plan import Plan
from nmt.lab.studies.results import OUTPUTS, REFERENCES, Results, output_name
from nmt.lab.studies.tables import Tables, tables

Log = Callable[[str], None]


def write(plan: Plan, folder: Path, log: Log) -> list[Path]:
    """Analyses the finished runs of a results folder and writes the report beside them; returns the files written."""
    results = Results(folder)
    if not any(map(results.finished, plan.units)):
        raise UserError(
            f"no run of this study is finished in {folder}; train with nmt study recipes/{plan.name}.yaml --out {folder}"
        )
    if plan.settings.kind == "ladder":
        from nmt.lab.studies import ladder

        return ladder.report(plan, folder, log)
    began = time.perf_counter()
    found = bottleneck.analyse(plan, results, log) | {
        "trained": {unit.system: unit.recipe.data.concatenation for unit in plan.units}
    }
    found["conditions"][looks.SAID] = looks.add(
        results, results.test("test.pack1"), list(filter(results.finished, plan.units))
    )
    found["examples"] = {
        name: _light(example, name == found["baseline"]) for name, example in found["examples"].items() if example
    }
    origin = provenance.origin(plan.command, time.perf_counter() - began)
    return save(complete({**origin, **found, "reference": _reference(results, found)}), folder)


def complete(found: dict[str, Any]) -> dict[str, Any]:
    """The analysis with what follows from it: what was expected, the claims, and the text."""
    findings = Findings(found)
    judged = {
        key: [asdict(each) for each in judge(findings)]
        for key, judge in (("expectations", verdicts.expectations), ("claims", verdicts.claims))
    }
    return {**found, **judged, "answer": wording.answer(findings), "paragraphs": wording.paragraphs(findings)}


def save(found: dict[str, Any], folder: Path) -> list[Path]:
    """Writes a complete analysis in all its forms, each file whole."""
    findings = Findings(found)
    charts, made = figures.charts(findings), tables(findings)
    how = list(repeated(findings))
    said = [found["answer"], *found["paragraphs"]]
    paths = [folder / name for name in ("bottleneck.json", "bottleneck.md", "index.html")]
    atomic.write_json(paths[0], found)
    atomic.write_file(paths[1], text(findings, made, charts, how))
    atomic.write_file(paths[2], page.html(findings, said, made, charts, how))
    return [*paths, *(path for chart in charts for path in chart.save(folder))]


def text(findings: Findings, made: Tables, charts: Sequence[Chart], how: list[tuple[str, str]]) -> str:
    """The report in Markdown."""
    found = findings.found
    missing = found["conditions"]["missing runs"]
    parts = [f"# {found['answer']}", *found["paragraphs"]]
    parts += [f"Not finished, and so not in any number here: {', '.join(missing)}."] if missing else []
    parts += [f"![{chart.caption}]({chart.name}.svg)" for chart in charts]
    parts += [f"## {caption}\n\n{markdown(table).rstrip()}" for caption, table in made.items()]
    conditions = {key: value for key, value in found["conditions"].items() if value not in (None, [])}
    parts += [
        f"## Conditions\n\n{record.settings(conditions)}.",
        *(f"{what}\n\n    {command}" for what, command in how),
    ]
    return "\n\n".join(parts) + "\n"


def repeated(findings: Findings) -> Iterator[tuple[str, str]]:
    """What to type to get it all again, and to get a number from the saved outputs by sacrebleu's own command."""
    name, size, beam = findings.baseline or next(iter(findings.systems)), findings.size, findings.beam
    seed = next(iter(findings.systems[name]["seeds"]))
    of = next(
        cost
        for cost in findings.found["costs"]
        if (cost["system"], cost["seed"], cost["k"], cost["beam"]) == (name, seed, size, beam)
    )
    tokens = re.search(r"tok:([\w-]+)", findings.found["signature"])
    run, options = f"{name}-seed{seed}/{OUTPUTS}", f"-m bleu -b -w 2{f' -tok {tokens[1]}' if tokens else ''}"
    reference, pack, single = (
        f"{REFERENCES}/test.pack{size}.txt",
        output_name(f"test.pack{size}", beam),
        output_name("test.pack1", beam),
    )
    yield (
        "All of it, training only what is missing:",
        findings.found.get("command", f"nmt study recipes/{findings.found['study']}.yaml"),
    )
    yield (
        f"The pack's BLEU of {run}, {of['pack']:.2f}, in the results folder:",
        f"sacrebleu {reference} -i {run}/{pack} {options}",
    )
    joined = f"paste -d ' ' {'- ' * size}< {run}/{single} | sacrebleu {reference} {options}"
    yield f"The join's BLEU of the same run, {of['join']:.2f}:", joined


def _light(example: dict[str, Any], shown: bool) -> dict[str, Any]:
    """An example without the weights that no picture is made of."""
    return example if shown else {**example, "weights": None}


def _reference(results: Results, found: dict[str, Any]) -> str | None:
    """What the sentence of the picture should have become."""
    source = next((example["source"] for name, example in found["examples"].items() if name == found["baseline"]), None)
    for size in found["conditions"]["packs"] if source else ():
        test = results.test(f"test.pack{size}")
        if source in test.source:
            return test.references[test.source.index(source)]
    return None
