"""A run as one file."""

from __future__ import annotations

from pathlib import Path

from nmt.errors import UserError
from nmt.runs import files
from nmt.runs.model_card import card
from nmt.runs.run_folder import Run

CARRIED = (
    files.RECIPE,
    files.METADATA,
    files.OUTCOME,
    files.SCORES,
    files.JOINT,
    files.SOURCE,
    files.TARGET,
    files.WEIGHTS,
)
"""What a bundle takes of a run folder where it is there; checkpoints, metrics and outputs stay behind."""


def bundle(run: Run, path: Path, terms: str | None = None) -> None:
    """Writes the bundle of a run, whose model is loaded first, so that what does not translate is not shared."""
    if path.suffix != files.SUFFIX:
        raise UserError(f"{path}: expected a name that ends in {files.SUFFIX}")
    run.model()
    carried = {name: run.parts.read(name) for name in CARRIED if name in run.parts}
    files.write_bundle(path, {files.CARD: card(run, terms).encode(), **carried})
