"""A view in letters: blocks of growing darkness, as wide as the terminal. Cells of one word touch, a gap stands between words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from nmt.interpret.matrix import Label, Matrix, labels
from nmt.interpret.view import View

SHADES = " ░▒▓█"
CELL, SIDE, TALL = 2, 16, 12
"""Letters: the width of a cell, the longest name of a row, the longest name of a column, which runs downwards."""
LEAST = 6 * CELL
"""Letters for cells that even the narrowest terminal is taken to have."""


def drawing(view: View, width: int) -> Text:
    """The sentence, its translation and the matrix in lines of at most ``width`` letters, where that is not too narrow for anything."""
    return Text("\n").join(
        Text("").join(line) if isinstance(line, list) else Text(line) for line in _lines(view, width)
    )


def _lines(view: View, width: int) -> Iterator[str | list[Text]]:
    subject, matrix = view.subject, view.matrix
    yield from _wrapped("source", subject.source.split(), width)
    yield from _wrapped("translation", subject.text.split(), width)
    yield from _wrapped("log p", [f"{subject.hypothesis.log_probability:.2f}, of {len(subject.scores)} pieces"], width)
    if matrix.beside.name != "log p":
        scored = zip(labels(subject.target_pieces), subject.scores, strict=True)
        yield from _wrapped("pieces", [f"{label.text} {score:.2f}" for label, score in scored], width, between="  ")
    yield ""
    side = min(SIDE, max(cell_len(row.text) for row in matrix.rows))
    for part in blocks(matrix.columns, max(LEAST, width - side - len(matrix.beside.name) - 4)):
        yield from _block(matrix, part, side)
        yield ""
    if matrix.below:
        names = [f"{label.text} {value:.1f}" for label, value in zip(matrix.columns, matrix.below.values, strict=True)]
        yield from _wrapped(matrix.below.name, names, width, between="  ")
    yield from _wrapped("shades", _legend(matrix), width, between="  ")
    yield from _wrapped("of", matrix.scale.split(), width)
    yield from chain.from_iterable(_wrapped("note", note.split(), width) for note in matrix.notes)


def blocks(columns: Sequence[Label], room: int) -> list[slice]:
    """The columns in parts of at most ``room`` letters each."""
    parts, start, used = [], 0, 0
    for place, label in enumerate(columns):
        size = CELL + label.begins
        if place > start and used + size > room:
            parts.append(slice(start, place))
            start, used = place, 0
        used += size
    return [*parts, slice(start, len(columns))]


def _block(matrix: Matrix, part: slice, side: int) -> Iterator[list[Text]]:
    columns = matrix.columns[part]
    names = [clipped(label.text, TALL, tall=True) for label in columns]
    height = max(map(len, names))
    for line in range(height):
        letters = [
            _cell(label, set_cell_size(name.rjust(height)[line], CELL), styled=True)
            for label, name in zip(columns, names, strict=True)
        ]
        yield [Text(" " * side), *letters, Text(f" {matrix.beside.name}" if line == height - 1 else "")]
    for row, values, beside in zip(matrix.rows, matrix.values, matrix.beside.values, strict=True):
        name = clipped(row.text, side)
        cells = [
            _cell(label, _shade(matrix.share(value)) * CELL) for label, value in zip(columns, values[part], strict=True)
        ]
        yield [
            Text(" " * (side - cell_len(name))),
            Text(name, _style(row)),
            *cells,
            Text(f" {beside:{len(matrix.beside.name)}.2f}"),
        ]


def _cell(column: Label, text: str, *, styled: bool = False) -> Text:
    return Text(" " * column.begins).append(text, _style(column) if styled else "")


def _style(label: Label) -> str:
    return "bold" if label.begins else ""


def _shade(share: float) -> str:
    return SHADES[round(share * (len(SHADES) - 1))]


def _legend(matrix: Matrix) -> list[str]:
    """From which value on each shade stands."""
    steps = len(SHADES) - 1
    return [f"{SHADES[step]} from {matrix.top * (step - 0.5) / steps:.2f}" for step in range(1, steps + 1)]


def clipped(text: str, most: int, *, tall: bool = False) -> str:
    """A name of at most ``most`` letters, or of as many lines where it runs downwards, one letter in each."""
    if (len(text) if tall else cell_len(text)) <= most:
        return text
    return (text[: most - 1] if tall else set_cell_size(text, most - 1)) + "…"


def _wrapped(name: str, words: Sequence[str], width: int, between: str = " ") -> Iterator[str]:
    """Words after a name, on as many lines as they need."""
    margin = 12
    line = ""
    for word in words:
        if line and margin + cell_len(line + between + word) > width:
            yield f"{name:<{margin}}{line}"
            name, line = "", ""
        line += (between if line else "") + word
    yield f"{name:<{margin}}{line}"
