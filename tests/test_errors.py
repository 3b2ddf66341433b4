"""A mistyped name is answered with the one that was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt.data import lines
from nmt.errors import UserError, meant, meant_path
from nmt.recipe import reading
from nmt.runs.run_folder import Run


def test_the_nearest_name_is_named_and_a_strange_one_has_none() -> None:
    assert meant("bleau", ["bleu", "chrf2"]) == "; did you mean bleu?"
    assert meant("zzz", ["bleu", "chrf2"]) == ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("recipes/de-en.yaml", "recipes/builtin.yaml", "runs/de-en/recipe.yaml", "letter.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("typed", ["recipes/de-em.yaml", "de-en", "de-en.yaml", "recipe/de-en.yaml", "recipes/de-en"])
def test_a_mistyped_recipe_is_answered_with_the_one_in_recipes(typed: str) -> None:
    with pytest.raises(UserError) as raised:
        reading.read(Path(typed))
    assert str(raised.value) == f"{typed}: no such recipe; did you mean recipes/de-en.yaml?"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("typed", ["runs/de-em", "de-en", "run/de-en"])
def test_a_mistyped_run_is_answered_with_the_one_in_runs(typed: str) -> None:
    with pytest.raises(UserError) as raised:
        Run(Path(typed))
    assert str(raised.value) == f"{typed}: no such run folder; did you mean runs/de-en?"


def test_a_mistyped_file_is_answered_with_the_one_beside_it(folder: Path) -> None:
    for typed, answer in (("leter.txt", f"; did you mean {folder}/letter.txt?"), ("absent/x.txt", "")):
        with pytest.raises(UserError) as raised, lines.opened(folder / typed):
            pass
        assert str(raised.value) == f"{folder / typed}: no such file{answer}"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("typed", ["none.yaml", "recipes/transformer.yaml"])
def test_a_strange_name_is_not_answered_with_another_that_only_ends_alike(typed: str) -> None:
    with pytest.raises(UserError) as raised:
        reading.read(Path(typed))
    assert str(raised.value) == f"{typed}: no such recipe"


def test_hidden_files_are_not_offered(tmp_path: Path) -> None:
    (tmp_path / ".letter.txt").touch()
    assert meant_path(tmp_path / "letter.txt") == ""
