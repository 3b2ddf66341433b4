"""Gaps: does a fact survive the words between its statement and the question?

A source is a fact, n filler words and a question; the target is the answer. Tasks: `identifier`, as in "the router
XG-1000", asks to repeat three symbols in a combination that training does not contain; `fluent`, as in "grew up in
France", asks for the language that belongs to one of twenty countries. Fillers are drawn uniformly and are never facts.
Models are trained with at most twenty fillers and tested with up to a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch

from nmt.atomic import JsonObject
from nmt.data.batches import Batch, collate
from nmt.errors import Log
from nmt.lab.experiments.architectures import recurrent, transformer
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.intervals import wilson
from nmt.lab.experiments.learning import FIRST_TOKEN, exact, learn
from nmt.lab.plotting import curves, style
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "Does a name survive the words between its two mentions?"

TRAINED = 20
"""Filler words at most in training; more are extrapolation."""
SYMBOLS, KNOWN, COUNTRIES, FILLERS = 36, 4000, 20, 50
"""Symbols of identifiers, identifiers in training (of 36 x 36 x 36), countries, and filler words."""
MARK, ASK, FILLER = FIRST_TOKEN, FIRST_TOKEN + 1, FIRST_TOKEN + 2
FACT = FILLER + FILLERS
"""The first id of facts and answers."""
IDENTIFIERS = np.random.default_rng(0).permutation(SYMBOLS**3)
"""Identifiers as numbers, those of training first."""

GAPS = (0, 5, 10, 20, 50, 100)
IN_TRAINING = tuple(gap <= TRAINED for gap in GAPS)
EXAMPLES = 300
"""Test examples at each gap, the same for every model and seed."""
BATCH, PEAK = 32, 5e-3
PEAKS = {"tanh": 2e-3}
"""Learning rates of models that learn better with another one: tanh at 0.005 has half the accuracy."""
GOOD = 0.9
"""The accuracy from which a gap counts as bridged."""

Facts: TypeAlias = Callable[[np.random.Generator, int, bool], tuple[np.ndarray, np.ndarray]]
"""Draws facts and their answers, ``(batch, token)`` each: those of training (True) or of the test."""


class Task(NamedTuple):
    """What has to be remembered."""

    title: str
    vocabulary: int
    facts: Facts


def identifiers(generator: np.random.Generator, count: int, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """Three symbols each, with the same as answer. Training and test share no identifier."""
    numbers = generator.choice(IDENTIFIERS[:KNOWN] if training else IDENTIFIERS[KNOWN:], count)
    symbols = FACT + np.stack(np.unravel_index(numbers, (SYMBOLS,) * 3), 1)
    return symbols, symbols


def countries(generator: np.random.Generator, count: int, training: bool) -> tuple[np.ndarray, np.ndarray]:
    """A country each, with its language as answer. The test asks for pairs of training, since they must be learned."""
    country = FACT + generator.integers(COUNTRIES, size=(count, 1))
    return country, COUNTRIES + country


TASKS = {
    "identifier": Task("the router XG-1000 … which router?", FACT + SYMBOLS, identifiers),
    "fluent": Task("grew up in France … fluent in?", FACT + 2 * COUNTRIES, countries),
}


def draw_batch(generator: np.random.Generator, task: Task, gap: int, count: int, *, training: bool) -> Batch:
    """Sources of a mark, a fact, ``gap`` fillers and a question."""
    facts, answers = task.facts(generator, count, training)
    fillers = FILLER + generator.integers(FILLERS, size=(count, gap))
    one = np.ones((count, 1), int)
    return collate(np.concatenate([MARK * one, facts, fillers, ASK * one], 1).tolist(), answers.tolist())


def draw_gap(generator: np.random.Generator) -> int:
    """A gap of training, 0 to `TRAINED`, uniform on a logarithmic scale: half of the gaps are at most 3, as a start."""
    return int((TRAINED + 2) ** generator.random()) - 1


MODELS: dict[str, Callable[[int], TranslationModel]] = {
    "tanh": lambda vocabulary: recurrent(vocabulary, cell="tanh"),
    "gru": lambda vocabulary: recurrent(vocabulary, cell="gru"),
    "lstm": lambda vocabulary: recurrent(vocabulary),
    "attention": lambda vocabulary: recurrent(vocabulary, attention="bahdanau", direction="both"),
    "transformer": lambda vocabulary: transformer(vocabulary),
}

Shares: TypeAlias = tuple[float, ...]
"""Exact answers at each of `GAPS`, in 0..1."""


class Measurement(NamedTuple):
    """One model on one task: its parameters, and the accuracies of each seed."""

    parameters: int
    seeds: list[Shares]


ByModel: TypeAlias = dict[str, Measurement]
Results: TypeAlias = dict[str, ByModel]
"""By task and model."""


def measure(model: TranslationModel, task: Task) -> Shares:
    """The share of exact answers at each gap."""
    batches = (draw_batch(np.random.default_rng([0, gap]), task, gap, EXAMPLES, training=False) for gap in GAPS)
    return tuple(float(exact(model, batch).mean()) for batch in batches)


def run(settings: Settings, log: Log) -> Outcome:
    """Trains each model on each task with each seed, on the same batches."""
    results: Results = {}
    for name, task in TASKS.items():
        if settings.task not in (name, "both"):
            continue
        results[name] = {cell: Measurement(parameters(MODELS[cell](task.vocabulary)), []) for cell in settings.cells}
        for cell, measured in results[name].items():
            for seed in range(1, settings.seeds + 1):
                measured.seeds.append(_trained(task, cell, seed, settings.updates))
                shares = zip(GAPS, measured.seeds[-1], strict=True)
                log(f"{name}, {cell}, seed {seed}: {', '.join(f'{share:.0%} at {gap}' for gap, share in shares)}")
    return report(results, settings)


def _trained(task: Task, cell: str, seed: int, updates: int) -> Shares:
    torch.manual_seed(seed)
    model = MODELS[cell](task.vocabulary)
    learn(
        model,
        lambda generator: draw_batch(generator, task, draw_gap(generator), BATCH, training=True),
        updates=updates,
        seed=seed,
        peak=PEAKS.get(cell, PEAK),
    )
    return measure(model, task)


def reach(shares: Shares) -> int | None:
    """The longest gap up to which all tested gaps are bridged; None if not even gap 0 is."""
    failed = next((index for index, share in enumerate(shares) if share < GOOD), len(GAPS))
    return GAPS[failed - 1] if failed else None


COLUMNS = (
    "task",
    "model",
    "parameters",
    *(f"n={gap}{'' if known else '*'} %" for gap, known in zip(GAPS, IN_TRAINING, strict=True)),
    "n@90 % per seed",
)


def report(results: Results, settings: Settings) -> Outcome:
    """The outcome, with a row for each task and model."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=COLUMNS,
        rows=tuple(_row(task, cell, measured) for task, models in results.items() for cell, measured in models.items()),
        claims=claims(results),
        notes=(
            "exact answers over n filler words, mean over seeds; bands in the figure and numbers of claims span the "
            "seeds",
            f"*: more fillers than the {TRAINED} of training, extrapolation",
            f"n@90 %: the longest gap tested up to which all have at least {GOOD:.0%}, of each seed; - where not even "
            "n=0 has",
        ),
        details={
            task: {cell: _details(measured) for cell, measured in models.items()} for task, models in results.items()
        },
        figure=lambda: draw(results),
    )


