"""Gaps: does what was said once survive the words before it is asked for?

Each model is trained on facts with at most twenty filler words behind them (`facts.py`) and asked again with up to a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch

from nmt.lab.experiments.experiment import Cell, Claim, Finding, Log, Options, Probe, Verdict
from nmt.lab.experiments.facts import COUNTRIES, FILLERS, KNOWN, SYMBOLS, TASKS, TRAINED, Task, draw_batch, draw_gap
from nmt.lab.experiments.intervals import wilson
from nmt.lab.experiments.learning import exact, learn, recurrent, transformer
from nmt.lab.plotting import canvas, curves
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


class Outcome(NamedTuple):
    """One model: its parameters, and what each seed answered."""

    parameters: int
    seeds: list[Shares]


Outcomes: TypeAlias = dict[str, Outcome]
"""Of one task, by model."""


MODELS: dict[str, Callable[[int], TranslationModel]] = {
    "tanh": lambda vocabulary: recurrent(vocabulary, cell="tanh"),
    "gru": lambda vocabulary: recurrent(vocabulary, cell="gru"),
    "lstm": lambda vocabulary: recurrent(vocabulary),
    "attention": lambda vocabulary: recurrent(vocabulary, reader="bahdanau", direction="both"),
    "transformer": lambda vocabulary: transformer(vocabulary),
}


def measure(model: TranslationModel, task: Task) -> Shares:
    """The share of exact answers at each gap."""
    batches = (draw_batch(np.random.default_rng([0, gap]), task, gap, EXAMPLES, training=False) for gap in GAPS)
    return tuple(float(exact(model, batch).mean()) for batch in batches)


def run(options: Options, log: Log) -> Finding:
    """Trains each model on each task with each seed, on the same batches."""
    assert options.cells is not None
    assert options.seeds is not None
    assert options.updates is not None
    assert options.task is not None
    results: dict[str, Outcomes] = {}
    for name, task in TASKS.items():
        if options.task not in (name, "both"):
            continue
        results[name] = {cell: Outcome(parameters(MODELS[cell](task.vocabulary)), []) for cell in options.cells}
        for cell, outcome in results[name].items():
            for seed in range(1, options.seeds + 1):
                outcome.seeds.append(_trained(task, cell, seed, options.updates))
                log(
                    f"{name}, {cell}, seed {seed}: "
                    + ", ".join(f"{share:.0%} at {gap}" for gap, share in zip(GAPS, outcome.seeds[-1], strict=True))
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


def report(results: dict[str, Outcomes], options: Options) -> Finding:
    """The finding for outcomes by task and model."""
    return Finding(
        question=QUESTION,
        conditions=_conditions(options),
        columns=COLUMNS,
        rows=tuple(
            _row(task, cell, outcome) for task, outcomes in results.items() for cell, outcome in outcomes.items()
        ),
        claims=claims(results),
        notes=(
            "exact answers over n filler words, mean over seeds; bands in the figure and numbers of claims span the seeds",
            f"*: more fillers than the {TRAINED} of training, extrapolation",
            f"n@90 %: the longest gap tested up to which all have at least {GOOD:.0%}, of each seed; - where not even n=0 has",
        ),
        details={
            task: {cell: _details(outcome) for cell, outcome in outcomes.items()} for task, outcomes in results.items()
        },
        figure=lambda: draw(results),
    )


def _row(task: str, cell: str, outcome: Outcome) -> tuple[Cell, ...]:
    reached = " ".join("-" if found is None else str(found) for found in map(reach, outcome.seeds))
    return (task, cell, outcome.parameters, *(100 * share for share in _mean(outcome)), reached)


def _mean(outcome: Outcome) -> list[float]:
    mean: list[float] = np.mean(outcome.seeds, axis=0).tolist()
    return mean


def _details(outcome: Outcome) -> dict[str, object]:
    """Each seed's accuracies at each gap, with Wilson's 95 % interval over test examples."""
    intervals = [[wilson(round(share * EXAMPLES), EXAMPLES)._asdict() for share in shares] for shares in outcome.seeds]
    return {"gaps": GAPS, "n@90": [reach(shares) for shares in outcome.seeds], "seeds": intervals}


def _conditions(options: Options) -> dict[str, object]:
    return {
        "models": "hidden 64, embedding 32, one layer, reader fixed, read forward (attention: bahdanau, both ways); Transformer width 64, 2+2 layers",
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


def claims(results: dict[str, Outcomes]) -> tuple[Claim, ...]:
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


def _gated(outcomes: Outcomes) -> Verdict:
    """It holds if in every seed the LSTM bridges all gaps of training and the plain network does not; in part if it gets further at all."""
    plain, gated = (
        [-1 if (found := reach(shares)) is None else found for shares in outcomes[cell].seeds]
        for cell in ("tanh", "lstm")
    )
    if min(gated) >= TRAINED > max(plain):
        return "holds"
    return "holds under conditions" if np.mean(gated) > np.mean(plain) else "does not hold"


def _copied(outcomes: Outcomes) -> Verdict:
    """It holds if every model copies over all gaps tested; in part if some model does in every seed, if only over the gaps of training."""
    reached = [[reach(shares) or 0 for shares in outcome.seeds] for outcome in outcomes.values()]
    if min(map(min, reached)) == GAPS[-1]:
        return "holds"
    return "holds under conditions" if max(map(min, reached)) >= TRAINED else "does not hold"


def _number(what: str, outcomes: Outcomes) -> str:
    """Accuracies right before the question, at the longest gap of training and beyond it, from the worst to the best seed."""
    places = [GAPS.index(gap) for gap in (0, TRAINED, GAPS[-1])]
    found = [
        f"{cell} " + " / ".join(_span([shares[place] for shares in outcome.seeds]) for place in places)
        for cell, outcome in outcomes.items()
    ]
    return (
        f"{what} after 0 / {TRAINED} / {GAPS[-1]} filler words, of which training had at most {TRAINED}: "
        + "; ".join(found)
    )


def _span(shares: Sequence[float]) -> str:
    low, high = f"{100 * min(shares):.0f}", f"{100 * max(shares):.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def draw(results: dict[str, Outcomes]) -> Figure:
    """Accuracy against the gap, a panel for each task, bands from the worst to the best seed."""
    figure, panels = canvas.sheet(4.8 * len(results), 4.0, columns=len(results))
    for panel, (task, outcomes) in zip(panels, results.items(), strict=True):
        _panel(panel, TASKS[task].title, outcomes)
    return figure


def _panel(axes: Axes, title: str, outcomes: Outcomes) -> None:
    places = range(len(GAPS))  # at equal distances: the shortest gaps would else lie on each other
    curves.draw(
        axes,
        [_curve(cell, outcome, places) for cell, outcome in outcomes.items()],
        x="filler words (shaded: more than in training)",
        y="exact answers, %",
        title=title,
    )
    axes.set(ylim=(-3, 103))
    axes.set_xticks(places, [str(gap) for gap in GAPS])
    axes.axvspan(LEARNED.index(False) - 0.5, len(GAPS) - 0.8, color="#f1f3f5", zorder=0)


def _curve(cell: str, outcome: Outcome, places: Sequence[int]) -> curves.Curve:
    low, high = 100 * np.min(outcome.seeds, axis=0), 100 * np.max(outcome.seeds, axis=0)
    return curves.Curve(cell, places, [100 * share for share in _mean(outcome)], low.tolist(), high.tolist())


PROBE = Probe(
    question=QUESTION,
    defaults=Options(cells=tuple(MODELS), seeds=2, updates=1000, task="both"),
    run=run,
    known=tuple(MODELS),
    tasks=(*TASKS, "both"),
)
