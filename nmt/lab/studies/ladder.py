"""The ladder: from a word-for-word lexicon over bag of words and recurrence to attention and the Transformer, one change a rung.

Every rung is compared with the one below it on the same test sentences. One seed each unless the study says otherwise: a step smaller than
what a seed moves is no step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt import atomic, provenance
from nmt.data.lines import read
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.evaluation import metrics, outputs, report as tables, significance
from nmt.evaluation.report import Table
from nmt.lab.plotting import style
from nmt.lab.studies import lexicon, looks
from nmt.lab.studies.bottleneck import corpus_name
from nmt.lab.studies.plan import Plan, Unit
from nmt.lab.studies.results import OUTPUTS, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOOR = "lexicon"
TEST = "test.pack1"
Log = Callable[[str], None]
Rung = dict[str, Any]


def lay_floor(results: Results, train: Pairs, log: Log) -> None:
    """Translates the test set word for word by a lexicon learned from the training split, once."""
    path = results.path / FLOOR / OUTPUTS / f"{TEST}.txt"
    if path.exists():
        return
    log("learning the word-for-word lexicon (IBM Model 1)")
    learned = lexicon.learn(train)
    outputs.write_lines(path, [learned.translate(line) for line in results.test(TEST).source])


def report(plan: Plan, folder: Path, log: Log) -> list[Path]:
    """Analyses what is finished and writes ladder.json, tables and figure."""
    began = time.monotonic()
    results = Results(folder)
    found = analyse(plan, results, log)
    found["conditions"][looks.SAID] = looks.add(results, results.test(TEST), list(filter(results.finished, plan.units)))
    origin = provenance.origin(plan.command, time.monotonic() - began)
    atomic.write_file(folder / "ladder.json", tables.json_text({**origin, **found}))
    atomic.write_file(folder / "ladder.md", markdown(found))
    return [folder / "ladder.json", folder / "ladder.md", *style.save(draw(found), folder / "ladder")]


def analyse(plan: Plan, results: Results, log: Log) -> dict[str, Any]:
    """Scores of every rung, and what each gains on the one below."""
    finished = [
        unit for unit in plan.units if results.finished(unit) and unit.seed == plan.systems[unit.system].seeds[0]
    ]
    if not finished:
        raise UserError(f"{results.path}: no run of this study is finished; train it first, without --report")
    beam, target, test = max(plan.settings.beams), plan.shared.data.target, results.test(TEST)
    rungs = [_floor(results)] if (results.path / FLOOR).exists() else []
    rungs += [_rung(plan, results, unit, beam) for unit in finished]
    for rung in rungs:
        log(f"scoring {rung['title']}")
        rung["scores"] = metrics.score(rung["output"], test.references, target=target).as_json()
    for below, rung in pairwise(rungs):
        steps = significance.paired_bootstrap([below["output"], rung["output"]], test.references, target=target)[0]
        rung["step"] = [step.as_json() for step in steps]
    for rung in rungs:
        del rung["output"]
    return {
        "study": plan.name,
        "conditions": {
            "corpus": corpus_name(plan.shared),
            "fallback": results.study["fallback"],
            "languages": f"{plan.shared.data.source}-{target}",
            "test sentences": len(test.source),
            "vocabulary": plan.shared.vocabulary.size,
            "updates": plan.shared.training.updates,
            "batch positions": plan.shared.training.batch_tokens,
            "beam": beam,
            "seeds": 1,
            "missing runs": [unit.name for unit in plan.units if unit not in finished],
        },
        "rungs": rungs,
        "claims": claims(rungs),
    }


def _floor(results: Results) -> Rung:
    return {
        "system": FLOOR,
        "title": "word-for-word lexicon (IBM Model 1)",
        "output": read(results.path / FLOOR / OUTPUTS / f"{TEST}.txt").text,
    }


def _rung(plan: Plan, results: Results, unit: Unit, beam: int) -> Rung:
    result = results.result(unit)
    about = {key: result[key] for key in ("parameters", "target_pieces", "updates", "training_seconds", "precision")}
    return {
        "system": unit.system,
        "title": plan.systems[unit.system].title,
        **about,
        "output": results.output(unit, TEST, beam),
    }


def gap_closed(old: float, new: float, ceiling: float) -> float | None:
    """The share of the way from an old system's score to a ceiling that a new one has come; None where the old one is not below it.

    For a score of which less is better, give all three with the sign turned. The measure behind GNMT's "60 % fewer errors" (Wu et al. 2016,
    arXiv:1609.08144, table 10), there of human judgements; here of automatic scores, and of nobody's judgement.
    """
    return (new - old) / (ceiling - old) if ceiling > old else None


def claims(rungs: Sequence[Rung]) -> list[dict[str, str]]:
    """What the ladder says on rows E3 (attention lets the decoder look back) and E4 (the deep stack) of the story."""
    by_name = {rung["system"]: rung for rung in rungs}
    found = []
    if {"dropout", "dot"} <= by_name.keys():
        found.append({"id": "E3", **_attention(rungs, by_name["dot"])})
    if {"bahdanau", "stack", "transformer"} <= by_name.keys():
        found.append({"id": "E4", **_stack(*(by_name[name] for name in ("bahdanau", "stack", "transformer")))})
    return found


def _attention(rungs: Sequence[Rung], dot: Rung) -> dict[str, str]:
    gain, largest = dot["step"][0], max(rung["step"][0]["difference"] for rung in rungs if "step" in rung)
    number = (
        f"attention (Luong's dot) gains {gain['difference']:+.1f} BLEU ({gain['low']:+.1f} to {gain['high']:+.1f}) on the rung below it, "
        f"{'the largest' if gain['difference'] == largest else 'not the largest'} step of the ladder; one seed"
    )
    verdict = (
        "holds"
        if gain["low"] > 0 and gain["difference"] == largest
        else "holds under conditions"
        if gain["low"] > 0
        else "does not hold"
    )
    return {"number": number, "verdict": verdict}


def _stack(plain: Rung, stack: Rung, ceiling: Rung) -> dict[str, str]:
    step = stack["step"][0]
    shares = []
    for name, sign in (("chrf", 1), ("ter", -1)):
        share = gap_closed(*(sign * rung["scores"][name]["value"] for rung in (plain, stack, ceiling)))
        shares.append(
            f"{plain['scores'][name]['name']} {'no gap to close' if share is None else f'{100 * share:.0f} %'}"
        )
    number = (
        f"the residual stack changes BLEU by {step['difference']:+.1f} ({step['low']:+.1f} to {step['high']:+.1f}) at equal updates; "
        f"share of the gap to the Transformer that it closes: {', '.join(shares)}; one seed, small data, no human judged"
    )
    verdict = "holds" if step["low"] > 0 else "does not hold" if step["high"] < 0 else "holds under conditions"
    return {"number": number, "verdict": verdict}


def table(found: dict[str, Any]) -> Table:
    """One row a rung, from the floor up."""
    signatures = {
        f"{metric}: {rung['scores'][metric]['signature']}": None
        for rung in found["rungs"]
        for metric in ("bleu", "chrf", "ter")
    }
    settings = ", ".join(f"{name} {value}" for name, value in found["conditions"].items() if value not in (None, []))
    columns = ("rung", "parameters", "BLEU", "95 %", "step", "95 % of the step", "p", "chrF2", "TER")
    notes = (
        *signatures,
        f"conditions: {settings}",
        "step: BLEU minus that of the row above, paired bootstrap over test sentences; one seed each",
    )
    return Table(columns, tuple(_row(rung) for rung in found["rungs"]), notes)


def _row(rung: Rung) -> tuple[str, ...]:
    bleu, chrf, ter = (rung["scores"][name] for name in ("bleu", "chrf", "ter"))
    step = rung.get("step", [None])[0]
    gained = (
        ("", "", "")
        if step is None
        else (f"{step['difference']:+.2f}", f"{step['low']:+.2f} to {step['high']:+.2f}", f"{step['p_value']:.3f}")
    )
    parameters = f"{rung['parameters']:,}" if "parameters" in rung else ""
    interval = f"{bleu['low']:.1f} to {bleu['high']:.1f}"
    return (
        rung["title"],
        parameters,
        f"{bleu['value']:.2f}",
        interval,
        *gained,
        f"{chrf['value']:.2f}",
        f"{ter['value']:.2f}",
    )


def markdown(found: dict[str, Any]) -> str:
    """The table under a title."""
    missing = found["conditions"]["missing runs"]
    note = f"\nNot finished yet: {', '.join(missing)}.\n" if missing else ""
    return f"# The ladder: {found['conditions']['languages']}\n\n{tables.markdown(table(found))}{note}"


def draw(found: dict[str, Any]) -> Figure:
    """BLEU of every rung with its interval, the floor at the bottom."""
    rungs = found["rungs"]
    figure, (panel,) = style.subplots(7.4, 1.2 + 0.36 * len(rungs))
    values = [rung["scores"]["bleu"] for rung in rungs]
    errors = [[one["value"] - one["low"] for one in values], [one["high"] - one["value"] for one in values]]
    colour = style.series_style(0).color
    panel.barh(
        range(len(rungs)),
        [one["value"] for one in values],
        xerr=errors,
        color=colour,
        alpha=0.75,
        ecolor="#333333",
        capsize=3,
    )
    panel.set_yticks(range(len(rungs)), [rung["title"] for rung in rungs])
    for place, one in enumerate(values):
        panel.text(one["high"] + 0.4, place, f"{one['value']:.1f}", va="center")
    panel.set_xlabel(f"BLEU on {found['conditions']['test sentences']} test sentences, 95 % over sentences, one seed")
    panel.grid(False, axis="y")
    return figure
