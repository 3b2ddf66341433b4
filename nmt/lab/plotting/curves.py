"""Line charts with uncertainty bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmt.lab.plotting.style import series_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Curve:
    """One labelled line: y over x, with an optional band from ``low`` to ``high``. None leaves a gap."""

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    low: Sequence[float | None] = ()
    high: Sequence[float | None] = ()


def draw(
    axes: Axes, curves: Sequence[Curve], *, x: str, y: str, title: str = "", log_x: bool = False, log_y: bool = False
) -> None:
    """Draws curves with axis labels, and a legend if there is more than one.

    A logarithmic x axis has its ticks at the x values. A logarithmic y axis has ticks within each decade, since the
    data may span less than one.
    """
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    for index, curve in enumerate(curves):
        color, marker, dash = series_style(index)
        axes.plot(
            curve.x,
            [_nan(value) for value in curve.y],
            color=color,
            marker=marker,
            linestyle=dash,
            markersize=5,
            label=curve.label,
        )
        if curve.low and curve.high:
            low, high = ([_nan(value) for value in bound] for bound in (curve.low, curve.high))
            axes.fill_between(curve.x, low, high, color=color, alpha=0.15, linewidth=0)
    axes.set(xlabel=x, ylabel=y, title=title)
    if log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    if log_x:
        axes.set_xscale("log", base=2)
        ticks = sorted({value for curve in curves for value in curve.x})
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    if len(curves) > 1:
        axes.legend(frameon=False)


def _nan(value: float | None) -> float:
    return float("nan") if value is None else value
