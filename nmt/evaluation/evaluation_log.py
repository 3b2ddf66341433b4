"""The evaluation log of a run: every scoring of a test set is one line of ``scores.jsonl``.

A test set tells how good a model is only while nothing was chosen by it. So a second scoring of the same sentences with
other search settings or other weights is refused, unless a reason is given, which the log keeps. The validation split
is there to choose by.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from nmt import atomic, provenance
from nmt.atomic import JsonObject
from nmt.data.metadata import Text
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.evaluation.evaluate import Decoding, Result
from nmt.evaluation.metrics import METRICS
from nmt.evaluation.testsets import TestSet
from nmt.runs.files import SCORES, RunFiles
from nmt.runs.run_folder import Run


class _Checked(BaseModel):
    """Strict about what is used, since a line may be a stranger's; other keys are kept as they are."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class LoggedScore(_Checked):
    """A metric's value with its interval."""

    name: Text
    value: float
    low: float
    high: float
    signature: Text


class LoggedScores(_Checked):
    """The metrics of `METRICS` that were computed; an older entry may have fewer."""

    bleu: LoggedScore
    chrf: LoggedScore
    ter: LoggedScore

    @property
    def metrics(self) -> list[LoggedScore]:
        """In the order of `METRICS`."""
        found = {**(self.model_extra or {}), "bleu": self.bleu, "chrf": self.chrf, "ter": self.ter}
        return [LoggedScore.model_validate(found[key]) for key in METRICS if key in found]


class Entry(_Checked):
    """One scoring, as `Result.as_json` gives it, with its time and reason."""

    time: Text = ""
    test: Text
    sentences: int
    weights_sha256: Text | None
    source_sha256: Text
    references_sha256: Text
    search: dict[Text, int | float | Text | None]
    scores: LoggedScores
    scored_before: int
    notes: list[Text]
    output: Text | None = None
    output_sha256: Text | None = None
    reason: Text | None = None

    def as_json(self) -> JsonObject:
        """The line as it was read."""
        return self.model_dump(mode="json", exclude_unset=True)


def append(run: Run, result: Result, reason: str | None = None) -> int:
    """Adds a result to a run's log; returns how often the same sentences had been scored there before."""
    before = len(of_test(run, result.test))
    record = {"time": provenance.now(), **result.as_json(), "scored_before": before, "reason": reason}
    atomic.append_record(run.evaluations.to_write(SCORES), record, durable=True)
    return before


def read(run: Run) -> list[Entry]:
    """All entries, oldest first; of a bundle, those that came with it and those made here."""
    places: list[RunFiles] = [run.files, run.evaluations] if run.bundled else [run.files]
    found = [
        (place.where(SCORES), number, record)
        for place in places
        if SCORES in place
        for number, record in enumerate(atomic.records(place.read(SCORES)), 1)
    ]
    return [_entry(*each) for each in found]


def _entry(where: str, number: int, record: JsonObject) -> Entry:
    try:
        entry = Entry.model_validate(record)
        _ = entry.scores.metrics
        return entry
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))[:100]
        raise UserError(
            f"{where}: entry {number} is no scoring ({place}); take the line out, or the file away"
        ) from error


def permit(run: Run, test: TestSet, decodings: Sequence[Decoding], reason: str | None) -> None:
    """Refuses to score a test set in a second way without a reason; the decodings are about to be scored."""
    if reason or _is_validation(run, test):
        return
    entries = of_test(run, test)
    ways = [(entry.weights_sha256, entry.search) for entry in entries]
    searches = [each.as_json() for each in decodings]
    differing = [search for search in searches if any(way != (run.weights_sha256, search) for way in ways)]
    if differing or any(search != searches[0] for search in searches):
        before = (
            f"was scored {len(entries)} time{'s' * (len(entries) != 1)} with other settings or weights"
            if differing
            else "would be scored in several ways"
        )
        raise UserError(
            f"{run.path}: test set {test.name} {before}; "
            "to choose among them by a test set makes its scores worthless\n"
            "choose by the validation split: nmt evaluate RUN --split valid, with --beam or --length-penalty;\n"
            "if nothing is chosen by it, say why it is scored again: --reason TEXT, which the evaluation log keeps"
        )


def of_test(run: Run, test: TestSet) -> list[Entry]:
    """The entries of these very sentences, whatever name they had."""
    hashes = (test.source_sha256, test.references_sha256)
    return [entry for entry in read(run) if (entry.source_sha256, entry.references_sha256) == hashes]


def _is_validation(run: Run, test: TestSet) -> bool:
    valid = run.metadata.corpus.splits.get("valid")
    return valid is not None and Pairs(test.source, test.references).sha256 == valid.sha256
