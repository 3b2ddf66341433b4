"""Run folders of small Transformers with random weights: every engine must give the same output."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from nmt.data import vocabulary
from nmt.models import weights
from nmt.recipe import reading
from nmt.runs import run_folder
from nmt.runs.run_folder import Run

WORDS = [
    "rot",
    "grün",
    "Hund",
    "Katze",
    "groß",
    "klein",
    "Haus",
    "Baum",
    "red",
    "green",
    "dog",
    "cat",
    "tall",
    "small",
    "house",
    "tree",
]
SMALL = (
    "model.family=transformer",
    "model.width=16",
    "model.heads=2",
    "model.feed_forward=32",
    "model.encoder.layers=2",
    "model.decoder.layers=1",
)
RECIPE = "data: {corpus: builtin}\ntraining: {updates: 1}\nsearch: {beam: 3, max_extra: 5}\n"

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes a run folder with some recipe keys changed; sources of up to 40 tokens are not split."""

    def make(name: str = "run", *overrides: str) -> Run:
        folder = tmp_path / name
        folder.mkdir()
        (tmp_path / "recipe.yaml").write_text(RECIPE)
        chosen = overrides if any(each.startswith("model.family") for each in overrides) else (*SMALL, *overrides)
        recipe = reading.read(tmp_path / "recipe.yaml", list(chosen))
        (folder / run_folder.RECIPE).write_text(reading.dump(recipe))
        lengths = {"median": 5, "p95": 9, "longest": 40, "tokens": 100}
        metadata = {
            "format": run_folder.FORMAT,
            "lengths": {"source": lengths, "target": lengths},
            "corpus": {"fallback": None},
        }
        (folder / run_folder.METADATA).write_text(json.dumps(metadata))
        sides = (
            {run_folder.JOINT: WORDS}
            if recipe.vocabulary.joint
            else {run_folder.SOURCE: WORDS[:8], run_folder.TARGET: WORDS[8:]}
        )
        for file, words in sides.items():
            (folder / file).write_bytes(vocabulary.train(words, type="unigram", size=320, exact=False))
        torch.manual_seed(1)
        model = Run(folder).fresh_model()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(
                    0.3 * torch.randn_like(parameter)
                )  # no bias or norm at rest, and no two pieces nearly as probable
            model.get_parameter("output.bias")[vocabulary.EOS] += 4.0  # some end by themselves
        (folder / run_folder.WEIGHTS).write_bytes(weights.packed(model))
        return Run(folder)

    return make


@pytest.fixture
def lines() -> list[str]:
    """Sentences of up to 5 words, one of them blank, and a line that is translated in parts."""
    sentences = [" ".join(WORDS[(place * step) % 8] for step in range(1, 2 + place % 5)) for place in range(24)]
    return [*sentences, "", "Hund Katze, rot. " * 12]
