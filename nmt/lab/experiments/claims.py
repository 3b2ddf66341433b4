"""The story of memory as introductions tell it, claim by claim, and what measures each: the rows of `claims.tsv`.

The wording is the story's, not ours: what measurement says of it stands in `docs/claims.md`, which `tools/claims.py` makes from results.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

CHAPTERS = {
    "A": "No memory, and what order means",
    "B": "Recurrence and its gradients",
    "C": "Gates",
    "D": "Directions and depth",
    "E": "From the encoder-decoder to the Transformer",
}
"""Chapters of the story by the letter that the ids of their claims begin with."""
UNMEASURED = ("out of scope", "not built yet")
"""How `measured_by` begins where nothing measures a claim; the reason follows."""


class Row(NamedTuple):
    """One claim of the story."""

    id: str
    claim: str
    """As it is usually told."""
    measured_by: str
    """An experiment, a study or what else; or why there is nothing."""
    command: str
    """What gives the number; empty where nothing does."""


@cache
def story() -> dict[str, Row]:
    """All claims by id, in the order of the story."""
    _, *lines = (files("nmt.lab.experiments") / "claims.tsv").read_text(encoding="utf-8").splitlines()
    rows = [Row(*line.split("\t")) for line in lines]
    return {row.id: row for row in rows}
