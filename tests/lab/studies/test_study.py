from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.lab.studies import plan as plans, study
from nmt.lab.studies.study import Study

FILE = """\
study: {kind: bottleneck, baseline: one, concatenations: [1, 2]}
recipe:
  data: {source: de, target: en, corpus: null, train: toy.tsv, test: test.tsv}
  vocabulary: {size: 296}
  training: {updates: 2}
systems:
  one: {title: one}
  natural: {title: natural, long: true}
"""
WORDS = {
    "rot": "red",
    "grün": "green",
    "Hund": "dog",
    "Katze": "cat",
    "groß": "tall",
    "klein": "small",
    "Haus": "house",
    "Baum": "tree",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pairs = [(" ".join(chosen), " ".join(map(WORDS.__getitem__, chosen))) for chosen in permutations(WORDS, 2)]
    Path("toy.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in pairs), "utf8")
    Path("study.yaml").write_text(FILE, "utf8")
    for name, lines in (
        ("test.tsv", "Haus Haus\thouse house\nBaum Baum\ttree tree\n"),
        ("long.de", "ein\nzwei\n"),
        ("long.en", "one\ntwo\n"),
        ("short.en", "one\n"),
    ):
        Path(name).write_text(lines, "utf8")
    return tmp_path


def prepared(train: str) -> Study:
    plan = plans.read(Path("study.yaml"), [f"study.long={{train: [{train}], test: 'long.de,long.en'}}"])
    return study.prepare(plan, Path("out"), lambda _: None)


def test_each_system_is_tested_on_what_it_is_for() -> None:
    tests = prepared("'long.de,long.en'").tests
    assert {name: [test.name for test in each] for name, each in tests.items()} == {
        "one": ["test.concatenated1", "test.concatenated2"],
        "natural": ["long"],
    }


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ("long.de", r"long\.de: expected SOURCE,TARGET"),
        ("'long.de,short.en'", r"long\.de has 2 lines and short\.en has 1"),
        ("'a.de,long.en'", r"a\.de: no such file"),
    ],
)
def test_long_text_that_cannot_be_read_is_reported_before_training(train: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        prepared(train)


def test_the_command_of_a_study_names_what_was_changed() -> None:
    plan = plans.read(Path("study.yaml"), ["training.updates=3", "study.beams=[1]"])
    assert plan.command == "nmt study recipes/study.yaml training.updates=3 'study.beams=[1]'"
