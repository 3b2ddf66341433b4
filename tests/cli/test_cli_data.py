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
