"""Gates: what does an LSTM do when the king dies?

An encoder-decoder with a thought vector reads stories and says who rules (`stories`). Its gates at events are compared
with its gates at filler words of the same stories. Then the same model reads under interventions (`interventions`):
with the forget gate at 1, or with the cell or the hidden state set to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch

from nmt.atomic import JsonObject
from nmt.errors import Log
from nmt.lab.experiments import stories
from nmt.lab.experiments.architectures import reading_cell, recurrent
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.intervals import Interval, auc, bootstrap, wilson
from nmt.lab.experiments.interventions import (
    ALWAYS,
    AT_CROWNS,
    AT_DEATHS,
    INTACT,
    NEITHER,
    NO_CELL,
    NO_HIDDEN,
    interventions,
    right,
)
from nmt.lab.experiments.learning import learn
from nmt.lab.experiments.stories import Story
from nmt.lab.experiments.traces import trace_gates
from nmt.lab.plotting import heatmap, style
from nmt.models.recurrent import RecurrentModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "What do the gates of an LSTM do when the king dies?"
HIDDEN, BATCH, PEAK = 64, 32, 5e-3
STORIES = 400
"""Test stories of a task, the same for every seed."""
CONTRASTS = {
    "forget": ("king dies", "bystander dies", "king rules", "question"),
    "input": ("king rules", "king dies", "question"),
    "output": ("king rules", "king dies", "question"),
}
"""The events at which each gate is compared with filler words."""
ABLE, LITTLE = 0.95, 0.05
"""The accuracy of a model that understands the stories, and a loss of accuracy that hardly counts."""


class Contrast(NamedTuple):
    """A gate at an event and elsewhere in the same stories: means, their difference, and the AUC of positions."""

    there: float
    elsewhere: float
    difference: Interval
    auc: float


def contrast(values: np.ndarray, kinds: np.ndarray, kind: str, other: str = "filler") -> Contrast:
    """Compares values ``(story, time)`` at two kinds of positions, over the stories that have both."""
    at, rest = kinds == kind, kinds == other
    both = at.any(1) & rest.any(1)
    there, elsewhere = ((values * where).sum(1)[both] / where.sum(1)[both] for where in (at, rest))
    return Contrast(
        float(there.mean()), float(elsewhere.mean()), bootstrap(there - elsewhere), auc(values[at], values[rest])
    )


def closing_unit(gate: np.ndarray, kinds: np.ndarray, kind: str, other: str) -> tuple[int, Contrast]:
    """The unit of a gate ``(story, time, hidden)`` that closes most at one kind of position against another.

    It is chosen on the first half of the stories and measured on the second, so the choice does not bias the contrast.
    """
    half = len(gate) // 2
    means = [gate[:half][kinds[:half] == each].mean(0) for each in (kind, other)]
    unit = int((means[0] - means[1]).argmin())
    return unit, contrast(gate[half:, :, unit], kinds[half:], kind, other)


class Measurement(NamedTuple):
    """One trained model."""

    accuracy: dict[str, Interval]
    """Right answers by intervention."""
    contrasts: dict[str, dict[str, Contrast]]
    """By gate and event, the mean over units."""
    unit: int
    """The unit whose forget gate closes most at a king's death against a bystander's, which is the same word."""
    unit_contrast: Contrast
    example: list[list[float]]
    """Gates along the example story: means over units of forget, input and output, and the forget gate of the unit."""


@torch.no_grad()
def measure(model: RecurrentModel, sample: Sequence[Story]) -> Measurement:
    """Traces the gates of a trained model over stories, and its answers under interventions."""
    batch, kinds = stories.batch_of(sample), stories.kinds_of(sample)
    traced = trace_gates(reading_cell(model), model.embed_source(batch.source))
    gates = {name: traced[name].cpu().numpy() for name in CONTRASTS}
    unit, unit_contrast = closing_unit(gates["forget"], kinds, "king dies", "bystander dies")
    row = sample.index(example_of(sample))
    return Measurement(
        accuracy={
            name: wilson(int(right(model, batch, each).sum()), len(sample))
            for name, each in interventions(sample).items()
        },
        contrasts={
            gate: {kind: contrast(gates[gate].mean(-1), kinds, kind) for kind in events}
            for gate, events in CONTRASTS.items()
        },
        unit=unit,
        unit_contrast=unit_contrast,
        example=[*(gate[row].mean(-1).tolist() for gate in gates.values()), gates["forget"][row, :, unit].tolist()],
    )


def stories_of(task: str) -> list[Story]:
    """The stories that a task is measured on."""
    return stories.draw_stories(np.random.default_rng(0), stories.TASKS[task], STORIES)


def example_of(sample: Sequence[Story]) -> Story:
    """The first story with two kings."""
    return next(story for story in sample if story.kinds.count("king rules") == 2)


Results: TypeAlias = dict[str, list[Measurement]]
"""By task, one for each seed."""


def run(settings: Settings, log: Log) -> Outcome:
    """Trains and measures a model on each task with each seed."""
    results: Results = {task: [] for task in stories.TASKS if settings.task in (task, "both")}
    for task, seeds in results.items():
        sample = stories_of(task)
        for seed in range(1, settings.seeds + 1):
            seeds.append(measure(_trained(task, seed, settings.updates), sample))
            log(f"{task}, seed {seed}: {seeds[-1].accuracy[INTACT].value:.1%} of answers right")
    return report(results, settings)


def _trained(task: str, seed: int, updates: int) -> RecurrentModel:
    torch.manual_seed(seed)
    model = recurrent(stories.VOCABULARY, hidden=HIDDEN, embedding=HIDDEN)
    empty = stories.TASKS[task]
    learn(
        model,
        lambda generator: stories.batch_of(stories.draw_stories(generator, empty, BATCH)),
        updates=updates,
        seed=seed,
        peak=PEAK,
    )
    return model


COLUMNS = ("task", "measure", "value", "low", "high", "at the event", "at fillers", "AUC")


def report(results: Results, settings: Settings) -> Outcome:
    """The outcome, with a row for each task and measure."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=COLUMNS,
        rows=tuple(row for task, seeds in results.items() for row in _rows(task, seeds)),
        claims=claims(results),
        notes=(
            "right answers, and means of a gate over units at an event minus at the filler words of the same stories; "
            "values are means over seeds",
            "low and high: the lowest and the highest bound of the seeds' 95 % intervals over stories (Wilson; "
            "bootstrap)",
            "AUC: how often the gate is further open at an event than at a filler word",
            "*: against a bystander's death, the same word, in the unit that closes most for kings on one half of the "
            "stories, measured on the other",
            "deaths: of kings and of bystanders; midway: between the word that settles the answer and the question",
        ),
        details={task: _details(task, seeds) for task, seeds in results.items()},
        figure=lambda: draw(results),
    )


