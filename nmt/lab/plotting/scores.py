"""Scores of systems with the range over their seeds: a panel for each test set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nmt.evaluation.averages import Averages
from nmt.lab.plotting import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRIC = "bleu"


def draw(found: Sequence[Averages]) -> Figure:
    """A row for each system, the first on top: its mean with the 95 % interval over sentences, and a dot a seed."""
    height = 0.9 + 0.42 * max(len(each.rows) for each in found)
    figure, panels = style.subplots(7.4, height * len(found), rows=len(found))
    for axes, each in zip(panels, found, strict=True):
        _panel(axes, each)
    return figure


def _panel(axes: Axes, found: Averages) -> None:
    interval, seed = style.series_style(0), style.series_style(1)
    for place, row in enumerate(found.rows):
        average = row.averages[METRIC]
        if average.low is not None and average.high is not None:
            axes.plot([average.low, average.high], [place, place], color=interval.color, linewidth=6, alpha=0.3)
        values = [result.scores.metrics[METRIC].value for result in row.row.results]
        axes.plot(values, [place] * len(values), color=seed.color, marker=seed.marker, linestyle="", markersize=4)
        axes.plot([average.mean], [place], color=interval.color, marker="|", markersize=16, markeredgewidth=2)
    axes.set_yticks(range(len(found.rows)), [_label(found, place) for place in range(len(found.rows))])
    axes.set_ylim(len(found.rows) - 0.5, -0.5)
    name = found.rows[0].averages[METRIC].name
    axes.set_xlabel(f"{name} on {found.test.name} ({found.languages}): mean, 95 % over sentences, a square a seed")
    axes.grid(False, axis="y")


def _label(found: Averages, place: int) -> str:
    """The system, with its beam where it stands in several rows, and the mark of significance."""
    row = found.rows[place]
    several = [other.row.system for other in found.rows].count(row.row.system) > 1
    beam = f", beam {row.row.search.get('beam')}" if several else ""
    mark = " *" if row.differences and row.differences[METRIC].significant else ""
    return f"{row.row.system}{beam}{mark}"
