"""A matrix with names, which every way of looking gives and every way of showing draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

BEGIN, END = "▁", "</s>"


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
class Matrix:
    """Values ``(row, column)`` over the pieces of the source."""

    rows: list[Label]
    columns: list[Label]
    values: list[list[float]]
    scale: str
    """What a value is, with its unit."""
    beside: Margin
    """A number for each row, such as the score of its piece."""
    below: Margin | None = None
    """A number for each column, such as its sum."""
    top: float = 1.0
    """The value from which on the shade is strongest; 0 and less is not shaded."""
    notes: tuple[str, ...] = ()

    def share(self, value: float) -> float:
        """How strongly a value is shaded, in 0..1."""
        return min(max(value / self.top, 0.0), 1.0)


def labels(pieces: Sequence[str]) -> list[Label]:
    """Pieces as they are shown: one that begins a word stands as it is, one that continues it has a hyphen before it (rote -m)."""
    return [_label(piece) for piece in pieces]


def _label(piece: str) -> Label:
    if piece == END:
        return Label("⟨end⟩")
    return Label(piece.removeprefix(BEGIN) or BEGIN) if piece.startswith(BEGIN) else Label(f"-{piece}", begins=False)
