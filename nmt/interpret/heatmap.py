"""A heatmap: values with labelled rows and columns and margins, drawn by page, terminal and figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nmt import printable

WORD_START, END = "▁", "</s>"


class Label(NamedTuple):
    """The name of a row or column."""

    text: str
    begins: bool = True
    """Whether a word begins here; False for a piece that continues one."""


class Margin(NamedTuple):
    """One number for every row, or for every column."""

    name: str
    values: list[float]


@dataclass(frozen=True)
class Heatmap:
    """Values ``(row, column)``, where the columns are source pieces."""

    rows: list[Label]
    columns: list[Label]
    values: list[list[float]]
    scale: str
    """What a value is, with its unit."""
    row_margin: Margin
    """A number for each row, such as the log-probability of its piece."""
    column_margin: Margin | None = None
    """A number for each column, such as its sum."""
    maximum: float = 1.0
    """Values from here on have the darkest shade; values up to 0 have none."""
    notes: tuple[str, ...] = ()

    def shade(self, value: float) -> float:
        """The darkness of a value, from 0 to 1."""
        return min(max(value / self.maximum, 0.0), 1.0)


def labels(pieces: Sequence[str]) -> list[Label]:
    """Labels of pieces: ``▁rote`` becomes ``rote``, and ``m``, which continues that word, becomes ``-m``."""
    return [_label(piece) for piece in pieces]


def _label(piece: str) -> Label:
    if piece == END:
        return Label("⟨end⟩")
    if piece.startswith(WORD_START):
        return Label(printable.visible(piece.removeprefix(WORD_START)) or WORD_START)
    return Label(f"-{printable.visible(piece)}", begins=False)
