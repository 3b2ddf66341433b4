"""The figures of the report on the bottleneck. A system has the same colour and marker in all of them; each panel is legible on a phone.

As a file a figure is one column of panels; the page sets them side by side where there is room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.lab.plotting import style
from nmt.lab.plotting.style import SeriesStyle, series_style
from nmt.lab.studies.findings import Findings, Width, mean_over_seeds
from nmt.lab.studies.wording import SMALL, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 4.4, 3.3
"""Inches of a panel: about as wide as a phone, where its letters then have the size that they are drawn in."""
GREY = "#6b7280"
LETTERS = 0.055
"""How high a name is beside an axis from 0 to 1."""
BELOW = 3.4
"""How far a legend is below an axis, in heights of a letter: ticks and the axis's name stand between."""
WIDEST_OF_TWO = 20
"""Letters of the longest name in a legend of two columns."""


@dataclass(frozen=True)
class Panel:
    """One picture, and what it shows, in words for those who do not see it."""

    draw: Callable[[Axes], None]
    alt: str


@dataclass(frozen=True)
class Chart:
    """A figure: how its files are named, and its panels."""

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


def charts(findings: Findings) -> list[Chart]:
    """Those that have something to show."""
    found = findings.found["conditions"]
    sweep = "Over the width of the thought vector: the k at which the pack keeps half of the join's BLEU, and the share kept at each k."
    made = [
        Chart(
            "cost",
            "What packing costs, mean over seeds; bands reach from the smallest to the largest.",
            tuple(_cost_panels(findings)),
        ),
        Chart("capacity", sweep, tuple(_capacity_panels(findings))),
        Chart(
            "positions",
            f"Quality by place in the pack, {found['languages']}: packed and one by one.",
            tuple(_place_panels(findings)),
        ),
    ]
    return [chart for chart in made if chart.panels]


def inks(findings: Findings) -> dict[str, SeriesStyle]:
    """The ink of each system, by its part, so that it does not depend on which runs are finished."""
    parts = [findings.baseline, findings.vector, findings.transformer]
    others = [name for name in findings.core if name not in parts]
    turned = [name for pair in findings.turned() for name in pair]
    return {name: series_style(place) for place, name in enumerate([*parts, *turned, *others]) if name}


def _cost_panels(findings: Findings) -> Iterator[Panel]:
    for beam in sorted(findings.found["conditions"]["beams"], reverse=True):
        names = [name for name in findings.core if findings.values(name, findings.size, beam=beam)]
        if names and findings.packs:
            means = {
                name: [cost.mean for size in findings.packs if (cost := findings.cost(name, size, beam=beam))]
                for name in names
            }
            said = "; ".join(f"{findings.title(name)} {', '.join(map(number, costs))}" for name, costs in means.items())
            sizes = ", ".join(map(str, findings.packs))
            yield Panel(partial(_cost, findings, beam), f"BLEU that packing costs at k = {sizes}, beam {beam}: {said}.")


def _cost(findings: Findings, beam: int, axes: Axes) -> None:
    for name in findings.core:
        costs = [(size, cost) for size in (1, *findings.packs) if (cost := findings.cost(name, size, beam=beam))]
        band = ([cost.smallest for _, cost in costs], [cost.largest for _, cost in costs])
        _line(
            axes,
            inks(findings)[name],
            [size for size, _ in costs],
            [cost.mean for _, cost in costs],
            findings.title(name),
            band,
        )
    axes.set(xlabel="sentences translated at once (k)", ylabel="cost in BLEU: join less pack", title=_beam(beam))
    axes.set_xticks([1, *findings.packs])
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, SMALL))
    axes.legend(frameon=False)


def _capacity_panels(findings: Findings) -> Iterator[Panel]:
    widths = findings.widths()
    if len(widths) > 1:
        last = max(findings.packs)
        said = ", ".join(
            f"{width.slot} numbers: {f'more than {last}' if width.middle == inf else number(width.middle)}"
            for width in widths
        )
        yield Panel(partial(_half, findings, widths), f"k50 of thought vectors by width: {said}.")
        yield Panel(
            partial(_kept, findings, widths),
            "Share of BLEU kept at each k, one line for each width; the numbers are in the table.",
        )


def _half(findings: Findings, widths: Sequence[Width], axes: Axes) -> None:
    """k50 against width; what lies beyond the largest k stands there with an arrow."""
    last, colour = max(findings.packs), series_style(1).color
    axes.plot([width.slot for width in widths], [min(width.middle, last) for width in widths], color=colour)
    for width in widths:
        for run in width.runs:
            bounds = [_bounded(run[key], last) for key in ("low", "high") if run[key]]
            axes.plot([width.slot] * len(bounds), bounds, color=colour, linewidth=5, alpha=0.25)
            axes.plot(
                width.slot,
                _bounded(run["k50"], last),
                color=colour,
                marker="s" if run["k50"]["value"] is not None else "^",
                markersize=7,
            )
    _baseline(findings, widths, axes)
    axes.set_xscale("log", base=2)
    axes.set_xticks([width.slot for width in widths], [str(width.slot) for width in widths])
    axes.minorticks_off()
    axes.set(
        xlabel="width of the thought vector (numbers)",
        ylabel="k50 (sentences)",
        title="Where half of the BLEU is left",
        ylim=(1, last * 1.08),
    )


