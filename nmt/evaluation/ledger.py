"""The ledger of a run: every scoring of a test set is one line of ``scores.jsonl``, so that many looks at one test set leave a trace."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nmt import files
from nmt.evaluation.evaluate import Result

NAME = "scores.jsonl"


def append(folder: Path, result: Result) -> int:
    """Adds a result to the run folder's ledger; returns how often this very test set had been scored there before."""
    record = result.as_json()
    before = sum(_same_test(entry, record) for entry in read(folder))
    entry = {"time": datetime.now(UTC).isoformat(timespec="seconds"), "scored_before": before, **record}
    files.append_record(folder / NAME, entry, durable=True)
    return before


def read(folder: Path) -> list[dict[str, Any]]:
    """All entries, oldest first."""
    return files.read_records(folder / NAME)


def _same_test(entry: dict[str, Any], record: dict[str, Any]) -> bool:
    return all(entry.get(key) == record[key] for key in ("source_sha256", "references_sha256"))
