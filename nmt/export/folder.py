"""The folder of an export, `ctranslate2/` in a run: what stands in it, and whether it still is that run's.

    model.bin, config.json, shared_vocabulary.json   what CTranslate2 loads (or source_ and target_vocabulary.json)
    vocabulary.model                                 SentencePiece, to make pieces with (or source.model and target.model)
    nmt.json                                         whose weights these are, in which quantization, made by which versions
    parity.json                                      how far its translations are those of the run

With add_source_eos set it is complete for any program that uses CTranslate2: pieces in, pieces out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nmt import atomic
from nmt.errors import UserError
from nmt.export import layout
from nmt.models.transformer import TransformerModel
from nmt.runs.run_folder import JOINT, SOURCE, TARGET, Run

NAME, ABOUT, PARITY = "ctranslate2", "nmt.json", "parity.json"
FORMAT = 1
QUANTIZATIONS = ("float32", "int8")


@dataclass(frozen=True)
class Export:
    """An export, opened for reading."""

    path: Path
    about: dict[str, Any]

    @property
    def quantization(self) -> str:
        """One of `QUANTIZATIONS`."""
        return str(self.about["quantization"])

    @property
    def positions(self) -> int:
        """Pieces that either side of a sentence may have, its end counted."""
        return int(self.about["positions"])

    def fault(self, run: Run) -> str | None:
        """Why this export cannot stand for a run here, or None."""
        if self.about["weights_sha256"] != run.weights_sha256:
            return (
                f"made of other weights than the run has now; export it again: nmt export {run.path} --to ctranslate2"
            )
        return unsuitable(run) or unsupported(self.quantization)


def opened(run: Run) -> Export | None:
    """A run's export, or None where there is none."""
    path = run.path / NAME / ABOUT
    if not path.exists():
        return None
    try:
        about = json.loads(path.read_text(encoding="utf8"))
        found = about["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); export the run again: nmt export {run.path} --to ctranslate2"
        ) from error
    if found != FORMAT:
        raise UserError(
            f"{path}: expected an export of format {FORMAT}, found {found!r}; it was made by another version of nmt: export it again"
        )
    return Export(path.parent, about)


def fill(folder: Path, run: Run, quantization: str) -> Export:
    """Writes a run's export into an empty folder."""
    model = run.model()
    assert isinstance(model, TransformerModel), "refused before"
    positions = most_positions(run)
    source, target = (side.pieces(range(len(side))) for side in run.vocabularies)
    spec = layout.specification(model, source, target, positions)
    spec.optimize(quantization)
    spec.save(str(folder))
    for name in (JOINT, SOURCE, TARGET):
        if (run.path / name).exists():
            atomic.write_file(folder / name, (run.path / name).read_bytes())
    versions = {name: version(name) for name in ("nmt-recipes", "ctranslate2", "torch")}
    about = {
        "format": FORMAT,
        "weights_sha256": run.weights_sha256,
        "quantization": quantization,
        "positions": positions,
        "versions": versions,
    }
    atomic.write_json(folder / ABOUT, about)
    return Export(folder, about)


def most_positions(run: Run) -> int:
    """Rows of the table of positions: enough for every source that the run's translator would read at once, and the longest target it may give."""
    from nmt.inference.translator import SHORTEST_LIMIT

    search = run.recipe.search
    source: int = max(run.metadata["lengths"]["source"]["longest"], SHORTEST_LIMIT) + 1
    target = int(source * search.max_ratio) + search.max_extra
    return max(layout.FEWEST_POSITIONS, source, target)


def check(run: Run, quantization: str) -> None:
    """Refuses what cannot be exported, with the reason and the way out."""
    if reason := unsuitable(run):
        raise UserError(f"{run.path}: {reason}")
    if reason := unsupported(quantization):
        raise UserError(f"--quantization: {reason}")
    run.check()


def unsuitable(run: Run) -> str | None:
    """Why no export can stand for a run, or None."""
    model = run.recipe.model
    if model.family != "transformer":
        called = (
            f"recurrent models ({model.cell}, attention {model.attention})"
            if model.family == "recurrent"
            else f"models of family {model.family}"
        )
        return f"CTranslate2 has no {called}; only Transformers can be exported to it\nthis run translates with --engine torch"
    if found := run.recipe.search.min_length:
        return f"search.min_length: expected 0, found {found}: CTranslate2 changes all probabilities before the fewest pieces; take --engine torch"
    return None


def unsupported(quantization: str) -> str | None:
    """Why this installation does not compute in a quantization, or None."""
    if find_spec("ctranslate2") is None:
        return "ctranslate2 is not installed: pip install 'nmt-recipes[ct2]'"
    import ctranslate2

    there = ctranslate2.get_supported_compute_types("cpu")
    return (
        None
        if quantization in there
        else f"CTranslate2 does not compute in {quantization} on this CPU; it does in {', '.join(sorted(there))}"
    )