def _bounded(crossing: dict[str, Any], last: float) -> float:
    value: float | None = crossing["value"]
    return last if value is None else value


def _baseline(findings: Findings, widths: Sequence[Width], axes: Axes) -> None:
    """The k50 of the baseline, which no width has to do with, as a line across."""
    records = findings.capacity(findings.baseline) if findings.baseline else []
    last = max(findings.packs)
    if findings.baseline and records and records[0]["k50"]:
        crossing, drawn = records[0]["k50"], inks(findings)[findings.baseline]
        height = _bounded(crossing, last)
        axes.axhline(height, color=drawn.color, linestyle="--")
        text = f"{findings.title(findings.baseline)}: {crossing['label']}{' ↑' if crossing['value'] is None else ''}"
        axes.annotate(text, (widths[0].slot, height), (0, -5), textcoords="offset points", va="top", color=drawn.color)


def _kept(findings: Findings, widths: Sequence[Width], axes: Axes) -> None:
    """Shares against k: the wider the vector, the darker, and its width at the end of the line."""
    sizes, ends = findings.packs, list[tuple[float, str]]()
    for place, width in enumerate(widths):
        kept = dict(zip(width.runs[0]["sizes"], width.runs[0]["kept"], strict=True))
        colour = _shade(series_style(1).color, 0.35 + 0.65 * (place + 1) / len(widths))
        axes.plot([1, *sizes], [1.0, *(kept[size] for size in sizes)], color=colour, marker="s", markersize=4)
        ends.append((kept[sizes[-1]], str(width.slot)))
    for height, (_, text) in zip(_apart(sorted(ends)), sorted(ends), strict=True):
        axes.annotate(text, (sizes[-1], height), (7, 0), textcoords="offset points", va="center")
    _kept_by_baseline(findings, axes)
    axes.axhline(0.5, color=GREY, linestyle=":")
    axes.set_xticks([1, *sizes])
    axes.set(
        xlabel="sentences translated at once (k)",
        ylabel="share of the join's BLEU",
        title="What vectors of each width keep",
        ylim=(0, None),
    )


def _apart(ends: Sequence[tuple[float, str]]) -> list[float]:
    """Heights for names at the ends of lines, each above the one before."""
    heights: list[float] = []
    for value, _ in ends:
        heights.append(max(value, heights[-1] + LETTERS) if heights else value)
    return heights


def _kept_by_baseline(findings: Findings, axes: Axes) -> None:
    for record in [each for each in findings.capacity(findings.baseline or "") if each["k50"]][:1]:
        drawn, end = inks(findings)[record["system"]], (record["sizes"][-1], record["kept"][-1])
        axes.plot(record["sizes"], record["kept"], color=drawn.color, marker=drawn.marker, markersize=5)
        axes.annotate(
            findings.title(record["system"]),
            end,
            (0, -12),
            textcoords="offset points",
            ha="right",
            va="top",
            color=drawn.color,
        )


def _place_panels(findings: Findings) -> Iterator[Panel]:
    for size in sorted({each["k"] for each in findings.found["positions"]}):
        groups = {
            "": findings.core,
            ", read from either side": [name for pair in findings.turned()[:1] for name in pair],
        }
        for title, names in groups.items():
            there = [name for name in names if findings.places(name, size, "pack")]
            if there:
                packed = (
                    f"{findings.title(name)} {', '.join(map(number, mean_over_seeds(findings.places(name, size, 'pack'))))}"
                    for name in there
                )
                alt = f"chrF by place in packs of {size}: {'; '.join(packed)}; one by one they do as the table says."
                yield Panel(partial(_places, findings, size, there, f"Packs of {size}{title}"), alt)


def _places(findings: Findings, size: int, names: Sequence[str], title: str, axes: Axes) -> None:
    """Packs as full lines, joins as broken ones."""
    at = list(range(1, size + 1))
    for name in names:
        runs, drawn = findings.places(name, size, "pack"), inks(findings)[name]
        band = (
            [min(values) for values in zip(*runs, strict=True)],
            [max(values) for values in zip(*runs, strict=True)],
        )
        _line(axes, drawn._replace(dash="-"), at, mean_over_seeds(runs), findings.title(name), band)
        axes.plot(
            at,
            mean_over_seeds(findings.places(name, size, "join")),
            color=drawn.color,
            linestyle=(0, (4, 2)),
            linewidth=1.2,
        )
    axes.plot([], [], color=GREY, linestyle=(0, (4, 2)), linewidth=1.2, label="one by one, joined")
    axes.set_xticks(at)
    axes.set(xlabel="place of the sentence in the pack", ylabel="chrF2", title=title, ylim=(0, None))
    columns = 1 if any(len(findings.title(name)) > WIDEST_OF_TWO for name in names) else 2
    axes.legend(
        frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=BELOW, ncols=columns
    )  # inside, it would hide lines


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


def _beam(beam: int) -> str:
    return "Greedy search" if beam == 1 else f"Beam {beam}"


def _shade(colour: str, strength: float) -> str:
    """A colour mixed with white."""
    channels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - (255 - channel) * strength):02x}" for channel in channels)
