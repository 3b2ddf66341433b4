"""How the demo models are made: rounded copies of runs, and a test set as files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch

from nmt.data import builtin
from nmt.models import weights
from nmt.recipe import reading
from nmt.runs import demo, files
from nmt.runs.run_folder import Run
from tools import demo_models


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder in float32, with a checkpoint."""
    with zipfile.ZipFile(demo.THOUGHT_VECTOR) as bundle:
        bundle.extractall(tmp_path / "run")
    model = Run(tmp_path / "run").model()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=1e-4)
    (tmp_path / "run" / files.WEIGHTS).write_bytes(weights.packed(model))
    (tmp_path / "run" / "checkpoints").mkdir()
    return tmp_path / "run"


def test_a_rounded_run_is_the_run_with_the_nearest_bfloat16_weights_and_without_checkpoints(run: Path) -> None:
    rounded = run.with_name("rounded")
    demo_models.round_weights(run, rounded)
    assert {path.name for path in run.iterdir()} - {path.name for path in rounded.iterdir()} == {"checkpoints"}
    before = weights.unpacked((run / files.WEIGHTS).read_bytes())
    after = weights.unpacked((rounded / files.WEIGHTS).read_bytes())
    assert all(torch.equal(after[name], tensor.bfloat16()) for name, tensor in before.items())
    assert (rounded / files.WEIGHTS).stat().st_size < 0.51 * (run / files.WEIGHTS).stat().st_size


def test_the_models_differ_in_attention_alone_and_their_recipes_are_those_of_the_bundles() -> None:
    for bundle, recipe in demo_models.RECIPES.items():
        made = reading.read(demo_models.ROOT / recipe, [*demo_models.OVERRIDES, f"name=demo-{bundle.stem}"])
        assert reading.differences(made, Run(bundle).recipe) == {}


def test_the_test_set_by_hand_is_written_line_by_line(tmp_path: Path) -> None:
    german, english = demo_models.write_natural(tmp_path)
    lines = [path.read_text("utf8").splitlines() for path in (german, english)]
    assert list(zip(*lines, strict=True)) == builtin.pairs("natural")
