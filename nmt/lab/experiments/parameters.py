"""What a GRU saves against an LSTM, and gates against none: parameters, time, score and overfitting; and what layers add.

All models reverse strings through a thought vector. Scores are measured with models trained on fresh strings, overfitting with models
trained on a few strings again and again, both on the same held-out strings. In a seed, all models see the same batches.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nmt.lab.experiments.experiment import Cell as Value, Claim, Experiment, Log, Options, Outcome, Verdict
from nmt.lab.experiments.intervals import Interval, student
from nmt.lab.experiments.learning import learn
from nmt.lab.experiments.reversal import (
    BATCH,
    EMBEDDING,
    FEW,
    HELD_OUT,
    HIDDEN,
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
from nmt.models.registry import parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

QUESTION = "What does a GRU save against an LSTM, in parameters, time and quality?"
WIDTHS = ((32, 32), (64, 64), (256, 256), (256, 512), (620, 1000))
"""Widths of input and state at which the parameters of a layer are counted; the last are those of Bahdanau et al. 2015."""
STACKS = ((2, False), (2, True), (4, False), (4, True))
"""Layers, and whether they are residual, of the stacks beside the single layer."""
TIMED, ROUNDS, UPDATES = (HIDDEN, 256), 7, 8
"""Hidden units of the models that are timed; rounds, and updates in each."""
FEWER, FASTER, EQUAL = (0.28, 0.32), 2 / 3, 2.0
"""How the story's words are read: "30 % fewer" lies between these shares, "much faster" takes at most this share of the time, and "just as
accurate" has an interval of the difference that lies within these points."""


@dataclass(frozen=True)
class Results:
    """All that was measured. The single layers come first, one for each cell."""

    scores: dict[Shape, list[Score]]
    """By seed."""
    losses: dict[str, list[Losses]]
    """By cell and seed."""
    seconds: dict[int, dict[str, list[float]]]
    """Of an update, by hidden units, cell and round."""

    @property
    def cells(self) -> list[str]:
        return list(self.losses)

    def times(self, cell: str, other: str) -> dict[int, list[float]]:
        """Time of one cell over that of another, by hidden units and round."""
        return {
            hidden: [a / b for a, b in zip(each[cell], each[other], strict=True)]
            for hidden, each in self.seconds.items()
        }


def recurrent_parameters(model: torch.nn.Module) -> int:
    """Numbers in recurrent layers, two bias vectors each as torch has them."""
    return sum(each.numel() for part in model.modules() if isinstance(part, Cell) for each in part.parameters())


def layer_parameters(cell: str) -> dict[str, int]:
    """Numbers in one layer, by the widths of its input and its state."""
    with torch.device("meta"):  # counted, and not filled in
        return {f"{width}/{hidden}": recurrent_parameters(Cell(cell, width, hidden)) for width, hidden in WIDTHS}


def run(options: Options, log: Log) -> Outcome:
    """Times the cells, then trains every model with each seed."""
    assert options.cells is not None
    assert options.seeds is not None
    assert options.updates is not None
    shapes = [*map(Shape, options.cells), *(Shape(options.cells[0], *stack) for stack in STACKS)]
    seconds = {hidden: _seconds(options.cells, hidden) for hidden in TIMED}
    results = Results({shape: [] for shape in shapes}, {cell: [] for cell in options.cells}, seconds)
    held_out = strings(np.random.default_rng(0), HELD_OUT)
    for seed in range(1, options.seeds + 1):
        for shape in shapes:
            score = on_fresh(shape, seed, options.updates, held_out)
            results.scores[shape].append(score)
            log(f"{shape.name}, seed {seed}: {score.exact:.1f} % exact, held-out loss {score.loss:.3f}")
        for cell in options.cells:
            losses = on_few(Shape(cell), seed, options.updates, held_out)
            results.losses[cell].append(losses)
            log(
                f"{cell} on {FEW} strings, seed {seed}: training loss {losses.training:.3f}, held-out loss {losses.held_out:.3f}"
            )
    return report(results, options)


def _seconds(cells: Sequence[str], hidden: int) -> dict[str, list[float]]:
    """Processor seconds an update, which other programs do not lengthen; the cells take turns on the same batches, and a first round warms up."""
    batches = [reversing(strings(np.random.default_rng(place), BATCH)) for place in range(UPDATES)]
    models = {cell: Shape(cell).model(0, hidden) for cell in cells}
    taken: dict[str, list[float]] = {cell: [] for cell in cells}
    for _ in range(ROUNDS + 1):
        for cell, model in models.items():
            start = time.process_time()
            learn(model, lambda generator: batches[generator.integers(UPDATES)], updates=UPDATES, seed=0)
            taken[cell].append((time.process_time() - start) / UPDATES)
    return {cell: each[1:] for cell, each in taken.items()}


