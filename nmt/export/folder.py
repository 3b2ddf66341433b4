"""Writing the folder of an export, `ctranslate2/` in a run.

    model.bin, config.json, shared_vocabulary.json   what CTranslate2 loads (or source_ and target_vocabulary.json)
    vocabulary.model                                 SentencePiece (or source.model and target.model)
    nmt.json                                         hash of the run's weights, quantization, hashes of these files
    parity.json                                      comparison of its translations with the run's

With add_source_eos set it is complete for any program that uses CTranslate2: pieces in, pieces out.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from nmt import atomic
from nmt.export import layout
from nmt.inference import exports
from nmt.inference.exports import Description, Export, Quantization
from nmt.inference.memory import SearchMemory
from nmt.models.protocol import load_name
from nmt.runs.run_folder import JOINT, SOURCE, TARGET, Run

PARITY = "parity.json"


def fill(folder: Path, run: Run, quantization: Quantization) -> Export:
    """Writes a run's export into an empty folder; `exports.describe` completes it."""
    model = run.model()
    assert run.description.exporter, "refused before"
    positions = most_positions(run)
    source, target = (side.pieces(range(len(side))) for side in run.vocabularies)
    spec = load_name(run.description.exporter)(model, source, target, positions)
    spec.optimize(quantization)
    spec.save(str(folder))
    for name in (JOINT, SOURCE, TARGET):
        if name in run.files:
            atomic.write_file(folder / name, run.files.read(name))
    versions = {name: version(name) for name in ("nmt-recipes", "ctranslate2", "torch")}
    description = Description(
        weights_sha256=run.weights_sha256, quantization=quantization, positions=positions, versions=versions
    )
    return exports.read_built(folder, description)


def most_positions(run: Run) -> int:
    """Rows of the position table: enough for the longest source that is translated whole, and its longest target."""
    search = run.search_settings()
    source = SearchMemory.of(run).longest_source(run.metadata.lengths.source.longest, search) + 1
    return max(layout.FEWEST_POSITIONS, source, search.longest(source))
