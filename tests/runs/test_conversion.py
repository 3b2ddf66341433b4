"""Runs of format 1, made by the version before it, with the translations that it gave (tests/runs/format1)."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from rich.console import Console

from nmt.errors import UserError
from nmt.evaluation import evaluation_log
from nmt.inference.exports import open_export
from nmt.inference.open import open_translator
from nmt.recipe import reading
from nmt.runs import conversion, run_folder
from nmt.runs.files import EXPORT, EXPORT_METADATA
from nmt.runs.run_folder import Run
from nmt.training.begin import train

SAMPLES = Path(__file__).parent / "format1"
LINES = (SAMPLES / "in.txt").read_text("utf8").splitlines()
BUNDLES = ["thought-vector", "initial-state", "transformer"]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a run folder of attention, its recipe and its corpus."""
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(SAMPLES / "attention.zip") as archive:
        archive.extractall()
    return tmp_path


def check_translations(path: Path, name: str) -> None:
    expected = [json.loads(line) for line in (SAMPLES / f"{name}.jsonl").read_text("utf8").splitlines()]
    translator = open_translator(path, "torch", search=Run(path).search_settings(nbest=2, keep_weights=True))
    found = [each.as_json() for each in translator.translate(LINES)]
    scores = [[each.pop("score") for each in side] for side in (found, expected)]
    others = [[other.pop("score") for each in side for other in each["alternatives"]] for side in (found, expected)]
    assert found == expected
    assert scores[0] == pytest.approx(scores[1])  # another CPU may round otherwise
    assert others[0] == pytest.approx(others[1])


def test_a_converted_folder_translates_as_before(old: Path) -> None:
    conversion.convert(Path("attention"), None)
    check_translations(Path("attention"), "attention")
    assert sorted(path.name for path in old.iterdir() if path.name.startswith(".")) == []


@pytest.mark.parametrize("name", BUNDLES)
def test_a_converted_bundle_translates_as_before(tmp_path: Path, name: str) -> None:
    path, out = SAMPLES / f"{name}.nmt", tmp_path / "new.nmt"
    assert conversion.convert(path, out) == out
    check_translations(out, name)
    shutil.copy(path, tmp_path / "old.nmt")
    conversion.convert(tmp_path / "old.nmt", None)
    assert (tmp_path / "old.nmt").read_bytes() == out.read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new.nmt", "old.nmt"]


def test_training_continues_from_a_converted_checkpoint(old: Path) -> None:
    conversion.convert(Path("attention"), None)
    before = Run(Path("attention"))
    said: list[str] = []
    recipe = before.recipe.model_copy(update={"training": before.recipe.training.model_copy(update={"updates": 62})})
    code = train(recipe, Path("attention"), restart=False, log=said.append, console=Console(quiet=True), quiet=True)
    outcome = Run(Path("attention")).outcome
    assert (code, outcome and outcome.update) == (0, 62)
    assert "continuing from update 60" in said


def test_the_evaluation_log_still_belongs_to_the_weights(old: Path) -> None:
    conversion.convert(Path("attention"), None)
    run = Run(Path("attention"))
    assert [entry.weights_sha256 for entry in evaluation_log.read(run)] == [run.weights_sha256]


def test_metadata_and_recipe_have_the_new_names(old: Path) -> None:
    conversion.convert(Path("attention"), None)
    run = Run(Path("attention"))
    assert (run.metadata.decided.updates, run.metadata.corpus.name, run.outcome is not None) == (60, "files", True)
    assert run.metadata.lengths.source.tokens > 0
    assert (run.recipe.model.family, run.metadata.format) == ("recurrent", run_folder.FORMAT)
    assert reading.read_content((run.path / run_folder.RECIPE).read_bytes(), "recipe") == run.recipe


def test_an_old_run_names_the_command_that_converts_it(old: Path) -> None:
    with pytest.raises(UserError, match="convert it: nmt convert attention"):
        Run(Path("attention")).check()


def test_nothing_is_converted_twice_or_over_something_else(old: Path) -> None:
    with pytest.raises(UserError, match=r"--out: toy\.yaml exists"):
        conversion.convert(Path("attention"), Path("toy.yaml"))
    conversion.convert(Path("attention"), Path("new"))
    with pytest.raises(UserError, match="found 2; there is nothing to convert"):
        conversion.convert(Path("new"), None)


def test_a_damaged_run_stays_as_it_is(old: Path) -> None:
    weights = Path("attention", run_folder.WEIGHTS)
    weights.write_bytes(weights.read_bytes()[:-8])
    before = {path: path.read_bytes() for path in Path("attention").rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="not the weights of this run's model"):
        conversion.convert(Path("attention"), None)
    assert {path: path.read_bytes() for path in Path("attention").rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in old.glob(".*")) == []


def test_a_link_is_refused_since_it_would_be_written_through(old: Path) -> None:
    Path("outside").write_text("{}\n")
    Path("attention", "scores.jsonl").unlink()
    Path("attention", "scores.jsonl").symlink_to(Path("outside").absolute())
    with pytest.raises(UserError, match=r"attention/scores\.jsonl: a link, which is not converted"):
        conversion.convert(Path("attention"), None)
    assert Path("outside").read_text() == "{}\n"


def test_an_export_comes_along_and_asks_to_be_made_again(old: Path) -> None:
    described = Path("attention", EXPORT, EXPORT_METADATA)
    described.parent.mkdir()
    described.write_text(json.dumps({"format": 1, "weights_sha256": "0"}))
    conversion.convert(Path("attention"), None)
    with pytest.raises(UserError, match=r"an export of format 1, which has no hashes .* export it again: nmt export"):
        open_export(Run(Path("attention")), own=False)
