from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt


def test_a_run_is_measured_in_training_and_translating_and_left_as_it_was(nmt: Nmt) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("runs/toy").rglob("*")}
    outcome = nmt(
        "bench",
        "runs/toy",
        "--threads",
        "1",
        "--beam",
        "1",
        "--updates",
        "1",
        "--sentences",
        "4",
        "--precision",
        "bf16",
        "--json",
        "-q",
    )
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    rows = found["rows"]
    assert [(row["work"], row["threads"]) for row in rows[-2:]] == [("train", 1), ("translate", 1)]
    assert rows[-1]["lines"] == 4
    assert rows[-1]["precision"] == "bf16"
    assert [claim["id"] for claim in found["claims"]] == ["E5"], "the toy is recurrent"
    assert all(row["peak_bytes"] > 2**20 for row in rows if row["work"] != "start")
    assert 0 < rows[0]["help_seconds"] < rows[0]["first_translation_seconds"], "which loads torch and a model besides"
    assert {path: path.stat().st_mtime_ns for path in Path("runs/toy").rglob("*")} == before
