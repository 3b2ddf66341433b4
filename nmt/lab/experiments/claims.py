"""The claims that introductions to sequence models make, and what measures each: the rows of `claims.tsv`.

They are worded as introductions word them. What was measured stands in `docs/claims.md`, which `tools/claims.py`
generates.
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
"""Titles of chapters by the first letter of the ids of their claims."""
UNMEASURED = ("out of scope", "not built yet")
"""How `measured_by` begins for a claim that nothing measures; the reason follows."""


class UsualClaim(NamedTuple):
    """A claim as it is usually told."""

    id: str
    text: str
    measured_by: str
    """An experiment, a study or a benchmark; or why nothing measures it."""
    command: str
    """The command that measures it; empty if nothing does."""


@cache
def read_claims() -> dict[str, UsualClaim]:
    """All claims by id, in order."""
    _, *lines = (files("nmt.lab.experiments") / "claims.tsv").read_text(encoding="utf-8").splitlines()
    claims = [UsualClaim(*line.split("\t")) for line in lines]
    return {claim.id: claim for claim in claims}
