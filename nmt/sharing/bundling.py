"""A run as one file."""

from __future__ import annotations

from pathlib import Path

from nmt import parts
from nmt.faults import InputFault
from nmt.runs import Run
from nmt.sharing.card import card

CARRIED = (parts.RECIPE, parts.FACTS, parts.OUTCOME, parts.SCORES, parts.JOINT, parts.SOURCE, parts.TARGET, parts.WEIGHTS)
"""What a bundle takes of a run folder where it is there; checkpoints, metrics and outputs stay behind."""


def bundle(run: Run, path: Path, terms: str | None = None) -> None:
    """Writes the bundle of a run, whose model is loaded first, so that what does not translate is not shared."""
    if path.suffix != parts.SUFFIX:
        raise InputFault(f"{path}: expected a name that ends in {parts.SUFFIX}")
    run.model()
    carried = {name: run.parts.read(name) for name in CARRIED if name in run.parts}
    parts.write_bundle(path, {parts.CARD: card(run, terms).encode(), **carried})
