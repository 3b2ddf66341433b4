"""An interpretation as a figure, for SVG and PNG."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, TypeVar

from nmt.interpret.heatmap import Heatmap, Label
from nmt.lab.plotting import style
from nmt.lab.plotting.heatmap import draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

CELL, LOWEST = 0.31, 3.0
"""Inches: a cell, and the height that the scale needs beside the shortest translation."""
WIDEST = 60.0
"""Inches; the cells of a longer sentence are smaller."""
GREY = "#4b5563"

Image = TypeVar("Image", str, bytes)


def figure(heatmap: Heatmap) -> Figure:
    """The heatmap with its margins. White lines separate words, and pieces that continue a word are grey."""
    cell = min(CELL, WIDEST / max(len(heatmap.rows), len(heatmap.columns)))
    sheet, (panel,) = style.subplots(cell * len(heatmap.columns) + 3.4, max(cell * len(heatmap.rows) + 1.9, LOWEST))
    rows, columns = ([_plain(label.text) for label in side] for side in (heatmap.rows, heatmap.columns))
    draw(panel, heatmap.values, rows=rows, columns=columns, scale=fill(heatmap.scale, 32), top=heatmap.maximum)
    _mark_words(heatmap.columns, panel.get_xticklabels(), panel.axvline)
    _mark_words(heatmap.rows, panel.get_yticklabels(), panel.axhline)
    _margins(panel, heatmap)
    return sheet


def render(encode: Callable[[Figure], Image], heatmap: Heatmap) -> tuple[Image, list[str]]:
    """The figure as `style.svg` or `style.png` encodes it, and a warning if the font lacks characters."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = encode(figure(heatmap))
    lacking = any("missing from font" in str(each.message) for each in caught)
    return content, [
        "the font of the figure lacks some of these characters; the HTML page shows them all"
    ] if lacking else []


def _mark_words(labels: Sequence[Label], names: Sequence[Text], line: Callable[..., object]) -> None:
    for place, (label, name) in enumerate(zip(labels, names, strict=True)):
        if not label.begins:
            name.set_color(GREY)
        elif place:
            line(place - 0.5, color="white", linewidth=3)


def _margins(panel: Axes, heatmap: Heatmap) -> None:
    """The numbers at the right of the rows and below the columns."""
    right, bottom = len(heatmap.columns) - 0.3, len(heatmap.rows) - 0.3
    panel.text(right, -0.8, heatmap.row_margin.name, fontsize=8, color=GREY)
    for place, value in enumerate(heatmap.row_margin.values):
        panel.text(right, place, f"{value:.2f}", fontsize=8, va="center", color=GREY)
    if heatmap.column_margin:
        panel.text(-0.8, bottom, heatmap.column_margin.name, fontsize=8, ha="right", va="top", color=GREY)
        for place, value in enumerate(heatmap.column_margin.values):
            panel.text(place, bottom, f"{value:.1f}", fontsize=8, ha="center", va="top", color=GREY)


def _plain(text: str) -> str:
    """The text with dollar signs escaped, between which matplotlib expects formulas."""
    return text.replace("$", r"\$")