def _rows(task: str, seeds: Sequence[Measurement]) -> Iterator[tuple[Value, ...]]:
    for name in seeds[0].accuracy:
        yield (task, f"right, {name}", *_merged([each.accuracy[name] for each in seeds]), None, None, None)
    for gate, events in CONTRASTS.items():
        for event in events:
            contrasts = [each.contrasts[gate][event] for each in seeds]
            yield (task, f"{gate} gate, {event}", *_merged_contrasts(contrasts))
    contrasts = [each.unit_contrast for each in seeds]
    yield (task, "forget gate of one unit, king dies*", *_merged_contrasts(contrasts))


def _merged(intervals: Sequence[Interval]) -> Interval:
    """The mean of the seeds' values, and their outermost bounds."""
    values, lows, highs = zip(*intervals, strict=True)
    return Interval(float(np.mean(values)), min(lows), max(highs))


def _merged_contrasts(found: Sequence[Contrast]) -> tuple[float, ...]:
    means = (float(np.mean([getattr(each, name) for each in found])) for name in ("there", "elsewhere", "auc"))
    return (*_merged([each.difference for each in found]), *means)


def _details(task: str, seeds: Sequence[Measurement]) -> JsonObject:
    return {"example": stories.words(example_of(stories_of(task))), "seeds": list(map(_detail, seeds))}


