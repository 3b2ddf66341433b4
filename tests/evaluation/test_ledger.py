from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from nmt.evaluation import evaluate, ledger, testsets
from nmt.faults import RunFault

TEST = testsets.TestSet("toy", ["ein Hund", "eine Katze"], ["a dog", "a cat"])


def result(test: testsets.TestSet = TEST, beam: int = 5) -> evaluate.Result:
    return evaluate.evaluate(lambda lines: ["a dog"] * len(lines), test, target="en", search={"beam": beam})


def test_the_ledger_counts_how_often_these_very_sentences_were_scored_before(tmp_path: Path) -> None:
    renamed = testsets.TestSet("renamed", TEST.source, TEST.references)
    other = testsets.TestSet("toy", TEST.source, ["one dog", "one cat"])
    counts = [ledger.append(tmp_path, one) for one in (result(), result(beam=1), result(renamed), result(other), result())]
    assert counts == [0, 1, 2, 0, 3]
    assert [entry["scored_before"] for entry in ledger.read(tmp_path)] == counts


def test_an_entry_is_the_record_with_its_time(tmp_path: Path) -> None:
    ledger.append(tmp_path, result())
    [entry] = ledger.read(tmp_path)
    assert datetime.fromisoformat(entry.pop("time")).tzinfo is not None
    assert entry.pop("scored_before") == 0
    assert entry == result().as_json()


def test_a_line_cut_short_spoils_neither_its_neighbours_nor_the_next_entry(tmp_path: Path) -> None:
    ledger.append(tmp_path, result())
    with (tmp_path / ledger.NAME).open("ab") as file:
        file.write(b'{"time": "2025-')
    assert ledger.append(tmp_path, result()) == 1
    assert len(ledger.read(tmp_path)) == 2


def test_a_ledger_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunFault, match=r"scores\.jsonl: cannot be written"):
        ledger.append(tmp_path / "absent", result())
