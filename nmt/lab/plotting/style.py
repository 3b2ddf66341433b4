"""One style for all figures, saved as SVG and PNG. Needs the extra `plot` (matplotlib).

Series differ in marker and dash as well as in colour; the colours follow Okabe and Ito (2008), which people with
colour-vision deficiencies can tell apart. Rendering is deterministic: the same figure gives the same bytes.
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


class SeriesStyle(NamedTuple):
    """Colour, marker and dash of one series."""

    color: str
    marker: str
    dash: str


SERIES = (
    SeriesStyle("#0072b2", "o", "-"),  # blue
    SeriesStyle("#d55e00", "s", "--"),  # vermilion
    SeriesStyle("#333333", "^", "-."),  # near black
    SeriesStyle("#56b4e9", "D", ":"),  # sky
    SeriesStyle("#e69f00", "v", "--"),  # orange
    SeriesStyle("#cc79a7", "P", "-."),  # purple
    SeriesStyle("#7a5195", "X", ":"),
    SeriesStyle("#8c8c8c", "*", "-"),
)
PNG_DPI = 160
RC_PARAMS: Any = {
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


def series_style(index: int) -> SeriesStyle:
    """The style of series number ``index``; styles repeat after the last one."""
    return SERIES[index % len(SERIES)]


def subplots(width: float = 7.0, height: float = 4.2, *, rows: int = 1, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure of that size in inches and its axes, row by row."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(RC_PARAMS):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def save(figure: Figure, stem: Path) -> list[Path]:
    """Writes STEM.svg and STEM.png atomically and returns their paths."""
    paths = [stem.with_name(f"{stem.name}.{format}") for format in ("svg", "png")]
    for path, content in zip(paths, (svg(figure).encode(), png(figure)), strict=True):
        atomic.write_file(path, content)
    return paths


def svg(figure: Figure) -> str:
    """The figure as SVG with text as outlines, so that it does not depend on installed fonts."""
    return _rendered(figure, "svg", metadata={"Date": None}).decode()


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    return _rendered(figure, "png", dpi=PNG_DPI, metadata={"Software": None})


def require_matplotlib() -> None:
    """Raises a `UserError` if matplotlib is not installed; called before work whose figures could not be drawn."""
    if find_spec("matplotlib") is None:
        raise UserError("figures need matplotlib: pip install 'nmt-recipes[plot]'")


def _rendered(figure: Figure, format: str, **options: Any) -> bytes:
    import matplotlib

    stream = io.BytesIO()
    with matplotlib.rc_context(RC_PARAMS):
        figure.savefig(stream, format=format, **options)
    return stream.getvalue()
