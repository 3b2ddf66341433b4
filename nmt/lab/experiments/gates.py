"""Gates: what an LSTM does when the king dies.

An encoder-decoder of which the decoder sees the thought vector alone reads stories and says who rules. Its gates are compared at the
events with those at filler words, and then its memory is operated on: gates are held open, and the cell or the hidden state is wiped out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import torch

from nmt.lab.experiments import stories
from nmt.lab.experiments.contrasts import Contrast
from nmt.lab.experiments.experiment import Cell, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.intervals import Interval
from nmt.lab.experiments.learning import learn, recurrent
from nmt.lab.experiments.readings import CONTRASTS, STORIES, Reading, example_of, read, told_in
from nmt.lab.experiments.surgery import ALWAYS, AT_CROWNS, AT_DEATHS, INTACT, NEITHER, NO_CELL, NO_HIDDEN
from nmt.lab.plotting import heatmap, style
from nmt.models.recurrent import RecurrentModel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "What do the gates of an LSTM do when the king dies?"
HIDDEN, BATCH, PEAK = 64, 32, 5e-3
ABLE, LITTLE = 0.95, 0.05
"""Accuracy of a model that understands the stories, and a loss of it that hardly counts."""


class Judged(NamedTuple):
    """Whether one model bears out a claim, wholly or at least in part."""

    wholly: bool
    partly: bool


Results: TypeAlias = dict[str, list[Reading]]
"""By task, a reading for each seed."""


def run(options: Options, log: Log) -> Outcome:
    """Trains a model on each task with each seed, and reads it."""
    assert options.seeds is not None
    assert options.updates is not None
    assert options.task is not None
    results: Results = {task: [] for task in stories.TASKS if options.task in (task, "both")}
    for task, readings in results.items():
        told = told_in(task)
        for seed in range(1, options.seeds + 1):
            readings.append(read(_trained(task, seed, options.updates), told))
            log(f"{task}, seed {seed}: {readings[-1].accuracy[INTACT].value:.1%} of answers right")
    return report(results, options)


def _trained(task: str, seed: int, updates: int) -> RecurrentModel:
    torch.manual_seed(seed)
    model = recurrent(stories.VOCABULARY, hidden=HIDDEN, embedding=HIDDEN)
    assert isinstance(model, RecurrentModel)
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


def report(results: Results, options: Options) -> Outcome:
    """The outcome for readings by task."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
        columns=COLUMNS,
        rows=tuple(row for task, readings in results.items() for row in _rows(task, readings)),
        claims=claims(results),
        notes=(
            "right answers, and means of a gate over units at an event minus at the filler words of the same stories; values are means over seeds",
            "low and high: the lowest and the highest bound of the seeds' 95 % intervals over stories (Wilson; bootstrap)",
            "AUC: how often the gate is further open at an event than at a filler word",
            "*: against a bystander's death, the same word, in the unit that closes most for kings on one half of the stories, measured on the other",
            "deaths: of kings and of bystanders; midway: between the word that settles the answer and the question",
        ),
        details={task: _details(task, readings) for task, readings in results.items()},
        figure=lambda: draw(results),
    )


def _rows(task: str, readings: Sequence[Reading]) -> Iterator[tuple[Cell, ...]]:
    for name in readings[0].accuracy:
        yield (task, f"right, {name}", *_merged([reading.accuracy[name] for reading in readings]), None, None, None)
    for gate, events in CONTRASTS.items():
        for event in events:
            yield (
                task,
                f"{gate} gate, {event}",
                *_merged_contrasts([reading.contrasts[gate][event] for reading in readings]),
            )
    yield (
        task,
        "forget gate of one unit, king dies*",
        *_merged_contrasts([reading.unit_contrast for reading in readings]),
    )


def _merged(intervals: Sequence[Interval]) -> Interval:
    """The mean of the seeds' values, and their outermost bounds."""
    values, lows, highs = zip(*intervals, strict=True)
    return Interval(float(np.mean(values)), min(lows), max(highs))


def _merged_contrasts(found: Sequence[Contrast]) -> tuple[float, ...]:
    means = (float(np.mean([getattr(each, name) for each in found])) for name in ("there", "elsewhere", "auc"))
    return (*_merged([each.difference for each in found]), *means)


def _details(task: str, readings: Sequence[Reading]) -> dict[str, Any]:
    return {"example": stories.words(example_of(told_in(task))), "seeds": [_detail(reading) for reading in readings]}


def _detail(reading: Reading) -> dict[str, Any]:
    return {
        "accuracy": {name: interval._asdict() for name, interval in reading.accuracy.items()},
        "gates": {
            gate: {event: _plain(each) for event, each in events.items()} for gate, events in reading.contrasts.items()
        },
        "unit": {"unit": reading.unit, **_plain(reading.unit_contrast)},
        "example": reading.example,
    }


def _plain(found: Contrast) -> dict[str, Any]:
    return {**found._asdict(), "difference": found.difference._asdict()}


def _conditions(options: Options) -> dict[str, object]:
    return {
        "model": f"LSTM, hidden and embedding {HIDDEN}, one layer, thought vector at every step, read forward, forget bias 1",
        "stories": f"{stories.LENGTH} pieces, {len(stories.NAMES)} names, 1 to {stories.REIGNS} kings, 2 bystanders, {stories.FILLERS} filler words",
        "empty thrones": ", ".join(f"{task} {share:.0%}" for task, share in stories.TASKS.items()),
        "test stories": STORIES,
        "seeds": options.seeds,
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "gradient clipping": "norm 1",
        "precision": "fp32",
    }


