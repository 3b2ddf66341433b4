"""What a recipe's keys mean is said from the types themselves, so nothing can be missing or out of date."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.recipe import explain, reading
from nmt.recipe.document import dotted
from nmt.recipe.types import FAMILIES

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*-en*.yaml"))


def leaves(values: dict[str, object], above: tuple[str, ...] = ()) -> set[str]:
    """The dotted keys of nested values."""
    found = set()
    for name, value in values.items():
        found |= leaves(value, (*above, name)) if isinstance(value, dict) else {dotted((*above, name))}
    return found


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_an_explained_recipe_is_read_as_the_same_recipe(path: Path, tmp_path: Path) -> None:
    recipe = reading.read(path)
    written = tmp_path / "explained.yaml"
    written.write_text(reading.dump(recipe, explain=True), encoding="utf-8")
    assert reading.read(written) == recipe


def test_values_that_look_like_comments_survive_an_explanation(tmp_path: Path) -> None:
    recipe = reading.read(RECIPES[0], ['data.corpus="a # b: c"', 'data.extra=["x: y", "z # 1.tsv", "-.tsv"]'])
    written = tmp_path / "explained.yaml"
    written.write_text(reading.dump(recipe, explain=True), encoding="utf-8")
    assert reading.read(written, ["name=" + str(recipe.name)]) == recipe


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_an_explained_recipe_has_a_comment_at_every_key_and_fits_120_columns(path: Path) -> None:
    lines = reading.dump(reading.read(path), explain=True).splitlines()
    without = [line for line in lines if ":" in line.partition("#")[0] and "#" not in line]
    assert [line.strip() for line in without] == ["encoder:", "decoder:"]
    assert max(map(len, lines)) <= explain.WIDTH


def test_every_key_of_every_family_is_explained() -> None:
    entries = [entry for section in explain.sections() for entry in section.entries]
    for family in FAMILIES:
        keys = leaves(
            reading.read_content(
                f"{{model: {{family: {family}}}, training: {{updates: 1}}, data: {{corpus: builtin}}}}".encode(),
                "x.yaml",
            ).model_dump(by_alias=True)
        )
        known = {entry.name for entry in entries if entry.family in (None, family)}
        assert known == keys
    assert [entry.name for entry in entries if not (entry.text and entry.expected and entry.default)] == []


def test_the_explained_default_is_the_one_that_a_recipe_takes() -> None:
    recipe = reading.read_content(b"{training: {updates: 1}, data: {corpus: builtin}}", "x.yaml")
    (beam,) = explain.find("search.beam")
    (select,) = explain.find("training.select")
    assert (beam.default, select.default) == (str(recipe.search.beam), recipe.training.select)


def test_a_key_is_found_by_its_name_its_section_and_its_last_part() -> None:
    assert [entry.name for entry in explain.find("training.select")] == ["training.select"]
    assert [entry.name for entry in explain.find("select")] == ["training.select"]
    assert {entry.key[0] for entry in explain.find("search")} == {"search"}
    assert {entry.name for entry in explain.find("dropout")} == {"model.dropout"}
    assert {entry.family for entry in explain.find("dropout")} >= {"recurrent", "transformer"}


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("training.selct", "did you mean training.select?"),
        ("warmpu", "did you mean warmup?"),
        ("model.reader", "renamed; use model.attention"),
        ("qqq", "its sections are name, data, vocabulary, model, training, search"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(name: str, answer: str) -> None:
    with pytest.raises(UserError, match=answer.replace("?", r"\?")):
        explain.find(name)