def _detail(measured: Measurement) -> JsonObject:
    return {
        "accuracy": {name: interval._asdict() for name, interval in measured.accuracy.items()},
        "gates": {
            gate: {event: _plain(each) for event, each in events.items()} for gate, events in measured.contrasts.items()
        },
        "unit": {"unit": measured.unit, **_plain(measured.unit_contrast)},
        "example": measured.example,
    }


def _plain(found: Contrast) -> JsonObject:
    return {**found._asdict(), "difference": found.difference._asdict()}


def _conditions(settings: Settings) -> JsonObject:
    return {
        "model": f"LSTM, hidden and embedding {HIDDEN}, one layer, thought vector at every step, read forward, forget "
        "bias 1",
        "stories": f"{stories.LENGTH} tokens, {len(stories.NAMES)} names, 1 to {stories.REIGNS} kings, 2 bystanders, "
        f"{stories.FILLERS} filler words",
        "empty thrones": ", ".join(f"{task} {share:.0%}" for task, share in stories.TASKS.items()),
        "test stories": STORIES,
        "seeds": settings.seeds,
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "gradient clipping": "norm 1",
        "precision": "fp32",
    }


class Judgement(NamedTuple):
    """Whether one model supports a claim, wholly or at least in part."""

    wholly: bool
    partly: bool


def claims(results: Results) -> tuple[Claim, ...]:
    """C3, C4 and C5."""
    judged = (
        ("C3", forget_number, judge_forgetting),
        ("C4", input_output_number, judge_input_output),
        ("C5", states_number, judge_states),
    )
    return tuple(
        Claim(
            id=id,
            number="; ".join(f"{task}: {number(seeds)}" for task, seeds in results.items()),
            verdict=_verdict(results, judge),
        )
        for id, number, judge in judged
    )


def _verdict(results: Results, judge: Callable[[Measurement], Judgement]) -> Verdict:
    """A claim holds if every seed of every task supports it wholly, and all models understand the stories.

    It holds under conditions if every seed of some task supports it at least in part. It is not answered if no model
    understands the stories.
    """
    judged = [[judge(each) for each in seeds if each.accuracy[INTACT].value >= ABLE] for seeds in results.values()]
    if not any(judged):
        return "not answered"
    able = [task for task, seeds in zip(judged, results.values(), strict=True) if len(task) == len(seeds)]
    if len(able) == len(results) and all(each.wholly for task in able for each in task):
        return "holds"
    return "holds under conditions" if any(all(each.partly for each in task) for task in able) else "does not hold"


def judge_forgetting(measured: Measurement) -> Judgement:
    """C3: the forget gate closes when the king dies.

    Wholly if it closes further than for a bystander and answers suffer if it may not close at deaths. In part if it
    closes at all and answers suffer if it may never close.
    """
    accuracy = measured.accuracy
    closing = {event: found.difference for event, found in measured.contrasts["forget"].items()}
    closes, further = closing["king dies"].high < 0, closing["king dies"].high < closing["bystander dies"].low
    at_deaths, always = (accuracy[name].high < accuracy[INTACT].low for name in (AT_DEATHS, ALWAYS))
    return Judgement(closes and further and at_deaths, closes and always)


def judge_input_output(measured: Measurement) -> Judgement:
    """C4: the input gate opens at coronations and the output gate at the question; in part if one of them does."""
    opens = [
        measured.contrasts[gate][event].difference.low > 0
        for gate, event in (("input", "king rules"), ("output", "question"))
    ]
    return Judgement(all(opens), any(opens))


