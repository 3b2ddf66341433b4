"""An interpretation as text: a heatmap of block characters as wide as the terminal, with a gap between words.

Columns are numbered; their pieces stand below.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from nmt.interpret.heatmap import Heatmap, Label, labels
from nmt.interpret.interpretation import Interpretation

SHADES = " ░▒▓█"
CELL, ROW_LABEL = 2, 16
"""Characters: the width of a cell, which holds the number of its column, and the longest label."""
NARROWEST = 6 * CELL
"""Characters for cells in the narrowest terminal; a narrower one gets longer lines than it has room for."""


def render(interpretation: Interpretation, width: int) -> Text:
    """Sentence, translation and heatmap in lines of at most ``width`` characters.

    Cells have at least `NARROWEST` characters, however narrow the terminal.
    """
    return Text("\n").join(
        Text("").join(line) if isinstance(line, list) else Text(line) for line in _lines(interpretation, width)
    )


def _lines(interpretation: Interpretation, width: int) -> Iterator[str | list[Text]]:
    sentence, heatmap = interpretation.sentence, interpretation.heatmap
    yield from _wrapped("source", sentence.source.split(), width)
    yield from _wrapped("translation", sentence.text.split(), width)
    yield from _wrapped(
        "log p", [f"{sentence.hypothesis.log_probability:.2f}, of {len(sentence.scores)} pieces"], width
    )
    if heatmap.row_margin.name != "log p":
        scored = zip(labels(sentence.target_pieces), sentence.scores, strict=True)
        yield from _wrapped("pieces", [f"{label.text} {score:.2f}" for label, score in scored], width, between="  ")
    yield ""
    side = min(ROW_LABEL, max(cell_len(row.text) for row in heatmap.rows))
    for block in blocks(heatmap.columns, max(NARROWEST, width - side - len(heatmap.row_margin.name) - 4)):
        yield from _block(heatmap, block, side)
        named = enumerate(heatmap.columns[block], block.start + 1)
        names = [f"{place} {clipped(label.text, ROW_LABEL)}" for place, label in named]
        yield from _wrapped("columns", names, width, between="  ")
        yield ""
    if heatmap.column_margin:
        names = [
            f"{label.text} {value:.1f}"
            for label, value in zip(heatmap.columns, heatmap.column_margin.values, strict=True)
        ]
        yield from _wrapped(heatmap.column_margin.name, names, width, between="  ")
    yield from _wrapped("shades", _legend(heatmap), width, between="  ")
    yield from _wrapped("of", heatmap.scale.split(), width)
    yield from chain.from_iterable(_wrapped("note", note.split(), width) for note in heatmap.notes)


def blocks(columns: Sequence[Label], width: int) -> list[slice]:
    """The columns in blocks of at most ``width`` characters."""
    found, start, used = [], 0, 0
    for place, label in enumerate(columns):
        size = CELL + label.begins
        if place > start and used + size > width:
            found.append(slice(start, place))
            start, used = place, 0
        used += size
    return [*found, slice(start, len(columns))]


def _block(heatmap: Heatmap, block: slice, side: int) -> Iterator[list[Text]]:
    columns = heatmap.columns[block]
    numbers = [
        _cell(label, f"{place % (100 if label.begins else 10):>{CELL}}", styled=True)  # two full numbers would touch
        for place, label in enumerate(columns, block.start + 1)
    ]
    yield [Text(" " * side), *numbers, Text(f" {heatmap.row_margin.name}")]
    for row, values, margin in zip(heatmap.rows, heatmap.values, heatmap.row_margin.values, strict=True):
        name = clipped(row.text, side)
        cells = [
            _cell(label, _shade(heatmap.shade(value)) * CELL)
            for label, value in zip(columns, values[block], strict=True)
        ]
        yield [
            Text(" " * (side - cell_len(name))),
            Text(name, _style(row)),
            *cells,
            Text(f" {margin:{len(heatmap.row_margin.name)}.2f}"),
        ]


def _cell(column: Label, text: str, *, styled: bool = False) -> Text:
    return Text(" " * column.begins).append(text, _style(column) if styled else "")


def _style(label: Label) -> str:
    return "bold" if label.begins else ""


def _shade(darkness: float) -> str:
    return SHADES[round(darkness * (len(SHADES) - 1))]


def _legend(heatmap: Heatmap) -> list[str]:
    """The lowest value of each shade."""
    steps = len(SHADES) - 1
    return [f"{SHADES[step]} from {heatmap.maximum * (step - 0.5) / steps:.2f}" for step in range(1, steps + 1)]


def clipped(text: str, most: int) -> str:
    """A label cut to a width of ``most`` characters."""
    return text if cell_len(text) <= most else set_cell_size(text, most - 1) + "…"


def _wrapped(name: str, words: Sequence[str], width: int, between: str = " ") -> Iterator[str]:
    """A name, and words behind it on as many lines as they need."""
    margin = 12
    line = ""
    for word in words:
        if line and margin + cell_len(line + between + word) > width:
            yield f"{name:<{margin}}{line}"
            name, line = "", ""
        line += (between if line else "") + word
    yield f"{name:<{margin}}{line}"
