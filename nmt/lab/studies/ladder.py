"""The ladder: from a word-for-word lexicon over bag of words and recurrence to attention and the Transformer.

Each row changes one thing and is compared with the row before it on the same test sentences. There is one seed per row:
a step smaller than the spread over seeds is no evidence.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nmt import atomic, provenance
from nmt.atomic import JsonObject
from nmt.data.lines import read
from nmt.data.pairs import Pairs
from nmt.errors import Log
from nmt.evaluation import metrics, report as tables, significance
from nmt.evaluation.evaluate import write_lines
from nmt.evaluation.metrics import Score, Scores
from nmt.evaluation.report import Table
from nmt.evaluation.significance import Difference
from nmt.lab.experiments import record
from nmt.lab.experiments.experiment import Claim, Verdict
from nmt.lab.plotting import style
from nmt.lab.studies import lexicon
from nmt.lab.studies.plan import Plan
from nmt.lab.studies.results import LEXICON, JobResult, Results, StudyConditions, concatenated_name, read_summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEST = concatenated_name(1)
TITLE = "word-for-word lexicon (IBM Model 1)"
TRAINING = ("parameters", "target_tokens", "updates", "training_seconds", "precision")
"""What a row gives of its run."""
ATTENTION_ROWS = ("dropout", "dot")
"""The rows before and with attention, as systems of the recipe are named."""
STACK_ROWS = ("bahdanau", "stack", "transformer")
"""The rows before and with the residual stack, and the one whose score it is measured against."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One system with its scores. The lexicon has no trained run, and the first row no step from the row before it."""

    system: str
    title: str
    run: JobResult | None
    scores: Scores
    step: tuple[Difference, ...] | None

    def as_json(self) -> JsonObject:
        """The row, ready for JSON."""
        training = {key: getattr(self.run, key) for key in TRAINING} if self.run else {}
        about = {"system": self.system, "title": self.title, **training, "scores": self.scores.as_json()}
        return about if self.step is None else {**about, "step": [one.as_json() for one in self.step]}


