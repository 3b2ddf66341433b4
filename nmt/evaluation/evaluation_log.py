"""The ledger of a run: every scoring of a test set is one line of ``scores.jsonl``, so that many looks at one test set leave a trace.

A test set tells how good a model is only while nothing was chosen by it. So a second scoring of the same sentences with other search settings
or other weights is refused, unless a reason is given, which the ledger keeps. The validation split is there to choose by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt import atomic
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.evaluation.evaluate import Decoding, Result
from nmt.evaluation.testsets import TestSet
from nmt.runs.files import SCORES
from nmt.runs.run_folder import Run

_Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", max_length=10_000)]


class _Sound(BaseModel):
    """Strict about what is shown; what else there is stays as it is."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Score(_Sound):
    name: _Line
    value: float
    low: float
    high: float
    signature: _Line


class _Scores(_Sound):
    bleu: _Score
    chrf: _Score
    ter: _Score


class _Entry(_Sound):
    """What a line must hold, as it may be a stranger's."""

    test: _Line
    sentences: int
    weights_sha256: _Line | None
    source_sha256: _Line
    references_sha256: _Line
    search: dict[_Line, int | float | _Line | None]
    scores: _Scores
    scored_before: int
    notes: list[_Line]


def append(run: Run, result: Result, reason: str | None = None) -> int:
    """Adds a result to a run's ledger; returns how often this very test set had been scored there before."""
    record = result.as_json()
    before = len(_looks(run, result.test))
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        **record,
        "scored_before": before,
        "reason": reason,
    }
    atomic.append_record(run.evaluations / SCORES, entry, durable=True)
    return before


def read(run: Run) -> list[dict[str, Any]]:
    """All entries, oldest first; of a bundle, those that came with it and those made here."""
    try:
        found = atomic.records(run.parts.read(SCORES))
    except FileNotFoundError:
        found = []
    if run.bundled:
        found += atomic.read_records(run.evaluations / SCORES)
    for number, entry in enumerate(found, 1):
        try:
            _Entry.model_validate(entry)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))[:100]
            raise UserError(
                f"{run.parts.where(SCORES)}: entry {number} is no scoring ({place}); take the line out, or the file away"
            ) from error
    return found


def permit(run: Run, test: TestSet, decodings: Sequence[Decoding], reason: str | None) -> None:
    """Refuses to score a test set in a second way without a reason; the decodings are about to be scored."""
    if reason or _is_validation(run, test):
        return
    looks = _looks(run, test)
    ways = [(entry["weights_sha256"], entry["search"]) for entry in looks]
    searches = [each.as_json() for each in decodings]
    differing = [search for search in searches if any(way != (run.weights_sha256, search) for way in ways)]
    if differing or any(search != searches[0] for search in searches):
        before = (
            f"was scored {len(looks)} time{'s' * (len(looks) != 1)} with other settings or weights"
            if differing
            else "would be scored in several ways"
        )
        raise UserError(
            f"{run.path}: test set {test.name} {before}; to choose among them by a test set makes its scores worthless\n"
            "choose by the validation split: nmt evaluate RUN --split valid, with --beam or --length-penalty;\n"
            "if nothing is chosen by it, say why it is scored again: --reason TEXT, which the ledger keeps"
        )


def _looks(run: Run, test: TestSet) -> list[dict[str, Any]]:
    """The entries of these very sentences, whatever name they had."""
    return [
        entry
        for entry in read(run)
        if (entry["source_sha256"], entry["references_sha256"]) == (test.source_sha256, test.references_sha256)
    ]


def _is_validation(run: Run, test: TestSet) -> bool:
    valid = run.metadata["corpus"].get("splits", {}).get("valid", {}).get("sha256")
    return bool(valid) and Pairs(test.source, test.references).sha256 == valid
