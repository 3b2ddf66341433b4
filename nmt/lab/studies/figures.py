"""The figures of the bottleneck report. A system has the same colour and marker in all of them.

A saved figure is one column of panels, each as wide as a phone; the page sets panels side by side where there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.lab.plotting import style
from nmt.lab.plotting.style import SeriesStyle, series_style
from nmt.lab.studies.analysis import Analysis, Width, mean_over_seeds
from nmt.lab.studies.costs import Crossing
from nmt.lab.studies.verdicts import SMALL, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.4, 3.3
"""Inches of a panel."""
GREY = "#6b7280"
LABEL_HEIGHT = 0.055
"""Height of a label beside an axis from 0 to 1."""
LEGEND_OFFSET = 3.4
"""Distance of a legend below an axis in heights of a letter, leaving room for ticks and the axis label."""
TWO_COLUMNS = 20
"""Letters of the longest label in a legend of two columns."""
ONE_BY_ONE = (0, (4, 2))
"""The dash of what was translated one by one."""


@dataclass(frozen=True)
class Panel:
    """One picture with its text alternative."""

    draw: Callable[[Axes], None]
    alt: str


@dataclass(frozen=True)
class Chart:
    """A figure: the stem of its files, caption and panels."""

    name: str
    caption: str
    panels: tuple[Panel, ...]

    def save(self, folder: Path) -> list[Path]:
        """Writes NAME.svg and NAME.png."""
        figure, axes = style.subplots(WIDTH, HEIGHT * len(self.panels), rows=len(self.panels))
        for panel, place in zip(self.panels, axes, strict=True):
            panel.draw(place)
        return style.save(figure, folder / self.name)


def svg(panel: Panel) -> str:
    """One panel by itself."""
    figure, (axes,) = style.subplots(WIDTH, HEIGHT)
    panel.draw(axes)
    return style.svg(figure)


def charts(found: Analysis) -> list[Chart]:
    """The figures with at least one panel."""
    languages = found.conditions.languages
    made = [
        Chart("cost", "Cost of concatenation: mean and range over seeds.", tuple(_cost_panels(found))),
        Chart(
            "capacity",
            "k50 and the share of BLEU kept, by width of the thought vector.",
            tuple(_capacity_panels(found)),
        ),
        Chart(
            "positions",
            f"Quality at each position, {languages}: concatenated and one by one.",
            tuple(_position_panels(found)),
        ),
    ]
    return [chart for chart in made if chart.panels]


def styles(found: Analysis) -> dict[str, SeriesStyle]:
    """The style of each system, which does not depend on the runs that are finished."""
    main = [found.baseline, found.vector, found.transformer]
    others = [name for name in found.core if name not in main]
    directions = [name for pair in found.directions() for name in pair]
    return {name: series_style(place) for place, name in enumerate([*main, *directions, *others]) if name}


def _cost_panels(found: Analysis) -> Iterator[Panel]:
    for beam in sorted(found.conditions.beams, reverse=True):
        names = [name for name in found.core if found.values(name, found.size, beam=beam)]
        if names and found.sizes:
            means = {
                name: [cost.mean for size in found.sizes if (cost := found.cost(name, size, beam=beam))]
                for name in names
            }
            costs = "; ".join(f"{found.title(name)} {', '.join(map(number, each))}" for name, each in means.items())
            sizes = ", ".join(map(str, found.sizes))
            yield Panel(
                partial(_cost, found, beam), f"Cost of concatenation in BLEU at k = {sizes}, beam {beam}: {costs}."
            )


def _cost(found: Analysis, beam: int, axes: Axes) -> None:
    for name in found.core:
        costs = [(size, cost) for size in (1, *found.sizes) if (cost := found.cost(name, size, beam=beam))]
        band = ([cost.smallest for _, cost in costs], [cost.largest for _, cost in costs])
        means = [cost.mean for _, cost in costs]
        _line(axes, styles(found)[name], [size for size, _ in costs], means, found.title(name), band)
    title = "Greedy search" if beam == 1 else f"Beam {beam}"
    axes.set(xlabel="sentences translated at once (k)", ylabel="cost in BLEU", title=title)
    axes.set_xticks([1, *found.sizes])
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, SMALL))
    axes.legend(frameon=False)


def _capacity_panels(found: Analysis) -> Iterator[Panel]:
    widths = found.widths()
    if len(widths) > 1:
        last = max(found.sizes)
        k50 = (
            f"{width.width} numbers: {f'more than {last}' if width.k50 == inf else number(width.k50)}"
            for width in widths
        )
        yield Panel(partial(_k50, found, widths), f"k50 of thought vectors by width: {', '.join(k50)}.")
        alt = "Share of BLEU kept at each k, one line for each width; the numbers are in the table."
        yield Panel(partial(_kept, found, widths), alt)


def _k50(found: Analysis, widths: Sequence[Width], axes: Axes) -> None:
    """k50 against width; values beyond the largest k are drawn there as an arrow."""
    last, color = max(found.sizes), series_style(1).color
    axes.plot([width.width for width in widths], [min(width.k50, last) for width in widths], color=color)
    for width in widths:
        for run in width.runs:
            assert run.k50 is not None, "widths have a k50"
            bounds = [_bounded(bound, last) for bound in (run.low, run.high) if bound]
            axes.plot([width.width] * len(bounds), bounds, color=color, linewidth=5, alpha=0.25)
            marker = "^" if run.k50.value is None else "s"
            axes.plot(width.width, _bounded(run.k50, last), color=color, marker=marker, markersize=7)
    _baseline_k50(found, widths, axes)
    axes.set_xscale("log", base=2)
    axes.set_xticks([width.width for width in widths], [str(width.width) for width in widths])
    axes.minorticks_off()
    axes.set(xlabel="width of the thought vector (numbers)", ylabel="k50 (sentences)", ylim=(1, last * 1.08))
    axes.set_title("k at which half of the BLEU is left")


def _bounded(crossing: Crossing, last: float) -> float:
    return last if crossing.value is None else crossing.value


def _baseline_k50(found: Analysis, widths: Sequence[Width], axes: Axes) -> None:
    """The k50 of the baseline, which has no such width, as a horizontal line."""
    runs = found.capacity(found.baseline) if found.baseline else []
    if found.baseline and runs and (crossing := runs[0].k50):
        color, height = styles(found)[found.baseline].color, _bounded(crossing, max(found.sizes))
        axes.axhline(height, color=color, linestyle="--")
        text = f"{found.title(found.baseline)}: {crossing.label}{' ↑' if crossing.value is None else ''}"
        axes.annotate(text, (widths[0].width, height), (0, -5), textcoords="offset points", va="top", color=color)


def _kept(found: Analysis, widths: Sequence[Width], axes: Axes) -> None:
    """Shares against k: wider vectors are darker, with the width at the end of the line."""
    sizes, ends = found.sizes, list[tuple[float, str]]()
    for place, width in enumerate(widths):
        kept = dict(zip(width.runs[0].sizes, width.runs[0].kept, strict=True))
        shares = [kept[size] or 0.0 for size in sizes]
        color = _shade(series_style(1).color, 0.35 + 0.65 * (place + 1) / len(widths))
        axes.plot([1, *sizes], [1.0, *shares], color=color, marker="s", markersize=4)
        ends.append((shares[-1], str(width.width)))
    for height, (_, text) in zip(_label_heights(sorted(ends)), sorted(ends), strict=True):
        axes.annotate(text, (sizes[-1], height), (7, 0), textcoords="offset points", va="center")
    _baseline_kept(found, axes)
    axes.axhline(0.5, color=GREY, linestyle=":")
    axes.set_xticks([1, *sizes])
    axes.set(xlabel="sentences translated at once (k)", ylabel="share of BLEU kept", ylim=(0, None))
    axes.set_title("Share kept at each width")


def _label_heights(ends: Sequence[tuple[float, str]]) -> list[float]:
    """Heights of labels at the ends of lines, in ascending order without overlap."""
    heights: list[float] = []
    for value, _ in ends:
        heights.append(max(value, heights[-1] + LABEL_HEIGHT) if heights else value)
    return heights


def _baseline_kept(found: Analysis, axes: Axes) -> None:
    for run in [each for each in found.capacity(found.baseline or "") if each.k50][:1]:
        drawn, kept = styles(found)[run.system], [share or 0.0 for share in run.kept]
        axes.plot(run.sizes, kept, color=drawn.color, marker=drawn.marker, markersize=5)
        end, title = (run.sizes[-1], kept[-1]), found.title(run.system)
        axes.annotate(title, end, (0, -12), textcoords="offset points", ha="right", va="top", color=drawn.color)


def _position_panels(found: Analysis) -> Iterator[Panel]:
    for size in sorted({each.k for each in found.positions}):
        groups = {
            "": found.core,
            ", read in either direction": [name for pair in found.directions()[:1] for name in pair],
        }
        for title, names in groups.items():
            there = [name for name in names if found.chrf(name, size, "concatenated")]
            if there:
                means = {name: mean_over_seeds(found.chrf(name, size, "concatenated")) for name in there}
                values = (f"{found.title(name)} {', '.join(map(number, each))}" for name, each in means.items())
                alt = f"chrF2 at each position of {size} concatenated sentences: {'; '.join(values)}."
                yield Panel(partial(_positions, found, size, there, f"{size} sentences{title}"), alt)


def _positions(found: Analysis, size: int, names: Sequence[str], title: str, axes: Axes) -> None:
    """Concatenated as full lines, one by one as dashed lines."""
    at = list(range(1, size + 1))
    for name in names:
        runs, drawn = found.chrf(name, size, "concatenated"), styles(found)[name]
        band = (
            [min(values) for values in zip(*runs, strict=True)],
            [max(values) for values in zip(*runs, strict=True)],
        )
        _line(axes, drawn._replace(dash="-"), at, mean_over_seeds(runs), found.title(name), band)
        singles = mean_over_seeds(found.chrf(name, size, "one_by_one"))
        axes.plot(at, singles, color=drawn.color, linestyle=ONE_BY_ONE, linewidth=1.2)
    axes.plot([], [], color=GREY, linestyle=ONE_BY_ONE, linewidth=1.2, label="one by one")
    axes.set_xticks(at)
    axes.set(xlabel="position of the sentence", ylabel="chrF2", title=title, ylim=(0, None))
    columns = 1 if any(len(found.title(name)) > TWO_COLUMNS for name in names) else 2
    # below the axes, where it hides no line
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=LEGEND_OFFSET, ncols=columns)


def _line(
    axes: Axes,
    drawn: SeriesStyle,
    x: Sequence[float],
    y: Sequence[float],
    label: str,
    band: tuple[Sequence[float], Sequence[float]],
) -> None:
    axes.plot(x, y, color=drawn.color, marker=drawn.marker, linestyle=drawn.dash, markersize=6, label=label)
    axes.fill_between(x, *band, color=drawn.color, alpha=0.18, linewidth=0)


def _shade(color: str, strength: float) -> str:
    """A colour mixed with white."""
    channels = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - channel) * strength):02x}" for channel in channels)
