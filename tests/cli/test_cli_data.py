from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt


def test_data_check_prints_tables_and_its_status_says_whether_there_are_problems(nmt: Nmt) -> None:
    outcome = nmt(
        "data",
        "check",
        "toy.yaml",
        *(f"--limit={name}=1" for name in ("overlap", "near overlap", "language", "duplicates")),
    )
    assert outcome.status == 0, outcome.out
    assert outcome.out.decode().endswith("no problems\n")
    assert "learning a joint vocabulary" in outcome.err


def test_a_test_set_that_stands_in_training_is_a_problem(nmt: Nmt) -> None:
    Path("test.tsv").write_bytes(b"".join(Path("train.tsv").read_bytes().splitlines(keepends=True)[:5]))
    outcome = nmt("data", "check", "-q", "toy.yaml", "data.overlap=keep", "--json")
    found = json.loads(outcome.out)
    assert (outcome.status, outcome.err) == (1, "")
    [overlap] = [each for each in found["findings"] if (each["check"], each["split"]) == ("overlap", "test in train")]
    assert (overlap["count"], overlap["of"], overlap["share"], overlap["problem"]) == (5, 5, 1.0, True)
    assert found["corpus"]["cleaning"]["overlap"] == 0
    assert (
        "overlap (test in train)"
        in nmt("data", "check", "-q", "toy.yaml", "data.overlap=keep").out.decode().splitlines()[-1]
    )


def test_what_cannot_be_read_is_exit_status_2(nmt: Nmt) -> None:
    for arguments in (
        ["toy.yaml", "data.test=absent.tsv"],
        ["absent.yaml"],
        ["toy.yaml", "--limit", "overlap=2"],
        ["toy.yaml", "--limit", "x=0"],
    ):
        outcome = nmt("data", "check", *arguments)
        assert (outcome.status, outcome.out) == (2, b"")
        assert outcome.err.count("\n") <= 3


def test_examples_have_file_and_line(nmt: Nmt) -> None:
    lines = Path("train.tsv").read_text("utf8").splitlines()
    Path("test.tsv").write_text(f"{lines[4]}\n", "utf8")
    place = f"train.tsv:{lines.index(lines[4]) + 1}: "
    outcome = nmt("data", "check", "-q", "toy.yaml", "data.overlap=keep")
    assert f"overlap: test in train\n    {place}" in outcome.out.decode()


def test_a_vocabulary_that_is_too_large_does_not_end_the_check(nmt: Nmt) -> None:
    outcome = nmt("data", "check", "toy.yaml", "vocabulary.size=5000")
    assert outcome.status == 1
    assert "expected at most" in outcome.err
    assert "the rest is checked without a vocabulary" in outcome.err
    assert "train source, words" in outcome.out.decode()
