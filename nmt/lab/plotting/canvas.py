"""The sheet that figures are drawn on, and how they are saved: one look for all, as SVG and PNG.

Colours are those of Okabe and Ito (2008), which people with any kind of colour vision tell apart, and never the only difference: lines also
differ in marker and dash. The same figure gives the same bytes. Needs the extra `plot` (matplotlib).
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nmt import atomic
from nmt.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Colors(NamedTuple):
    """How one series is drawn."""

    colour: str
    marker: str
    dash: str


INKS = (
    Colors("#0072b2", "o", "-"),  # blue
    Colors("#d55e00", "s", "--"),  # vermilion
    Colors("#333333", "^", "-."),  # near black
    Colors("#56b4e9", "D", ":"),  # sky
    Colors("#e69f00", "v", "--"),  # orange
    Colors("#cc79a7", "P", "-."),  # purple
    Colors("#7a5195", "X", ":"),
    Colors("#8c8c8c", "*", "-"),
)
DOTS = 160
"""Dots per inch of the PNG."""
STYLE: Any = {
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e6ea",
    "legend.frameon": False,
    "figure.facecolor": "white",
    "svg.hashsalt": "nmt",
}


def colors(place: int) -> Colors:
    """The ink of series number ``place``; beyond the last one they begin again."""
    return INKS[place % len(INKS)]


def sheet(width: float = 7.0, height: float = 4.2, *, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of that size in inches, and its panels from left to right, row by row."""
    check()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False)
    return figure, list(panels.flat)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Writes STEM.svg and STEM.png, whole, and returns their paths."""
    paths = [stem.with_name(f"{stem.name}.{format}") for format in ("svg", "png")]
    for path, content in zip(paths, (svg(figure).encode(), png(figure)), strict=True):
        atomic.write_file(path, content)
    return paths


def svg(figure: Figure) -> str:
    """The figure as SVG, letters as outlines, so that it looks the same without the font."""
    return _rendered(figure, "svg", metadata={"Date": None}).decode()


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    return _rendered(figure, "png", dpi=DOTS, metadata={"Software": None})


def check() -> None:
    """Refuses to begin what could not be drawn."""
    if find_spec("matplotlib") is None:
        raise UserError("pictures need the extra plot: pip install 'nmt-recipes[plot]'")


def _rendered(figure: Figure, format: str, **options: Any) -> bytes:
    import matplotlib

    stream = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(stream, format=format, **options)
    return stream.getvalue()
