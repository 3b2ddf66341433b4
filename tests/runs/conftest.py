"""A run folder made by hand, whose model knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nmt.data import vocabulary
from nmt.models import weights
from nmt.runs import run_folder
from nmt.runs.run_folder import Run

RECIPE = """
name: toy
data: {corpus: builtin}
model: {embedding: 4, attention_size: 4, encoder: {hidden: 4}, decoder: {hidden: 4}}
training: {updates: 1}
"""
LENGTHS = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
METADATA = {
    "format": run_folder.FORMAT,
    "corpus": {
        **{"fallback": None, "request": {"corpus": "builtin"}, "name": "builtin", "revision": None},
        "splits": {"train": {"pairs": 30_000, "sha256": "0"}},
    },
    "lengths": {"source": LENGTHS, "target": LENGTHS},
    "decided": {"parameters": 1234},
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "toy"
    path.mkdir()
    (path / run_folder.RECIPE).write_text(RECIPE)
    (path / run_folder.JOINT).write_bytes(vocabulary.train(["ein Hund", "a dog"], type="bpe", size=275))
    (path / run_folder.METADATA).write_text(json.dumps(METADATA))
    (path / run_folder.WEIGHTS).write_bytes(weights.packed(Run(path).fresh_model()))
    (path / "metrics.jsonl").write_text("stays behind")
    return Run(path)