def report(results: Results, options: Options) -> Outcome:
    """The outcome, with those claims whose models were all trained."""
    cells, first = set(results.cells), results.cells[0]
    claims = [claim_c6(results)] if {"gru", "lstm"} <= cells else []
    claims += [claim_c7(results)] if "tanh" in cells and len(cells) > 1 else []
    return Outcome(
        question=QUESTION,
        conditions=_conditions(options),
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
            "exact: held-out strings reversed without error; loss: held-out, in nats a piece; both after training on fresh strings",
            f"ms: processor time of an update, median of rounds; gap: held-out minus training loss after training on {FEW} strings",
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
    """Only single layers were timed and trained on few strings."""
    model, scores, right = (
        shape.model(0),
        results.scores[shape],
        student([score.exact for score in results.scores[shape]]),
    )
    bounds = (right.low, right.high) if len(scores) > 1 else (None, None)
    taken = ratio = gap = None
    if shape.layers == 1:
        taken = 1000 * median(results.seconds[HIDDEN][shape.cell])
        ratio = median(results.times(shape.cell, results.cells[0])[HIDDEN])
        gap = fmean(losses.gap for losses in results.losses[shape.cell])
    loss = fmean(score.loss for score in scores)
    return (shape.name, recurrent_parameters(model), parameters(model), taken, ratio, right.value, *bounds, loss, gap)


def _conditions(options: Options) -> dict[str, Any]:
    return {
        "task": f"strings of {SHORTEST} to {LONGEST} letters out of {LETTERS}, reversed",
        "model": f"thought vector at every step, source read forward, embedding {EMBEDDING}, hidden {HIDDEN}",
        "held out": f"{HELD_OUT} strings, which are left out of training",
        "few": f"{FEW} strings a seed",
        "updates": options.updates,
        "batch": BATCH,
        "learning rate": f"{PEAK:g}, cosine",
        "seeds": options.seeds,
        "times": f"{ROUNDS} rounds of {UPDATES} updates in turn, hidden {' and '.join(map(str, TIMED))}",
        "threads": torch.get_num_threads(),
        "precision": "fp32",
        "intervals": "95 % over seeds by Student's t, differences paired by seed",
    }


def claim_c6(results: Results) -> Claim:
    """Fewer parameters, faster, as accurate: each as the story has it, or not."""
    saved = [
        1 - gru / lstm
        for gru, lstm in zip(layer_parameters("gru").values(), layer_parameters("lstm").values(), strict=True)
    ]
    times, gru, lstm = (
        results.times("gru", "lstm"),
        *([score.exact for score in results.scores[Shape(cell)]] for cell in ("gru", "lstm")),
    )
    better = _paired(gru, lstm)
    fewer = " to ".join(dict.fromkeys(f"{100 * bound:.2f}" for bound in (min(saved), max(saved))))
    number = (
        f"a GRU layer has {fewer} % fewer parameters than an LSTM layer at each of {len(saved)} widths; an update takes {_factors(times)} times as "
        f"long; {fmean(gru):.1f} % of strings exact against {fmean(lstm):.1f} %, a difference of {_points(better)}: {_compared(better, lstm)}"
    )
    parts = [
        FEWER[0] <= min(saved) <= max(saved) <= FEWER[1],
        all(median(each) <= FASTER for each in times.values()),
        _equal(better, lstm),
    ]
    return Claim(id="C6", number=number, verdict=_verdict(parts))


def claim_c7(results: Results) -> Claim:
    """Against tanh, gates take longer in every round, widen the gap between training and held-out loss, and that gap costs: with it
    the held-out loss is no lower."""
    gated = [cell for cell in results.cells if cell != "tanh"]
    times = {cell: results.times(cell, "tanh") for cell in gated}
    held_out, gaps = (
        {cell: [getattr(one, name) for one in each] for cell, each in results.losses.items()}
        for name in ("held_out", "gap")
    )
    wider, lower = ({cell: _paired(each[cell], each["tanh"]) for cell in gated} for each in (gaps, held_out))
    number = "; ".join(
        f"{cell}: an update takes {_factors(times[cell])} times as long as tanh's; after {FEW} strings its gap is wider by {_points(wider[cell])} "
        f"nats, its held-out loss {fmean(held_out[cell]):.2f} against {fmean(held_out['tanh']):.2f}, {_points(lower[cell])}"
        for cell in gated
    )
    slower = all(min(rounds) > 1 for cell in gated for rounds in times[cell].values())
    overfits = all(each.low > 0 for each in wider.values())
    harmless = any(each.high < 0 for each in lower.values())
    return Claim(id="C7", number=number, verdict=_verdict([slower, overfits, overfits and not harmless]))


def claim_d3(results: Results) -> Claim:
    """A second layer lowers the held-out loss, and so do residual connections in a deep stack."""
    cell = results.cells[0]

    def gain(shape: Shape, over: Shape) -> Interval:
        return _paired(*([score.loss for score in results.scores[each]] for each in (over, shape)))

    second, deep = gain(Shape(cell, 2), Shape(cell)), gain(Shape(cell, 4), Shape(cell))
    residual, both = gain(Shape(cell, 4, True), Shape(cell, 4)), gain(Shape(cell, 4, True), Shape(cell))
    number = (
        f"{cell}, held-out loss at equal updates, lower by nats a piece: 2 plain layers than 1 by {_points(second)}; 4 plain layers than 1 by "
        f"{_points(deep)}; 4 residual layers than 4 plain ones by {_points(residual)}, and than 1 by {_points(both)}"
    )
    return Claim(id="D3", number=number, verdict=_verdict([second.low > 0, residual.low > 0]))


def _verdict(parts: Sequence[bool]) -> Verdict:
    """By how many parts of a claim were found to be so."""
    return "holds" if all(parts) else "holds under conditions" if any(parts) else "does not hold"


def _paired(values: Sequence[float], others: Sequence[float]) -> Interval:
    return student([mine - its for mine, its in zip(values, others, strict=True)])


def _equal(difference: Interval, scores: Sequence[float]) -> bool:
    """Whether the whole interval is near 0, of models that are neither all wrong nor all right."""
    return -EQUAL <= difference.low <= difference.high <= EQUAL and EQUAL < fmean(scores) < 100 - EQUAL


def _compared(better: Interval, scores: Sequence[float]) -> str:
    """What may be said of a difference; that 0 lies within its interval does not show that there is none."""
    if better.low > 0 or better.high < 0:
        return f"the GRU is {'better' if better.low > 0 else 'worse'}"
    return (
        f"the same within {EQUAL:g} points"
        if _equal(better, scores)
        else f"not told apart, nor shown to be within {EQUAL:g} points"
    )


def _factors(times: dict[int, list[float]]) -> str:
    return " and ".join(
        f"{median(each):.2f} ({min(each):.2f} to {max(each):.2f} in rounds, hidden {hidden})"
        for hidden, each in times.items()
    )


def _points(interval: Interval) -> str:
    return f"{interval.value:+.3g} ({f'{interval.low:+.3g} to {interval.high:+.3g}' if math.isfinite(interval.low) else 'one seed'})"


def draw(results: Results) -> Figure:
    """Time and score by cell, both losses on few strings, held-out loss by depth."""
    figure, (time_panel, exact_panel, few_panel, depth_panel) = style.subplots(9.0, 6.6, rows=2, columns=2)
    cells, losses = results.cells, results.losses.values()
    times = {
        f"hidden {hidden}": [[1000 * one for one in each] for each in taken.values()]
        for hidden, taken in results.seconds.items()
    }
    _dots(time_panel, cells, times, title="Time of an update", y="processor time, ms")
    exact = [[score.exact for score in results.scores[Shape(cell)]] for cell in cells]
    _dots(exact_panel, cells, {"a seed": exact}, title="Trained on fresh strings", y="held-out strings exact, %")
    few = {
        "training": [[one.training for one in each] for each in losses],
        "held out": [[one.held_out for one in each] for each in losses],
    }
    _dots(few_panel, cells, few, title=f"Trained on {FEW} strings", y="loss, nats a piece")
    stacks = [_by_depth(results, residual) for residual in (False, True)]
    curves.draw(
        depth_panel, stacks, x="layers", y="held-out loss, nats a piece", title=f"Stacks of {cells[0]}", log_x=True
    )
    return figure


def _dots(axes: Axes, names: Sequence[str], series: dict[str, list[list[float]]], *, title: str, y: str) -> None:
    """For each name a column of dots in every series, side by side, with a dash at their median."""
    for place, (label, columns) in enumerate(series.items()):
        colour, marker, _ = style.series_style(place)
        for column, values in enumerate(columns):
            x = column + 0.3 * (place - (len(series) - 1) / 2)
            axes.plot(
                [x] * len(values),
                values,
                color=colour,
                marker=marker,
                linestyle="",
                alpha=0.6,
                label=label if column == 0 else None,
            )
            axes.hlines(median(values), x - 0.12, x + 0.12, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set(title=title, ylabel=y, xlim=(-0.5, len(names) - 0.5))
    axes.set_ylim(0, 1.25 * axes.get_ylim()[1])  # room for the legend
    if len(series) > 1:
        axes.legend(ncols=2, loc="upper center", frameon=False)


def _by_depth(results: Results, residual: bool) -> Curve:
    """Means over seeds, with a band from the least to the most."""
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
EXPERIMENT = Experiment(question=QUESTION, defaults=Options(cells=CELLS, seeds=5, updates=250), run=run, known=CELLS)
