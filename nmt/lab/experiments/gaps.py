"""Gaps: does what was said once survive the words before it is asked for?

Each model is trained on facts with at most twenty filler words behind them (`facts.py`) and asked again with up to a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch

from nmt.lab.experiments.experiment import Cell, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.facts import COUNTRIES, FILLERS, KNOWN, SYMBOLS, TASKS, TRAINED, Task, draw_batch, draw_gap
from nmt.lab.experiments.intervals import wilson
from nmt.lab.experiments.learning import exact, learn, recurrent, transformer
from nmt.lab.plotting import curves, style
from nmt.models.protocol import TranslationModel
from nmt.models.registry import parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "Does a name survive the words between its two mentions?"
GAPS = (0, 5, 10, 20, 50, 100)
LEARNED = tuple(gap <= TRAINED for gap in GAPS)
EXAMPLES = 300
"""Test examples at each gap, the same for every model and seed."""
BATCH, PEAK = 32, 5e-3
SLOWER = {"tanh": 2e-3}
"""Learning rates of models that learn more at another one: a plain network at 0.005 is right half as often."""
GOOD = 0.9
"""Accuracy that counts as remembering."""

Shares: TypeAlias = tuple[float, ...]
"""Exact answers at each of `GAPS`, in 0..1."""


class Measured(NamedTuple):
    """One model: its parameters, and what each seed answered."""

    parameters: int
    seeds: list[Shares]


ByModel: TypeAlias = dict[str, Measured]
"""Of one task, by model."""


MODELS: dict[str, Callable[[int], TranslationModel]] = {
    "tanh": lambda vocabulary: recurrent(vocabulary, cell="tanh"),
    "gru": lambda vocabulary: recurrent(vocabulary, cell="gru"),
    "lstm": lambda vocabulary: recurrent(vocabulary),
    "attention": lambda vocabulary: recurrent(vocabulary, attention="bahdanau", direction="both"),
    "transformer": lambda vocabulary: transformer(vocabulary),
}


def measure(model: TranslationModel, task: Task) -> Shares:
    """The share of exact answers at each gap."""
    batches = (draw_batch(np.random.default_rng([0, gap]), task, gap, EXAMPLES, training=False) for gap in GAPS)
    return tuple(float(exact(model, batch).mean()) for batch in batches)


def run(options: Options, log: Log) -> Outcome:
    """Trains each model on each task with each seed, on the same batches."""
    assert options.cells is not None
    assert options.seeds is not None
    assert options.updates is not None
    assert options.task is not None
    results: dict[str, ByModel] = {}
    for name, task in TASKS.items():
        if options.task not in (name, "both"):
            continue
        results[name] = {cell: Measured(parameters(MODELS[cell](task.vocabulary)), []) for cell in options.cells}
        for cell, measured in results[name].items():
            for seed in range(1, options.seeds + 1):
                measured.seeds.append(_trained(task, cell, seed, options.updates))
                log(
                    f"{name}, {cell}, seed {seed}: "
                    + ", ".join(f"{share:.0%} at {gap}" for gap, share in zip(GAPS, measured.seeds[-1], strict=True))
                )
    return report(results, options)


def _trained(task: Task, cell: str, seed: int, updates: int) -> Shares:
    torch.manual_seed(seed)
    model = MODELS[cell](task.vocabulary)
    learn(
        model,
        lambda generator: draw_batch(generator, task, draw_gap(generator), BATCH, training=True),
        updates=updates,
        seed=seed,
        peak=SLOWER.get(cell, PEAK),
    )
    return measure(model, task)


def reach(shares: Shares) -> int | None:
    """The longest gap up to which every tested one is bridged; None where not even the fact right before the question is known."""
    lost = next((place for place, share in enumerate(shares) if share < GOOD), len(GAPS))
    return GAPS[lost - 1] if lost else None


COLUMNS = (
    "task",
    "model",
    "parameters",
    *(f"n={gap}{'' if known else '*'} %" for gap, known in zip(GAPS, LEARNED, strict=True)),
    "n@90 % per seed",
)


def report(results: dict[str, ByModel], options: Options) -> Outcome:
    """The outcome for models by task and model."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
        columns=COLUMNS,
        rows=tuple(_row(task, cell, measured) for task, models in results.items() for cell, measured in models.items()),
        claims=claims(results),
        notes=(
            "exact answers over n filler words, mean over seeds; bands in the figure and numbers of claims span the seeds",
            f"*: more fillers than the {TRAINED} of training, extrapolation",
            f"n@90 %: the longest gap tested up to which all have at least {GOOD:.0%}, of each seed; - where not even n=0 has",
        ),
        details={
            task: {cell: _details(measured) for cell, measured in models.items()} for task, models in results.items()
        },
        figure=lambda: draw(results),
    )


def _row(task: str, cell: str, measured: Measured) -> tuple[Cell, ...]:
    reached = " ".join("-" if found is None else str(found) for found in map(reach, measured.seeds))
    return (task, cell, measured.parameters, *(100 * share for share in _mean(measured)), reached)


