"""A matrix as a heatmap: attention, occlusion, gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(
    axes: Axes,
    values: Sequence[Sequence[float]],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str = "",
    scale: str = "",
    top: float = 1.0,
) -> None:
    """Draws ``values[row][column]`` from 0, white, to ``top``, dark blue; ``scale`` labels the colour bar.

    Rows run downwards. Column names stand above, rotated.
    """
    image = axes.imshow(values, cmap="Blues", vmin=0.0, vmax=top, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=55, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.grid(False)
    axes.tick_params(length=0)
    axes.set_title(title)
    for side in axes.spines.values():
        side.set_visible(False)
    if scale and axes.figure is not None:
        axes.figure.colorbar(image, ax=axes, label=scale, shrink=0.7)
