"""Examples of defects are shown with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nmt.corpus_checks import places
from nmt.corpus_checks.report import LIMITS, findings
from nmt.corpus_checks.text import other_languages
from nmt.data import builtin
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.recipe.types import Data
from nmt.text import detection
from nmt.text.detection import Guess


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.fr").write_text("chien\nchat\n\noiseau\n")
    Path("mine.en").write_text("dog\ncat\n\nbird\n")
    Path("more.tsv").write_text("en\tfr\nfish\tpoisson\ncat\tchat\n")
    Path("test.csv").write_text("fr,en\nvache,cow\n")


def request(**keys: object) -> CorpusRequest:
    return CorpusRequest(**Data.model_validate({"source": "fr", "target": "en", **keys}).model_dump())


def test_a_sentence_is_placed_in_the_file_of_its_side_and_a_pair_in_that_of_the_source() -> None:
    asked = request(train="mine.fr,mine.en", test="test.csv", extra=["more.tsv"])
    wanted = ["oiseau", "bird", "chat ||| cat", "fish", "vache ||| cow", "absent"]
    assert places.find(asked, wanted) == {
        "oiseau": "mine.fr:4",
        "bird": "mine.en:4",
        "chat ||| cat": "mine.fr:2",
        "fish": "more.tsv:2",
        "vache ||| cow": "test.csv:2",
    }


def test_a_sentence_of_a_data_set_is_placed_by_split_and_row() -> None:
    german, english = builtin.pairs("test")[6]
    asked = request(source="de", corpus="builtin")
    assert places.find(asked, [german, english]) == {german: "test:7", english: "test:7"}


def test_nothing_is_read_if_nothing_is_wanted() -> None:
    assert places.find(request(train="absent.tsv"), []) == {}


def test_an_example_is_printed_behind_its_place() -> None:
    [found] = findings([("overlap", "test in train", ["a", "b"], 2)], LIMITS, lambda sentences: {"a": "mine.fr:3"})
    assert (found.examples, found.places) == (("a", "b"), ("mine.fr:3", ""))
    assert found.as_json()["places"] == ["mine.fr:3", ""]


def test_sides_in_other_languages_than_the_recipe_names_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sides that are exchanged are alike in every other check."""
    spoken = {"chien": "fr", "dog": "en"}

    def unlike(text: str, languages: list[str]) -> Guess | None:
        return None if spoken[text] in languages else Guess(spoken[text], 99.0)

    monkeypatch.setattr(detection, "unlike", unlike)
    exchanged = {"train": Pairs(["dog"] * 2500, ["chien"] * 2500)}
    for check, split, sentences, of in other_languages(exchanged, "fr", "en"):
        assert (check, len(sentences), of) == ("other language", of, of)
        assert split in ("train source", "train target")
        assert 800 <= of <= 1000
    right = {"train": Pairs(["chien"], ["dog"])}
    assert [sentences for _, _, sentences, _ in other_languages(right, "fr", "en")] == [[], []]