def _mean(measured: Measured) -> list[float]:
    mean: list[float] = np.mean(measured.seeds, axis=0).tolist()
    return mean


def _details(measured: Measured) -> dict[str, object]:
    """Each seed's accuracies at each gap, with Wilson's 95 % interval over test examples."""
    intervals = [[wilson(round(share * EXAMPLES), EXAMPLES)._asdict() for share in shares] for shares in measured.seeds]
    return {"gaps": GAPS, "n@90": [reach(shares) for shares in measured.seeds], "seeds": intervals}


def _conditions(options: Options) -> dict[str, object]:
    return {
        "models": "hidden 64, embedding 32, one layer, thought vector at every step, read forward (attention: bahdanau, both ways); Transformer width 64, 2+2 layers",
        "identifiers": f"3 of {SYMBOLS} symbols; {KNOWN} identifiers in training, others in the test",
        "countries": COUNTRIES,
        "fillers": f"{FILLERS} words, drawn evenly, none of them a fact",
        "fillers in training": f"0 to {TRAINED} per batch, evenly on a logarithmic scale",
        "test examples": f"{EXAMPLES} at each gap",
        "seeds": options.seeds,
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine; " + ", ".join(f"{cell} {peak:g}" for cell, peak in SLOWER.items()),
        "gradient clipping": "norm 1",
        "precision": "fp32",
    }


def claims(results: dict[str, ByModel]) -> tuple[Claim, ...]:
    """B7, where a plain network and an LSTM were measured, and B8 of whatever models were."""
    fluent, identifier = (results.get(task, {}) for task in ("fluent", "identifier"))
    found = (
        [Claim(id="B7", number=_number("the right language", fluent), verdict=_gated(fluent))]
        if {"tanh", "lstm"} <= fluent.keys()
        else []
    )
    if identifier:
        found.append(
            Claim(
                id="B8",
                number=_number("the identifier, never seen in training,", identifier),
                verdict=_copied(identifier),
            )
        )
    return tuple(found)


def _gated(models: ByModel) -> Verdict:
    """It holds if in every seed the LSTM bridges all gaps of training and the plain network does not; in part if it gets further at all."""
    plain, gated = (
        [-1 if (found := reach(shares)) is None else found for shares in models[cell].seeds]
        for cell in ("tanh", "lstm")
    )
    if min(gated) >= TRAINED > max(plain):
        return "holds"
    return "holds under conditions" if np.mean(gated) > np.mean(plain) else "does not hold"


def _copied(models: ByModel) -> Verdict:
    """It holds if every model copies over all gaps tested; in part if some model does in every seed, if only over the gaps of training."""
    reached = [[reach(shares) or 0 for shares in measured.seeds] for measured in models.values()]
    if min(map(min, reached)) == GAPS[-1]:
        return "holds"
    return "holds under conditions" if max(map(min, reached)) >= TRAINED else "does not hold"


def _number(what: str, models: ByModel) -> str:
    """Accuracies right before the question, at the longest gap of training and beyond it, from the worst to the best seed."""
    places = [GAPS.index(gap) for gap in (0, TRAINED, GAPS[-1])]
    found = [
        f"{cell} " + " / ".join(_span([shares[place] for shares in measured.seeds]) for place in places)
        for cell, measured in models.items()
    ]
    return (
        f"{what} after 0 / {TRAINED} / {GAPS[-1]} filler words, of which training had at most {TRAINED}: "
        + "; ".join(found)
    )


def _span(shares: Sequence[float]) -> str:
    low, high = f"{100 * min(shares):.0f}", f"{100 * max(shares):.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def draw(results: dict[str, ByModel]) -> Figure:
    """Accuracy against the gap, a panel for each task, bands from the worst to the best seed."""
    figure, panels = style.subplots(4.8 * len(results), 4.0, columns=len(results))
    for panel, (task, models) in zip(panels, results.items(), strict=True):
        _panel(panel, TASKS[task].title, models)
    return figure


def _panel(axes: Axes, title: str, models: ByModel) -> None:
    places = range(len(GAPS))  # at equal distances: the shortest gaps would else lie on each other
    curves.draw(
        axes,
        [_curve(cell, measured, places) for cell, measured in models.items()],
        x="filler words (shaded: more than in training)",
        y="exact answers, %",
        title=title,
    )
    axes.set(ylim=(-3, 103))
    axes.set_xticks(places, [str(gap) for gap in GAPS])
    axes.axvspan(LEARNED.index(False) - 0.5, len(GAPS) - 0.8, color="#f1f3f5", zorder=0)


def _curve(cell: str, measured: Measured, places: Sequence[int]) -> curves.Curve:
    low, high = 100 * np.min(measured.seeds, axis=0), 100 * np.max(measured.seeds, axis=0)
    return curves.Curve(cell, places, [100 * share for share in _mean(measured)], low.tolist(), high.tolist())


EXPERIMENT = Experiment(
    question=QUESTION,
    defaults=Options(cells=tuple(MODELS), seeds=2, updates=1000, task="both"),
    run=run,
    known=tuple(MODELS),
    tasks=(*TASKS, "both"),
)
