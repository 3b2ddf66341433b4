"""Evaluation of one system on one test set, which is translated once, and comparison of several systems."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.atomic import JsonObject, write_file
from nmt.errors import RunError, UserError
from nmt.evaluation import metrics, significance
from nmt.evaluation.lengths import Bucket, by_length
from nmt.evaluation.significance import Difference
from nmt.evaluation.testsets import TestSet, text_sha256
from nmt.runs.files import FolderFiles
from nmt.search import SearchSettings

if TYPE_CHECKING:
    from nmt.inference.open import Split

Translate = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Decoding:
    """The settings that decide the translations of a run."""

    search: SearchSettings
    precision: str | None = None
    """None if it is fp32 as in the recipe, because older records do not have this field."""
    split: Split = "never"
    """Whether lines are split into sentences. A test set is scored as it is; a record has this field otherwise."""

    def as_json(self) -> JsonObject:
        """The form in the evaluation log and in names of outputs."""
        precision = {"precision": self.precision} if self.precision else {}
        return {**self.search.as_json(), **precision, **({"split": self.split} if self.split != "never" else {})}


@dataclass(frozen=True, kw_only=True)
class Result:
    """The translations of one test set by one run, and their scores.

    ``notes`` are printed with every score of the run, such as the corpus it fell back to. ``lengths`` is empty unless
    requested, ``output`` is None until the hypotheses are saved, ``scored_before`` counts earlier log entries.
    """

    run: str
    test: TestSet
    target: str
    hypotheses: list[str]
    scores: metrics.Scores
    lengths: list[Bucket] = field(default_factory=list)
    decoding: Decoding | None = None
    weights_sha256: str | None = None
    notes: tuple[str, ...] = ()
    output: Path | None = None
    scored_before: int = 0

    def as_json(self) -> JsonObject:
        """The record for tables, files and the evaluation log: all fields, with hashes in place of sentences."""
        return {
            "run": self.run,
            "test": self.test.name,
            "sentences": len(self.hypotheses),
            "target": self.target,
            "weights_sha256": self.weights_sha256,
            "source_sha256": self.test.source_sha256,
            "references_sha256": self.test.references_sha256,
            "search": self.decoding.as_json() if self.decoding else {},
            "scores": self.scores.as_json(),
            "by_length": [bucket.as_json() for bucket in self.lengths],
            "notes": list(self.notes),
            "scored_before": self.scored_before,
            "output": None if self.output is None else str(self.output),
            "output_sha256": text_sha256(self.hypotheses),
        }


def evaluate(
    translate: Translate,
    test: TestSet,
    *,
    target: str,
    by_length: bool = False,
    run: str = "",
    decoding: Decoding | None = None,
    weights_sha256: str | None = None,
    notes: Sequence[str] = (),
) -> Result:
    """Translates the sources once and scores them; the other arguments are passed to the result."""
    hypotheses = translate(list(test.source))
    if len(hypotheses) != len(test.source):
        raise RunError(
            f"test set {test.name}: {len(hypotheses)} translations came back for {len(test.source)} sentences"
        )
    return Result(
        run=run,
        test=test,
        target=target,
        hypotheses=hypotheses,
        scores=metrics.score(hypotheses, test.references, target=target),
        lengths=_lengths(test, hypotheses, target) if by_length else [],
        decoding=decoding,
        weights_sha256=weights_sha256,
        notes=tuple(notes),
    )


def save(result: Result, files: FolderFiles) -> Result:
    """Writes the hypotheses to ``outputs/NAME.SETTINGS.txt`` in a run folder, one a line, as sacrebleu reads them."""
    output = output_path(result.test, result.decoding)
    write_lines(files.to_write(output.as_posix()), result.hypotheses)
    return replace(result, output=output)


def output_path(test: TestSet, decoding: Decoding | None) -> Path:
    """The file of hypotheses, in a run folder."""
    return Path("outputs", f"{test.name}.{settings_name(decoding.as_json() if decoding else {})}.txt")


def compare(results: Sequence[Result]) -> list[tuple[Difference, ...]]:
    """Differences of every metric between each result and the first, by paired bootstrap."""
    first = results[0]
    for result in results[1:]:
        if (result.test.sha256, result.target) != (first.test.sha256, first.target):
            raise UserError(
                f"{result.run} was scored on {result.test.name} ({result.test.sha256[:8]}, {result.target}), "
                f"{first.run} on {first.test.name} ({first.test.sha256[:8]}, {first.target}): "
                "only scores on the same sentences can be compared"
            )
    return significance.paired_bootstrap(
        [result.hypotheses for result in results], first.test.references, target=first.target
    )


def _lengths(test: TestSet, hypotheses: list[str], target: str) -> list[Bucket]:
    return by_length(test.source, hypotheses, test.references, target=target)


def write_lines(path: Path, hypotheses: Sequence[str]) -> None:
    """One hypothesis a line, as the command line of sacrebleu reads them."""
    for number, line in enumerate(hypotheses, 1):
        if "\n" in line:
            raise RunError(f"hypothesis {number} has a line feed, which would shift all lines after it in {path}")
    write_file(path, "".join(f"{line}\n" for line in hypotheses))


def settings_name(search: JsonObject) -> str:
    """Search settings as part of a file name, such as ``beam5.length_penalty0.6``."""
    name = ".".join(f"{key}{value}" for key, value in search.items() if value is not None)
    return re.sub(r"[^\w.+-]", "_", name) or "default"
