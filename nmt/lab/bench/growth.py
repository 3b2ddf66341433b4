"""How time and memory grow with lengths, batches and beams: curves out of the rows of a benchmark, and the power that they grow with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt.lab.bench.tables import SETTINGS
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve

Row = Mapping[str, Any]
WIDTH, HEIGHT = 4.4, 3.3
"""Inches of a panel: about as wide as a phone."""


@dataclass(frozen=True)
class Relation:
    """One result over one setting, all others as in the base case of a family."""

    name: str
    """Of the figure's files."""
    work: str
    over: str
    """The setting."""
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


def found(rows: Sequence[Row], relation: Relation) -> list[Curve]:
    """A curve for each family of which there are at least two points; the first row of a family is its base case."""
    made = []
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if (row["family"], row["work"]) == (family, relation.work)]
        near = [
            row for row in own if all(row.get(name) == own[0].get(name) for name in SETTINGS if name != relation.over)
        ]
        points = sorted((row[relation.over], relation.result(row)) for row in near)
        if len(points) > 1:
            made.append(Curve(family, *map(list, zip(*points, strict=True))))
    return made


def power(curve: Curve) -> float:
    """The p of y = c x^p, by least squares of the logarithms: 1 is linear growth."""
    x, y = ([math.log(value) for value in values if value is not None] for values in (curve.x, curve.y))
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum((a - mean_x) ** 2 for a in x)


def save(rows: Sequence[Row], folder: Path) -> list[Path]:
    """A figure for every relation that the rows show, as SVG and PNG; its title gives the powers."""
    written = []
    for relation in RELATIONS:
        if drawn := found(rows, relation):
            figure, (axes,) = style.subplots(WIDTH, HEIGHT)
            title = "grows as x to the power " + ", ".join(f"{power(curve):z.2f}" for curve in drawn)
            curves.draw(axes, drawn, x=relation.x, y=relation.y, title=title, log_x=True, log_y=True)
            axes.title.set_fontsize("small")
            written += style.save(figure, folder / relation.name)
    return written
