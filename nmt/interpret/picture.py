"""A view as a figure, for SVG and PNG."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, TypeVar

from nmt.interpret.matrix import Label, Matrix
from nmt.lab.plotting import canvas, heatmap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

CELL, LOWEST = 0.31, 3.0
"""Inches: a cell, and the height that the scale needs beside the shortest translation."""
WIDEST = 60.0
"""Inches; the cells of a longer sentence are smaller."""
FAINT = "#4b5563"

Drawn = TypeVar("Drawn", str, bytes)


def figure(matrix: Matrix) -> Figure:
    """The matrix with the numbers of its margins. White lines stand between words, and pieces that continue a word are grey."""
    cell = min(CELL, WIDEST / max(len(matrix.rows), len(matrix.columns)))
    drawn, (panel,) = canvas.sheet(cell * len(matrix.columns) + 3.4, max(cell * len(matrix.rows) + 1.9, LOWEST))
    rows, columns = ([_plain(label.text) for label in side] for side in (matrix.rows, matrix.columns))
    heatmap.draw(panel, matrix.values, rows=rows, columns=columns, scale=fill(matrix.scale, 32), top=matrix.top)
    _mark_words(matrix.columns, panel.get_xticklabels(), panel.axvline)
    _mark_words(matrix.rows, panel.get_yticklabels(), panel.axhline)
    _margins(panel, matrix)
    return drawn


def rendered(draw: Callable[[Figure], Drawn], matrix: Matrix) -> tuple[Drawn, list[str]]:
    """The figure drawn by `canvas.svg` or `canvas.png`, and a warning where the letters of the font did not suffice."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        content = draw(figure(matrix))
    lacking = any("missing from font" in str(each.message) for each in caught)
    return content, [
        "the font of the picture lacks some of these characters; the HTML page shows them all"
    ] if lacking else []


def _mark_words(labels: Sequence[Label], names: Sequence[Text], line: Callable[..., object]) -> None:
    for place, (label, name) in enumerate(zip(labels, names, strict=True)):
        if not label.begins:
            name.set_color(FAINT)
        elif place:
            line(place - 0.5, color="white", linewidth=3)


def _margins(panel: Axes, matrix: Matrix) -> None:
    """Numbers at the right of the rows and below the columns."""
    right, bottom = len(matrix.columns) - 0.3, len(matrix.rows) - 0.3
    panel.text(right, -0.8, matrix.beside.name, fontsize=8, color=FAINT)
    for place, value in enumerate(matrix.beside.values):
        panel.text(right, place, f"{value:.2f}", fontsize=8, va="center", color=FAINT)
    if matrix.below:
        panel.text(-0.8, bottom, matrix.below.name, fontsize=8, ha="right", va="top", color=FAINT)
        for place, value in enumerate(matrix.below.values):
            panel.text(place, bottom, f"{value:.1f}", fontsize=8, ha="center", va="top", color=FAINT)


def _plain(text: str) -> str:
    """Without formulas, which matplotlib sees between dollar signs."""
    return text.replace("$", r"\$")
