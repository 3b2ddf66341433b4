"""Writing bundles."""

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
"""Files of a run that a bundle holds, where they exist; checkpoints, metrics and outputs are left out."""


def bundle(run: Run, path: Path, terms: str | None = None) -> None:
    """Writes the bundle of a run; its model is loaded first, so that a damaged run is not shared."""
    if path.suffix != files.SUFFIX:
        raise UserError(f"{path}: expected a name that ends in {files.SUFFIX}")
    run.model()
    carried = {name: run.files.read(name) for name in CARRIED if name in run.files}
    files.write_bundle(path, {files.CARD: card(run, terms).encode(), **carried})