@dataclass(frozen=True, kw_only=True)
class Conditions(StudyConditions):
    """What the numbers depend on."""

    beam: int
    seeds: int


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The rows of the finished runs, in the order of the recipe."""

    study: str
    conditions: Conditions
    rows: list[Row]

    def as_json(self) -> JsonObject:
        """Rows, conditions and claims, ready for JSON."""
        return {
            "study": self.study,
            "conditions": asdict(self.conditions),
            "rows": [row.as_json() for row in self.rows],
            "claims": [asdict(claim) for claim in claims(self.rows)],
        }


def translate_by_lexicon(results: Results, train: Pairs, log: Log) -> None:
    """Translates the test set word for word by a lexicon learned from the training split, unless that is done."""
    path = _lexicon_output(results)
    if path.exists():
        return
    log("learning the word-for-word lexicon (IBM Model 1)")
    learned = lexicon.learn(train)
    write_lines(path, [learned.translate(line) for line in results.test(TEST).source])


def _lexicon_output(results: Results) -> Path:
    return results.outputs / LEXICON / f"{TEST}.txt"


def report(plan: Plan, results: Results, log: Log) -> list[Path]:
    """Analyses the finished runs and writes ladder.json, the table and the figure."""
    began, folder = time.monotonic(), results.path
    evaluations = results.log_evaluation(results.test(TEST), list(filter(results.finished, plan.jobs)))
    found = analyse(plan, results, evaluations, log)
    origin = provenance.origin(plan.command, time.monotonic() - began)
    atomic.write_file(folder / "ladder.json", tables.json_text({**origin, **found.as_json()}))
    atomic.write_file(folder / "ladder.md", markdown(found, read_summary(folder)))
    return [folder / "ladder.json", folder / "ladder.md", *style.save(draw(found), folder / "ladder")]


def analyse(plan: Plan, results: Results, evaluations: str, log: Log) -> Ladder:
    """Scores every row, and each against the row before it."""
    finished = [job for job in plan.jobs if results.finished(job) and job.seed == plan.systems[job.system].seeds[0]]
    beam, target, test = max(plan.settings.beams), plan.shared.data.target, results.test(TEST)
    systems: list[tuple[str, str, JobResult | None, list[str]]] = []
    if _lexicon_output(results).exists():
        systems.append((LEXICON, TITLE, None, read(_lexicon_output(results)).text))
    for job in finished:
        output = results.output(job, TEST, beam)
        systems.append((job.system, plan.systems[job.system].title, results.result(job), output))
    rows: list[Row] = []
    before: list[str] | None = None
    for name, title, run, output in systems:
        log(f"scoring {title}")
        step = None
        if before is not None:
            step = significance.paired_bootstrap([before, output], test.references, target=target)[0]
        scores = metrics.score(output, test.references, target=target)
        rows.append(Row(system=name, title=title, run=run, scores=scores, step=step))
        before = output
    shared = results.conditions(plan, finished, evaluations)
    return Ladder(study=plan.name, conditions=Conditions(**asdict(shared), beam=beam, seeds=1), rows=rows)


def gap_closed(old: float, new: float, ceiling: float) -> float | None:
    """The share of the gap from an old score to a ceiling that a new score closes; None if the old one is not below it.

    Give all three with the sign turned where less is better. The measure behind GNMT's "60 % fewer errors" (Wu et al.
    2016, arXiv:1609.08144, table 10), which is of human judgements; here it is of automatic scores.
    """
    return (new - old) / (ceiling - old) if ceiling > old else None


def claims(rows: Sequence[Row]) -> list[Claim]:
    """The ladder on rows E3 (attention lets the decoder look back) and E4 (the deep stack) of the story."""
    by_name = {row.system: row for row in rows}
    found = []
    if all(name in by_name for name in ATTENTION_ROWS):
        found.append(_attention(rows, by_name[ATTENTION_ROWS[1]]))
    if all(name in by_name for name in STACK_ROWS):
        found.append(_stack(*(by_name[name] for name in STACK_ROWS)))
    return found


def _attention(rows: Sequence[Row], dot: Row) -> Claim:
    gain, low, high = _step(dot)
    largest = gain == max(_step(row)[0] for row in rows if row.step)
    verdict: Verdict = "does not hold"
    if low > 0:
        verdict = "holds" if largest else "holds under conditions"
    place = "the largest step" if largest else "not the largest step"
    number = f"attention (Luong's dot) against the row before it: {gain:+.1f} BLEU ({low:+.1f} to {high:+.1f})"
    return Claim(id="E3", number=f"{number}, {place}; one seed", verdict=verdict)


def _stack(plain: Row, stack: Row, ceiling: Row) -> Claim:
    gain, low, high = _step(stack)
    shares = []
    for name, sign in (("chrf", 1), ("ter", -1)):
        old, new, best = (row.scores.metrics[name] for row in (plain, stack, ceiling))
        share = gap_closed(sign * old.value, sign * new.value, sign * best.value)
        shares.append(f"{old.name} {'no gap' if share is None else f'{100 * share:.0f} %'}")
    verdict: Verdict = "holds" if low > 0 else "does not hold" if high < 0 else "holds under conditions"
    number = (
        f"residual stack: {gain:+.1f} BLEU ({low:+.1f} to {high:+.1f}) at equal updates; "
        f"share of the gap to the Transformer closed: {', '.join(shares)}; one seed, automatic scores"
    )
    return Claim(id="E4", number=number, verdict=verdict)


def _step(row: Row) -> tuple[float, float, float]:
    """The difference in BLEU from the row before it, and its interval."""
    assert row.step is not None, "only the first row has no step"
    return row.step[0].difference, *_interval(row.step[0])


def _interval(bleu: Difference | Score) -> tuple[float, float]:
    assert bleu.low is not None, "BLEU has an interval"
    assert bleu.high is not None, "BLEU has an interval"
    return bleu.low, bleu.high


def table(found: Ladder) -> Table:
    """One line per row."""
    signatures = dict.fromkeys(
        f"{metric}: {score.signature}" for row in found.rows for metric, score in row.scores.metrics.items()
    )
    conditions = {key: value for key, value in asdict(found.conditions).items() if value not in (None, [])}
    columns = ("row", "parameters", "BLEU", "95 %", "step", "95 % of the step", "p", "chrF2", "TER")
    notes = (
        *signatures,
        f"conditions: {record.settings(conditions)}",
        "step: BLEU less that of the row above, paired bootstrap over test sentences; one seed each",
    )
    return Table(columns, tuple(map(_cells, found.rows)), notes)


def _cells(row: Row) -> tuple[str, ...]:
    scores, gained = row.scores, ("", "", "")
    bounds = _interval(scores.bleu)
    if row.step is not None:
        gain, low, high = _step(row)
        gained = (f"{gain:+.2f}", f"{low:+.2f} to {high:+.2f}", f"{row.step[0].p_value:.3f}")
    return (
        row.title,
        f"{row.run.parameters:,}" if row.run else "",
        f"{scores.bleu.value:.2f}",
        f"{bounds[0]:.1f} to {bounds[1]:.1f}",
        *gained,
        f"{scores.metrics['chrf'].value:.2f}",
        f"{scores.metrics['ter'].value:.2f}",
    )


def markdown(found: Ladder, summary: Sequence[str]) -> str:
    """The summary written by hand, if there is one, and the table."""
    title, *paragraphs = summary or [f"The ladder: {found.conditions.languages}"]
    missing = found.conditions.missing_runs
    note = f"\nNot finished: {', '.join(missing)}.\n" if missing else ""
    return "\n\n".join([f"# {title}", *paragraphs, tables.markdown(table(found))]) + note


def draw(found: Ladder) -> Figure:
    """BLEU of every row with its interval, the first at the bottom."""
    rows = found.rows
    figure, (axes,) = style.subplots(7.4, 1.2 + 0.36 * len(rows))
    values = [row.scores.bleu.value for row in rows]
    low, high = zip(*(_interval(row.scores.bleu) for row in rows), strict=True)
    errors = np.abs(np.array([low, high]) - values)  # (side, row)
    places, color = range(len(rows)), style.series_style(0).color
    axes.barh(places, values, xerr=errors, color=color, alpha=0.75, ecolor="#333333", capsize=3)
    axes.set_yticks(places, [row.title for row in rows])
    for place, value in enumerate(values):
        axes.text(high[place] + 0.4, place, f"{value:.1f}", va="center")
    axes.set_xlabel(f"BLEU on {found.conditions.test_sentences} test sentences, 95 % over sentences, one seed")
    axes.grid(False, axis="y")
    return figure
