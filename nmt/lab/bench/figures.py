"""Figures of how time and memory grow with lengths, batches and beams, and the exponent of that growth."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.lab.bench.tables import SETTINGS, Row
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve

WIDTH, HEIGHT = 4.4, 3.3
"""Inches of a figure."""


@dataclass(frozen=True)
class Relation:
    """A figure of one result against one setting, with the other settings as in the base case of each family."""

    name: str
    """Of the files."""
    work: str
    setting: str
    x: str
    y: str
    result: Callable[[Row], float]


def _milliseconds(row: Row) -> float:
    return float(1000 * row["length"] / row["positions_per_second"])


RELATIONS = (
    Relation(
        "training-length",
        "train",
        "length",
        "tokens in a sentence",
        "target tokens a second",
        lambda row: row["tokens_per_second"],
    ),
    Relation(
        "training-memory",
        "train",
        "batch_tokens",
        "positions in a batch",
        "peak MiB",
        lambda row: row["peak_bytes"] / 2**20,
    ),
    Relation("decoding-length", "decode", "length", "tokens in an output", "ms a sentence", _milliseconds),
    Relation("decoding-beam", "decode", "beam", "beam", "ms a sentence", _milliseconds),
)


def curves_of(rows: Sequence[Row], relation: Relation) -> list[Curve]:
    """A curve for each family with at least two points; the first row of a family is its base case."""
    found = []
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if (row["family"], row["work"]) == (family, relation.work)]
        near = [
            row
            for row in own
            if all(row.get(name) == own[0].get(name) for name in SETTINGS if name != relation.setting)
        ]
        points = sorted((row[relation.setting], relation.result(row)) for row in near)
        if len(points) > 1:
            found.append(Curve(family, *map(list, zip(*points, strict=True))))
    return found


def exponent(curve: Curve) -> float:
    """The p of y = c x^p, fitted by least squares to the logarithms."""
    x, y = ([math.log(value) for value in values if value is not None] for values in (curve.x, curve.y))
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def save(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Writes a figure for each relation that the rows show, as SVG and PNG; the title gives the exponents."""
    written = []
    for relation in RELATIONS:
        if drawn := curves_of(rows, relation):
            figure, (axes,) = style.subplots(WIDTH, HEIGHT)
            title = "grows as x to the power " + ", ".join(f"{exponent(curve):z.2f}" for curve in drawn)
            curves.draw(axes, drawn, x=relation.x, y=relation.y, title=title, log_x=True, log_y=True)
            axes.title.set_fontsize("small")
            written += style.save(figure, folder / relation.name)
    return written