def _row(task: str, cell: str, measured: Measurement) -> tuple[Value, ...]:
    reached = " ".join("-" if found is None else str(found) for found in map(reach, measured.seeds))
    return (task, cell, measured.parameters, *(100 * share for share in _mean(measured)), reached)


def _mean(measured: Measurement) -> list[float]:
    mean: list[float] = np.mean(measured.seeds, axis=0).tolist()
    return mean


def _details(measured: Measurement) -> JsonObject:
    """Each seed's accuracy at each gap with Wilson's 95 % interval over test examples."""
    intervals = [[wilson(round(share * EXAMPLES), EXAMPLES)._asdict() for share in shares] for shares in measured.seeds]
    return {"gaps": GAPS, "n@90": [reach(shares) for shares in measured.seeds], "seeds": intervals}


def _conditions(settings: Settings) -> JsonObject:
    return {
        "models": "hidden 64, embedding 32, one layer, thought vector at every step, read forward (attention: "
        "bahdanau, both ways); Transformer width 64, 2+2 layers",
        "identifiers": f"3 of {SYMBOLS} symbols; {KNOWN} identifiers in training, others in the test",
        "countries": COUNTRIES,
        "fillers": f"{FILLERS} words, drawn evenly, none of them a fact",
        "fillers in training": f"0 to {TRAINED} per batch, evenly on a logarithmic scale",
        "test examples": f"{EXAMPLES} at each gap",
        "seeds": settings.seeds,
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine; " + ", ".join(f"{cell} {peak:g}" for cell, peak in PEAKS.items()),
        "gradient clipping": "norm 1",
        "precision": "fp32",
    }


