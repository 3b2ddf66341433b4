"""A run folder made by hand, whose model knows nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nmt import runs
from nmt.models import weights
from nmt.runs import Run
from nmt.text import vocabulary

RECIPE = """
name: toy
data: {corpus: builtin}
model: {embedding: 4, attention: 4, encoder: {hidden: 4}, decoder: {hidden: 4}}
training: {updates: 1}
"""
LENGTHS = {"median": 3, "95": 5, "longest": 9, "pieces": 100}
FACTS = {
    "format": runs.FORMAT,
    "corpus": {
        **{"fallback": None, "asked": {"corpus": "builtin"}, "loaded": "builtin", "revision": None},
        "splits": {"train": {"pairs": 30_000, "sha256": "0"}},
    },
    "lengths": {"source": LENGTHS, "target": LENGTHS},
    "parameters": 1234,
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "toy"
    path.mkdir()
    (path / runs.RECIPE).write_text(RECIPE)
    (path / runs.JOINT).write_bytes(vocabulary.train(["ein Hund", "a dog"], type="bpe", size=275))
    (path / runs.FACTS).write_text(json.dumps(FACTS))
    (path / runs.WEIGHTS).write_bytes(weights.packed(Run(path).fresh_model()))
    (path / "metrics.jsonl").write_text("stays behind")
    return Run(path)