def judge_states(measured: Measurement) -> Judgement:
    """C5: the cell is the long-term memory.

    Wholly if midway and before the question the cell alone suffices for nearly all answers and the hidden state alone
    for at most half. In part if the cell alone suffices for more answers than the hidden state alone.
    """
    intact, accuracy = measured.accuracy[INTACT].value, measured.accuracy
    states = [(accuracy[NO_HIDDEN[when]], accuracy[NO_CELL[when]]) for when in NO_CELL]
    wholly = all(cell.value >= intact - LITTLE and hidden.value <= intact / 2 for cell, hidden in states)
    return Judgement(wholly, all(cell.low > hidden.high for cell, hidden in states))


def forget_number(seeds: Sequence[Measurement]) -> str:
    """The numbers of C3."""
    events = ("king dies", "bystander dies", "king rules")
    gates = ", ".join(f"{event} {_difference(seeds, 'forget', event)}" for event in events)
    unit = _signed(_merged([each.unit_contrast.difference for each in seeds]))
    answers = _answers(seeds, INTACT, ALWAYS, AT_DEATHS, AT_CROWNS)
    return (
        f"forget gate against fillers: {gates}, king against bystander in the unit with the largest difference {unit}; "
        f"{answers}"
    )


def input_output_number(seeds: Sequence[Measurement]) -> str:
    """The numbers of C4."""
    inputs, outputs = (
        ", ".join(f"{event} {_difference(seeds, gate, event)}" for event in CONTRASTS[gate])
        for gate in ("input", "output")
    )
    return f"against fillers, input gate: {inputs}; output gate: {outputs}"


def states_number(seeds: Sequence[Measurement]) -> str:
    """The numbers of C5."""
    return _answers(seeds, INTACT, *NO_HIDDEN.values(), *NO_CELL.values(), NEITHER)


def _difference(seeds: Sequence[Measurement], gate: str, event: str) -> str:
    return _signed(_merged([each.contrasts[gate][event].difference for each in seeds]))


def _signed(found: Interval) -> str:
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def _answers(seeds: Sequence[Measurement], *names: str) -> str:
    """Right answers under interventions, means over seeds."""
    shares = (f"{_merged([each.accuracy[name] for each in seeds]).value:.0%} {name}" for name in names)
    return "right answers: " + ", ".join(shares)


def draw(results: Results) -> Figure:
    """For each task its gates along one story; below, the answers under each intervention."""
    figure, charts = style.subplots(10.5, 2.6 * len(results) + 3.4, rows=len(results) + 1)
    for axes, (task, seeds) in zip(charts, results.items(), strict=False):
        names = [*(f"{gate}, mean" for gate in CONTRASTS), f"forget, unit {seeds[0].unit}"]
        columns = stories.words(example_of(stories_of(task)))
        heatmap.draw(axes, seeds[0].example, rows=names, columns=columns, title=f"{task}, seed 1", scale="gate")
    _dots(charts[-1], results)
    return figure


def _dots(axes: Axes, results: Results) -> None:
    """A row for each intervention, the first one on top, with a mark for each task."""
    for index, (task, seeds) in enumerate(results.items()):
        color, marker, _ = style.series_style(index)
        names = list(seeds[0].accuracy)
        found = [_merged([each.accuracy[name] for each in seeds]) for name in names]
        errors = 100 * np.array([[each.value - each.low for each in found], [each.high - each.value for each in found]])
        axes.errorbar(
            [100 * each.value for each in found],
            np.arange(len(names)) + 0.2 * (index - (len(results) - 1) / 2),
            xerr=errors,
            color=color,
            marker=marker,
            linestyle="none",
            label=task,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(
        xlabel="right answers, %, mean over seeds with the outermost bounds of their 95 % intervals", xlim=(-3, 103)
    )
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)  # inside it would cover values


EXPERIMENT = Experiment(
    question=QUESTION, defaults=Settings(seeds=3, updates=1000, task="both"), run=run, tasks=(*stories.TASKS, "both")
)