def claims(results: Results) -> tuple[Claim, ...]:
    """B7, if tanh and lstm were measured on `fluent`, and B8, if any model was on `identifier`."""
    fluent, identifier = (results.get(task, {}) for task in ("fluent", "identifier"))
    found: list[Claim] = []
    if {"tanh", "lstm"} <= fluent.keys():
        found.append(Claim(id="B7", number=_number("the right language", fluent), verdict=judge_gates(fluent)))
    if identifier:
        number = _number("the identifier, never seen in training,", identifier)
        found.append(Claim(id="B8", number=number, verdict=judge_copying(identifier)))
    return tuple(found)


def judge_gates(models: ByModel) -> Verdict:
    """It holds if in every seed lstm bridges all gaps of training and tanh does not.

    It holds under conditions if lstm bridges longer gaps on average. It is not answered if none bridges even gap 0.
    """
    tanh, lstm = (
        [-1 if (found := reach(shares)) is None else found for shares in models[cell].seeds]
        for cell in ("tanh", "lstm")
    )
    if max(*lstm, *tanh) < 0:
        return "not answered"
    if min(lstm) >= TRAINED > max(tanh):
        return "holds"
    return "holds under conditions" if np.mean(lstm) > np.mean(tanh) else "does not hold"


def judge_copying(models: ByModel) -> Verdict:
    """It holds if every model bridges all gaps.

    It holds under conditions if some model bridges the gaps of training in every seed. It is not answered if none
    bridges even gap 0.
    """
    if all(reach(shares) is None for measured in models.values() for shares in measured.seeds):
        return "not answered"
    reached = [[reach(shares) or 0 for shares in measured.seeds] for measured in models.values()]
    if min(map(min, reached)) == GAPS[-1]:
        return "holds"
    return "holds under conditions" if max(map(min, reached)) >= TRAINED else "does not hold"


def _number(what: str, models: ByModel) -> str:
    """Accuracies without a gap, at the longest gap of training and beyond it, from the worst to the best seed."""
    places = [GAPS.index(gap) for gap in (0, TRAINED, GAPS[-1])]
    found = [
        f"{cell} " + " / ".join(_range([shares[place] for shares in measured.seeds]) for place in places)
        for cell, measured in models.items()
    ]
    gaps = f"0 / {TRAINED} / {GAPS[-1]} filler words, of which training had at most {TRAINED}"
    return f"{what} after {gaps}: {'; '.join(found)}"


def _range(shares: Sequence[float]) -> str:
    low, high = f"{100 * min(shares):.0f}", f"{100 * max(shares):.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def draw(results: Results) -> Figure:
    """One chart for each task: accuracy by gap, with bands from the worst to the best seed."""
    figure, charts = style.subplots(4.8 * len(results), 4.0, columns=len(results))
    for axes, (task, models) in zip(charts, results.items(), strict=True):
        _chart(axes, TASKS[task].title, models)
    return figure


def _chart(axes: Axes, title: str, models: ByModel) -> None:
    places = range(len(GAPS))  # equidistant, since the shortest gaps would overlap
    curves.draw(
        axes,
        [_curve(cell, measured, places) for cell, measured in models.items()],
        x="filler words (shaded: more than in training)",
        y="exact answers, %",
        title=title,
    )
    axes.set(ylim=(-3, 103))
    axes.set_xticks(places, [str(gap) for gap in GAPS])
    axes.axvspan(IN_TRAINING.index(False) - 0.5, len(GAPS) - 0.8, color="#f1f3f5", zorder=0)


def _curve(cell: str, measured: Measurement, places: Sequence[int]) -> curves.Curve:
    low, high = 100 * np.min(measured.seeds, axis=0), 100 * np.max(measured.seeds, axis=0)
    return curves.Curve(cell, places, [100 * share for share in _mean(measured)], low.tolist(), high.tolist())


EXPERIMENT = Experiment(
    question=QUESTION,
    defaults=Settings(cells=tuple(MODELS), seeds=2, updates=1000, task="both"),
    run=run,
    known=tuple(MODELS),
    tasks=(*TASKS, "both"),
)
