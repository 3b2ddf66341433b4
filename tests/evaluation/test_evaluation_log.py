from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from nmt.data.pairs import Pairs
from nmt.errors import RunError, UserError
from nmt.evaluation import evaluate, evaluation_log, testsets
from nmt.evaluation.evaluate import Decoding
from nmt.runs import files
from nmt.runs.run_folder import FORMAT, Run
from nmt.search import SearchSettings

TEST = testsets.TestSet("toy", ["ein Hund", "eine Katze"], ["a dog", "a cat"])
VALID = testsets.TestSet("valid", ["ein Haus"], ["a house"])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run folder as far as the evaluation log reads it."""
    splits = {"valid": {"pairs": 1, "sha256": Pairs(VALID.source, VALID.references).sha256}}
    lengths = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
    metadata = {
        "format": FORMAT,
        "corpus": {"fallback": None, "splits": splits},
        "lengths": {"source": lengths, "target": lengths},
    }
    (tmp_path / files.METADATA).write_text(json.dumps(metadata))
    (tmp_path / files.WEIGHTS).write_bytes(b"weights")
    return Run(tmp_path)


def beam(width: int) -> Decoding:
    return Decoding(SearchSettings(beam=width))


def result(test: testsets.TestSet = TEST, beam: int = 5, weights: str | None = None) -> evaluate.Result:
    return evaluate.evaluate(
        lambda lines: ["a dog"] * len(lines),
        test,
        target="en",
        decoding=Decoding(SearchSettings(beam=beam)),
        weights_sha256=weights,
    )


def test_the_ledger_counts_how_often_these_very_sentences_were_scored_before(run: Run) -> None:
    renamed = testsets.TestSet("renamed", TEST.source, TEST.references)
    other = testsets.TestSet("toy", TEST.source, ["one dog", "one cat"])
    counts = [
        evaluation_log.append(run, one) for one in (result(), result(beam=1), result(renamed), result(other), result())
    ]
    assert counts == [0, 1, 2, 0, 3]
    assert [entry.scored_before for entry in evaluation_log.read(run)] == counts


def test_an_entry_is_the_record_with_its_time_and_reason(run: Run) -> None:
    evaluation_log.append(run, result(), "a curve")
    [entry] = evaluation_log.read(run)
    assert datetime.fromisoformat(entry.time).tzinfo is not None
    assert entry.reason == "a curve"
    assert entry.as_json() == {"time": entry.time, **result().as_json(), "reason": "a curve"}


def test_a_line_cut_short_spoils_neither_its_neighbours_nor_the_next_entry(run: Run) -> None:
    evaluation_log.append(run, result())
    with (run.path / files.SCORES).open("ab") as file:
        file.write(b'{"time": "2025-')
    assert evaluation_log.append(run, result()) == 1
    assert len(evaluation_log.read(run)) == 2


def test_a_ledger_that_cannot_be_written_is_named(run: Run) -> None:
    shutil.rmtree(run.path)
    with pytest.raises(RunError, match=r"scores\.jsonl: cannot be written"):
        evaluation_log.append(run, result())


def test_a_ledger_that_is_a_dead_link_is_not_made_elsewhere(run: Run) -> None:
    (run.path / files.SCORES).symlink_to("absent/scores.jsonl")
    with pytest.raises(UserError, match=r"scores\.jsonl: a link that leads nowhere"):
        evaluation_log.append(run, result())


@pytest.mark.parametrize("entry", ['{"test": 1}', '{"scores": {}}', "{}"])
def test_a_line_that_is_no_scoring_is_named(run: Run, entry: str) -> None:
    evaluation_log.append(run, result())
    with (run.path / files.SCORES).open("a") as file:
        file.write(f"{entry}\n")
    with pytest.raises(UserError, match=r"scores\.jsonl: entry 2 is no scoring"):
        evaluation_log.read(run)


def test_a_first_look_and_the_same_again_are_permitted(run: Run) -> None:
    evaluation_log.permit(run, TEST, [beam(5)], None)
    evaluation_log.append(run, result(weights=run.weights_sha256))
    evaluation_log.permit(run, TEST, [beam(5)], None)


@pytest.mark.parametrize("way", ["other settings", "other weights", "both at once"])
def test_a_second_way_is_refused_without_a_reason(run: Run, way: str) -> None:
    if way != "both at once":
        evaluation_log.append(run, result(weights="0" * 64 if way == "other weights" else run.weights_sha256))
    searches = {
        "other settings": [beam(1)],
        "other weights": [beam(5)],
        "both at once": [beam(1), beam(5)],
    }[way]
    with pytest.raises(UserError, match="makes its scores worthless"):
        evaluation_log.permit(run, TEST, searches, None)
    evaluation_log.permit(run, TEST, searches, "a curve over beams")


def test_the_validation_split_is_there_to_choose_by(run: Run) -> None:
    evaluation_log.append(run, result(VALID))
    evaluation_log.permit(run, VALID, [beam(1), beam(2)], None)
