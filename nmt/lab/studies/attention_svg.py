"""Attention weights of one sentence as SVG in the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from nmt.interpret.heatmap import Label, labels

CELL, LETTER = 13, 6.6
"""Pixels: the side of a cell, and about the width of a letter."""
DARKEST = 0.2
"""The darkest shade is the largest weight, but at least this: nearly uniform attention has no structure to show."""
FAINTEST = 0.05
"""Shares of the darkest shade below this are invisible and are not drawn."""


def attention_svg(source: Sequence[str], target: Sequence[str], weights: Sequence[Sequence[float]]) -> str:
    """The weights ``(target, source)`` of pieces, with a label for every row and column."""
    rows, columns = labels(target), labels(source)
    left, top = (LETTER * max(len(label.text) for label in side) + 8 for side in (rows, columns))
    width, height = left + CELL * len(columns) + 2, top + CELL * len(rows) + 2
    most = max(DARKEST, *map(max, weights))
    heaviest = max(range(len(columns)), key=lambda column: sum(row[column] for row in weights))
    about = (
        f"{len(rows)} target pieces over {len(columns)} source pieces; the largest sum is on {columns[heaviest].text}."
    )
    cells = "".join(
        _row(label, values, columns, most, left, top + CELL * place)
        for place, (label, values) in enumerate(zip(rows, weights, strict=True))
    )
    names = "".join(_column(label, left + CELL * (place + 0.5), top) for place, label in enumerate(columns))
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" style="min-width:{width * 0.8:.0f}px;max-width:{width * 1.2:.0f}px"'
    alt = escape(f"Attention weights of {about}")
    return f'<svg class="matrix" role="img" aria-label="{alt}" {box}>{names}{cells}</svg>'


def _column(label: Label, x: float, y: float) -> str:
    turned = f"translate({x + 4:.1f} {y - 5:.1f}) rotate(-90)"
    return f'<text transform="{turned}"{_style(label)}>{escape(label.text)}</text>'


def _row(label: Label, values: Sequence[float], columns: Sequence[Label], most: float, x: float, y: float) -> str:
    cells = "".join(
        f'<rect x="{x + CELL * place:.1f}" y="{y:.1f}" fill-opacity="{value / most:.2f}">'
        f"<title>{escape(f'{label.text}, {columns[place].text}: {value:.2f}')}</title></rect>"
        for place, value in enumerate(values)
        if value / most >= FAINTEST
    )
    name = f'<text x="{x - 5:.1f}" y="{y + CELL - 3:.1f}" text-anchor="end"{_style(label)}>{escape(label.text)}</text>'
    return name + cells


def _style(label: Label) -> str:
    return "" if label.begins else ' class="continues"'
