"""Parameters: what does a GRU save against an LSTM, and what do gates cost?

Compared are parameters, time, score, overfitting, and the effect of more layers. All models reverse strings through a
thought vector (`reversal`). Scores come from training on fresh strings, overfitting from training on a few strings
again and again, both on the same held-out strings. All models of a seed see the same batches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING

import numpy as np
import torch

from nmt.atomic import JsonObject
from nmt.errors import Log
from nmt.lab.experiments.architectures import EMBEDDING, HIDDEN, reading_cells
from nmt.lab.experiments.experiment import Claim, Experiment, Outcome, Settings, Value, Verdict
from nmt.lab.experiments.intervals import Interval, student
from nmt.lab.experiments.learning import learn
from nmt.lab.experiments.reversal import (
    BATCH,
    FEW,
    HELD_OUT,
    LETTERS,
    LONGEST,
    PEAK,
    SHORTEST,
    Losses,
    Score,
    Shape,
    on_few,
    on_fresh,
    reversing,
    strings,
)
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve
from nmt.models.cells import Cell
from nmt.models.recurrent import RecurrentModel
from nmt.models.registry import parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "What does a GRU save against an LSTM, in parameters, time and quality?"
WIDTHS = ((32, 32), (64, 64), (256, 256), (256, 512), (620, 1000))
"""Widths of input and state of the layers whose parameters are counted; the last are those of Bahdanau et al. 2015."""
STACKS = ((2, False), (2, True), (4, False), (4, True))
"""Layers, and whether they are residual, of the deeper models."""
TIMED, ROUNDS, UPDATES = (HIDDEN, 256), 7, 8
"""Hidden units of the timed models; rounds, and updates in each."""
FEWER, FASTER, EQUAL = (0.28, 0.32), 2 / 3, 2.0
"""What the claim means: "30 % fewer" lies between these shares, "much faster" takes at most this share of the time, and
"just as accurate" has an interval of the difference within these points."""


@dataclass(frozen=True)
class Results:
    """All measurements. Models of a single layer come first, one for each cell."""

    scores: dict[Shape, list[Score]]
    """By seed."""
    losses: dict[str, list[Losses]]
    """By cell and seed."""
    seconds: dict[int, dict[str, list[float]]]
    """Time of an update, by hidden units, cell and round."""

    @property
    def cells(self) -> list[str]:
        return list(self.losses)

    def learned(self, *cells: str) -> bool:
        """Whether some model of these cells reverses more strings than none, within `EQUAL` points."""
        found = (each for shape, each in self.scores.items() if shape.cell in cells)
        return any(fmean(score.exact for score in each) > EQUAL for each in found)

    def times(self, cell: str, other: str) -> dict[int, list[float]]:
        """Ratios of the time of one cell to that of another, by hidden units and round."""
        return {
            hidden: [a / b for a, b in zip(each[cell], each[other], strict=True)]
            for hidden, each in self.seconds.items()
        }


def recurrent_parameters(model: RecurrentModel) -> int:
    """The parameters of the cells of encoder and decoder, with two bias vectors each as in torch."""
    return sum(map(_count, (*reading_cells(model), *model.cells)))


def _count(cell: Cell) -> int:
    return sum(parameter.numel() for parameter in cell.parameters())


def layer_parameters(cell: str) -> dict[str, int]:
    """The parameters of one layer, by the widths of its input and its state."""
    with torch.device("meta"):  # without memory for the weights
        return {f"{width}/{hidden}": _count(Cell(cell, width, hidden)) for width, hidden in WIDTHS}


def run(settings: Settings, log: Log) -> Outcome:
    """Times the cells, then trains every model with each seed."""
    shapes = [*map(Shape, settings.cells), *(Shape(settings.cells[0], *stack) for stack in STACKS)]
    seconds = {hidden: _seconds(settings.cells, hidden) for hidden in TIMED}
    results = Results({shape: [] for shape in shapes}, {cell: [] for cell in settings.cells}, seconds)
    held_out = strings(np.random.default_rng(0), HELD_OUT)
    for seed in range(1, settings.seeds + 1):
        for shape in shapes:
            score = on_fresh(shape, seed, settings.updates, held_out)
            results.scores[shape].append(score)
            log(f"{shape.name}, seed {seed}: {score.exact:.1f} % exact, held-out loss {score.loss:.3f}")
        for cell in settings.cells:
            losses = on_few(Shape(cell), seed, settings.updates, held_out)
            results.losses[cell].append(losses)
            found = f"training loss {losses.training:.3f}, held-out loss {losses.held_out:.3f}"
            log(f"{cell} on {FEW} strings, seed {seed}: {found}")
    return report(results, settings)


def _seconds(cells: Sequence[str], hidden: int) -> dict[str, list[float]]:
    """Processor time of an update in seconds, by cell and round. The cells take turns; a first round is not counted."""
    batches = [reversing(strings(np.random.default_rng(place), BATCH)) for place in range(UPDATES)]
    models = {cell: Shape(cell).model(0, hidden) for cell in cells}
    taken: dict[str, list[float]] = {cell: [] for cell in cells}
    for _ in range(ROUNDS + 1):
        for cell, model in models.items():
            start = time.process_time()
            learn(model, lambda generator: batches[generator.integers(UPDATES)], updates=UPDATES, seed=0, peak=3e-3)
            taken[cell].append((time.process_time() - start) / UPDATES)
    return {cell: each[1:] for cell, each in taken.items()}


def report(results: Results, settings: Settings) -> Outcome:
    """The outcome, with a row for each model, and the claims whose models were all trained."""
    cells, first = set(results.cells), results.cells[0]
    claims = [claim_c6(results)] if {"gru", "lstm"} <= cells else []
    claims += [claim_c7(results)] if "tanh" in cells and len(cells) > 1 else []
    return Outcome(
        question=QUESTION,
        conditions=_conditions(settings),
        columns=(
            "model",
            "recurrent parameters",
            "all parameters",
            "ms",
            f"time/{first}",
            "exact, %",
            "95 % from",
            "95 % to",
            "loss",
            "gap",
        ),
        rows=tuple(_row(shape, results) for shape in results.scores),
        claims=(*claims, claim_d3(results)),
        notes=(
            "exact: held-out strings reversed without error; loss: held-out, in nats per token; both after training "
            "on fresh strings",
            "ms: processor time of an update, median of rounds; gap: held-out minus training loss after training on "
            f"{FEW} strings",
        ),
        details={
            "parameters of a layer": {cell: layer_parameters(cell) for cell in results.cells},
            "seconds": results.seconds,
            "scores": {shape.name: [score._asdict() for score in each] for shape, each in results.scores.items()},
            "losses": {cell: [losses._asdict() for losses in each] for cell, each in results.losses.items()},
        },
        figure=lambda: draw(results),
    )


def _row(shape: Shape, results: Results) -> tuple[Value, ...]:
    """Only models of a single layer were timed and trained on few strings."""
    model, scores = shape.model(0), results.scores[shape]
    right = student([score.exact for score in scores])
    bounds = (right.low, right.high) if len(scores) > 1 else (None, None)
    taken = ratio = gap = None
    if shape.layers == 1:
        taken = 1000 * median(results.seconds[HIDDEN][shape.cell])
        ratio = median(results.times(shape.cell, results.cells[0])[HIDDEN])
        gap = fmean(losses.gap for losses in results.losses[shape.cell])
    loss = fmean(score.loss for score in scores)
    return (shape.name, recurrent_parameters(model), parameters(model), taken, ratio, right.value, *bounds, loss, gap)


def _conditions(settings: Settings) -> JsonObject:
    return {
        "task": f"strings of {SHORTEST} to {LONGEST} letters out of {LETTERS}, reversed",
        "model": f"thought vector at every step, source read forward, embedding {EMBEDDING}, hidden {HIDDEN}",
        "held out": f"{HELD_OUT} strings, which are left out of training",
        "few": f"{FEW} strings a seed",
        "updates": settings.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "seeds": settings.seeds,
        "times": f"{ROUNDS} rounds of {UPDATES} updates in turn, hidden {' and '.join(map(str, TIMED))}",
        "threads": torch.get_num_threads(),
        "precision": "fp32",
        "intervals": "95 % over seeds by Student's t, differences paired by seed",
    }


def claim_c6(results: Results) -> Claim:
    """C6: a GRU has fewer parameters, is faster, and as accurate; each part is judged."""
    saved = [
        1 - gru / lstm
        for gru, lstm in zip(layer_parameters("gru").values(), layer_parameters("lstm").values(), strict=True)
    ]
    times = results.times("gru", "lstm")
    gru, lstm = ([score.exact for score in results.scores[Shape(cell)]] for cell in ("gru", "lstm"))
    better = _paired(gru, lstm)
    fewer = " to ".join(dict.fromkeys(f"{100 * bound:.2f}" for bound in (min(saved), max(saved))))
    number = (
        f"a GRU layer has {fewer} % fewer parameters than an LSTM layer at each of {len(saved)} widths; an update "
        f"takes {_factors(times)} times as long; {fmean(gru):.1f} % of strings exact against {fmean(lstm):.1f} %, a "
        f"difference of {_points(better)}: {_compared(better, lstm)}"
    )
    parts = [
        FEWER[0] <= min(saved) <= max(saved) <= FEWER[1],
        all(median(each) <= FASTER for each in times.values()),
        _equal(better, lstm),
    ]
    return Claim(id="C6", number=number, verdict=_verdict(results.learned("gru", "lstm"), parts))


def claim_c7(results: Results) -> Claim:
    """C7: gates cost time, and their parameters overfit.

    Judged are three parts: each gated cell is slower than tanh in every round; its gap between training and held-out
    loss is wider; and that gap costs, so its held-out loss is not lower.
    """
    gated = [cell for cell in results.cells if cell != "tanh"]
    times = {cell: results.times(cell, "tanh") for cell in gated}
    held_out, gaps = (
        {cell: [getattr(one, name) for one in each] for cell, each in results.losses.items()}
        for name in ("held_out", "gap")
    )
    wider, lower = ({cell: _paired(each[cell], each["tanh"]) for cell in gated} for each in (gaps, held_out))
    number = "; ".join(
        f"{cell}: an update takes {_factors(times[cell])} times as long as tanh's; after {FEW} strings its gap is "
        f"wider by {_points(wider[cell])} nats, its held-out loss {fmean(held_out[cell]):.2f} against "
        f"{fmean(held_out['tanh']):.2f}, {_points(lower[cell])}"
        for cell in gated
    )
    slower = all(min(rounds) > 1 for cell in gated for rounds in times[cell].values())
    overfits = all(each.low > 0 for each in wider.values())
    harmless = any(each.high < 0 for each in lower.values())
    return Claim(
        id="C7",
        number=number,
        verdict=_verdict(results.learned(*results.cells), [slower, overfits, overfits and not harmless]),
    )


def claim_d3(results: Results) -> Claim:
    """D3: a second layer lowers the held-out loss, and so do residual connections in a deep stack."""
    cell = results.cells[0]

    def gain(shape: Shape, over: Shape) -> Interval:
        return _paired(*([score.loss for score in results.scores[each]] for each in (over, shape)))

    second, deep = gain(Shape(cell, 2), Shape(cell)), gain(Shape(cell, 4), Shape(cell))
    residual, both = gain(Shape(cell, 4, True), Shape(cell, 4)), gain(Shape(cell, 4, True), Shape(cell))
    number = (
        f"{cell}, held-out loss at equal updates, lower by nats per token: 2 plain layers than 1 by {_points(second)}; "
        f"4 plain layers than 1 by {_points(deep)}; 4 residual layers than 4 plain ones by {_points(residual)}, and "
        f"than 1 by {_points(both)}"
    )
    return Claim(id="D3", number=number, verdict=_verdict(results.learned(cell), [second.low > 0, residual.low > 0]))


def _verdict(learned: bool, parts: Sequence[bool]) -> Verdict:
    """By how many parts of a claim hold; not answered if no model has learned the task."""
    if not learned:
        return "not answered"
    return "holds" if all(parts) else "holds under conditions" if any(parts) else "does not hold"


def _paired(values: Sequence[float], others: Sequence[float]) -> Interval:
    return student([mine - its for mine, its in zip(values, others, strict=True)])


def _equal(difference: Interval, scores: Sequence[float]) -> bool:
    """Whether the whole interval is near 0, of scores that are not near 0 or 100 %."""
    return -EQUAL <= difference.low <= difference.high <= EQUAL and EQUAL < fmean(scores) < 100 - EQUAL


def _compared(better: Interval, scores: Sequence[float]) -> str:
    """The difference in words. An interval that contains 0 does not show that there is no difference."""
    if better.low > 0 or better.high < 0:
        return f"the GRU is {'better' if better.low > 0 else 'worse'}"
    return (
        f"the same within {EQUAL:g} points"
        if _equal(better, scores)
        else f"no significant difference, but not shown to be within {EQUAL:g} points"
    )


def _factors(times: dict[int, list[float]]) -> str:
    return " and ".join(
        f"{median(each):.2f} ({min(each):.2f} to {max(each):.2f} in rounds, hidden {hidden})"
        for hidden, each in times.items()
    )


def _points(interval: Interval) -> str:
    bounds = f"{interval.low:+.3g} to {interval.high:+.3g}" if math.isfinite(interval.low) else "one seed"
    return f"{interval.value:+.3g} ({bounds})"


def draw(results: Results) -> Figure:
    """Four charts: time and score by cell, both losses on few strings, held-out loss by depth."""
    figure, (time_axes, exact_axes, few_axes, depth_axes) = style.subplots(9.0, 6.6, rows=2, columns=2)
    cells, losses = results.cells, results.losses.values()
    times = {
        f"hidden {hidden}": [[1000 * one for one in each] for each in taken.values()]
        for hidden, taken in results.seconds.items()
    }
    _dots(time_axes, cells, times, title="Time of an update", y="processor time, ms")
    exact = [[score.exact for score in results.scores[Shape(cell)]] for cell in cells]
    _dots(exact_axes, cells, {"a seed": exact}, title="Trained on fresh strings", y="held-out strings exact, %")
    few = {
        "training": [[one.training for one in each] for each in losses],
        "held out": [[one.held_out for one in each] for each in losses],
    }
    _dots(few_axes, cells, few, title=f"Trained on {FEW} strings", y="loss, nats per token")
    stacks = [_by_depth(results, residual) for residual in (False, True)]
    curves.draw(
        depth_axes, stacks, x="layers", y="held-out loss, nats per token", title=f"Stacks of {cells[0]}", log_x=True
    )
    return figure


def _dots(axes: Axes, names: Sequence[str], series: dict[str, list[list[float]]], *, title: str, y: str) -> None:
    """For each name a column of dots in every series, with a dash at their median."""
    for index, (label, columns) in enumerate(series.items()):
        color, marker, _ = style.series_style(index)
        for column, values in enumerate(columns):
            x = column + 0.3 * (index - (len(series) - 1) / 2)
            axes.plot(
                [x] * len(values),
                values,
                color=color,
                marker=marker,
                linestyle="",
                alpha=0.6,
                label=label if column == 0 else None,
            )
            axes.hlines(median(values), x - 0.12, x + 0.12, color=color)
    axes.set_xticks(range(len(names)), names)
    axes.set(title=title, ylabel=y, xlim=(-0.5, len(names) - 0.5))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    if len(series) > 1:
        axes.legend(ncols=2, loc="upper center", frameon=False)


def _by_depth(results: Results, residual: bool) -> Curve:
    """Means over seeds with a band from the lowest to the highest."""
    shapes = [
        shape
        for shape in results.scores
        if shape.cell == results.cells[0] and (shape.layers == 1 or shape.residual == residual)
    ]
    losses = [[score.loss for score in results.scores[shape]] for shape in shapes]
    label = "residual" if residual else "plain"
    return Curve(
        label, [shape.layers for shape in shapes], [*map(fmean, losses)], [*map(min, losses)], [*map(max, losses)]
    )


CELLS = ("lstm", "gru", "tanh")
EXPERIMENT = Experiment(question=QUESTION, defaults=Settings(cells=CELLS, seeds=5, updates=250), run=run, known=CELLS)