def claims(results: Results) -> tuple[Claim, ...]:
    """C3, C4 and C5."""
    asked = (("C3", _forgetting, _forgets), ("C4", _letting, _lets), ("C5", _remembering, _remembers))
    return tuple(
        Claim(
            id=id,
            number="; ".join(f"{task}: {number(readings)}" for task, readings in results.items()),
            verdict=_verdict(results, judge),
        )
        for id, number, judge in asked
    )


def _verdict(results: Results, judge: Callable[[Reading], Judged]) -> Verdict:
    """A claim holds if it does in every seed of every task, by models that understand the stories; in part if in every seed of some task."""
    judged = [
        [judge(reading) for reading in readings if reading.accuracy[INTACT].value >= ABLE]
        for readings in results.values()
    ]
    able = [task for task, readings in zip(judged, results.values(), strict=True) if len(task) == len(readings)]
    if len(able) == len(results) and all(each.wholly for task in able for each in task):
        return "holds"
    return "holds under conditions" if any(all(each.partly for each in task) for task in able) else "does not hold"


def _forgets(reading: Reading) -> Judged:
    """The forget gate closes when a king dies, further than for a bystander, and answers suffer where it must not; or it closes for whomever,
    and they suffer if it never may."""
    accuracy, closing = (
        reading.accuracy,
        {event: found.difference for event, found in reading.contrasts["forget"].items()},
    )
    closes, told_apart = closing["king dies"].high < 0, closing["king dies"].high < closing["bystander dies"].low
    suffers, ever = (accuracy[name].high < accuracy[INTACT].low for name in (AT_DEATHS, ALWAYS))
    return Judged(closes and told_apart and suffers, closes and ever)


def _lets(reading: Reading) -> Judged:
    """The input gate opens at coronations and the output gate at the question, or one of them does."""
    opens = [
        reading.contrasts[gate][event].difference.low > 0
        for gate, event in (("input", "king rules"), ("output", "question"))
    ]
    return Judged(all(opens), any(opens))


def _remembers(reading: Reading) -> Judged:
    """Midway and before the question, the cell alone knows nearly all and the hidden state alone at most half; or it knows more."""
    intact, accuracy = reading.accuracy[INTACT].value, reading.accuracy
    states = [(accuracy[NO_HIDDEN[when]], accuracy[NO_CELL[when]]) for when in NO_CELL]
    wholly = all(cell.value >= intact - LITTLE and hidden.value <= intact / 2 for cell, hidden in states)
    return Judged(wholly, all(cell.low > hidden.high for cell, hidden in states))


def _forgetting(readings: Sequence[Reading]) -> str:
    gates = ", ".join(
        f"{event} {_difference(readings, 'forget', event)}" for event in ("king dies", "bystander dies", "king rules")
    )
    unit = _signed(_merged([reading.unit_contrast.difference for reading in readings]))
    return (
        f"forget gate against fillers: {gates}, king against bystander in the unit that tells them apart {unit}; "
        + _rights(readings, INTACT, ALWAYS, AT_DEATHS, AT_CROWNS)
    )


def _letting(readings: Sequence[Reading]) -> str:
    inputs, outputs = (
        ", ".join(f"{event} {_difference(readings, gate, event)}" for event in CONTRASTS[gate])
        for gate in ("input", "output")
    )
    return f"against fillers, input gate: {inputs}; output gate: {outputs}"


def _remembering(readings: Sequence[Reading]) -> str:
    return _rights(readings, INTACT, *NO_HIDDEN.values(), *NO_CELL.values(), NEITHER)


def _difference(readings: Sequence[Reading], gate: str, event: str) -> str:
    return _signed(_merged([reading.contrasts[gate][event].difference for reading in readings]))


def _signed(found: Interval) -> str:
    return f"{found.value:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def _rights(readings: Sequence[Reading], *names: str) -> str:
    """Right answers under each surgery, mean over seeds."""
    shares = (f"{_merged([reading.accuracy[name] for reading in readings]).value:.0%} {name}" for name in names)
    return "right answers: " + ", ".join(shares)


def draw(results: Results) -> Figure:
    """For each task its gates along one story; below, what each operation leaves of the answers."""
    figure, panels = style.subplots(10.5, 2.6 * len(results) + 3.4, rows=len(results) + 1)
    for panel, (task, readings) in zip(panels, results.items(), strict=False):
        names = [*(f"{gate}, mean" for gate in CONTRASTS), f"forget, unit {readings[0].unit}"]
        columns = stories.words(example_of(told_in(task)))
        heatmap.draw(panel, readings[0].example, rows=names, columns=columns, title=f"{task}, seed 1", scale="gate")
    _dots(panels[-1], results)
    return figure


def _dots(axes: Axes, results: Results) -> None:
    """A row for each surgery, the first one on top, with a mark for each task."""
    for place, (task, readings) in enumerate(results.items()):
        colour, marker, _ = style.series_style(place)
        names = list(readings[0].accuracy)
        found = [_merged([reading.accuracy[name] for reading in readings]) for name in names]
        errors = 100 * np.array([[each.value - each.low for each in found], [each.high - each.value for each in found]])
        rows = np.arange(len(names)) + 0.2 * (place - (len(results) - 1) / 2)
        axes.errorbar(
            [100 * each.value for each in found],
            rows,
            xerr=errors,
            color=colour,
            marker=marker,
            linestyle="none",
            label=task,
        )
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(
        xlabel="right answers, %, mean over seeds with the outermost bounds of their 95 % intervals", xlim=(-3, 103)
    )
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)  # inside, it would hide values


EXPERIMENT = Experiment(
    question=QUESTION, defaults=Options(seeds=3, updates=1000, task="both"), run=run, tasks=(*stories.TASKS, "both")
)
