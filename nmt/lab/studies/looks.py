"""The ledger of a study: every analysis scores the test set with all finished runs, and is one line of ``looks.jsonl`` in the results folder.

A study's settings are chosen before, on validation, so no look is refused as `nmt.evaluation.evaluation_log` refuses those at a single run; but how
many there were is said in the report. Folders that were begun before looks were counted have no ledger, and their reports say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nmt import atomic
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies.plan import Unit
from nmt.lab.studies.results import LOOKS, Results

SAID = "looks at the test set"
"""The name of their number among the conditions of a report."""


def add(results: Results, test: TestSet, units: Sequence[Unit]) -> str:
    """Notes that a test set is scored with these runs; how often one has been, this time too, in words for the report."""
    path = results.path / LOOKS
    before = atomic.read_records(path)
    complete = before[0]["complete"] if before else path.exists()
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "source_sha256": test.source_sha256,
        "references_sha256": test.references_sha256,
        "runs": {unit.name: results.result(unit)["weights_sha256"] for unit in units},
        "scored_before": len(before),
        "complete": complete,
    }
    atomic.append_record(path, entry, durable=True)
    return f"{len(before) + 1}" if complete else f"{len(before) + 1} since looks are counted"
