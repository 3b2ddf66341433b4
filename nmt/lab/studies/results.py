"""The results folder of a study, which can be completed over days and analysed again without training.

study.json                      settings that all runs share: hashes of the corpus, concatenations, beams
evaluations.jsonl               every scoring of the test set, with the runs scored
outputs/vocabulary.model        the shared vocabulary
outputs/references/TEST.txt     the references of each test set; outputs/sources/TEST.txt the sources
outputs/NAME-seedN/             TEST.beam5.txt: translations, one per line; metrics.jsonl; result.json, written last
summary.md                      title and paragraphs written by hand, which open the report of a published study
outputs.tar.xz                  `outputs` of a published study as one archive, unpacked when the study is opened
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from nmt import atomic
from nmt.atomic import JsonObject
from nmt.data.hub import is_local
from nmt.data.lines import read
from nmt.errors import UserError
from nmt.evaluation.evaluate import write_lines
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import archive
from nmt.lab.studies.plan import Job, Plan, comparable_json, differences, read_recipe
from nmt.provenance import now
from nmt.runs.run_folder import METRICS

STUDY, EVALUATIONS, RESULT, VOCABULARY = "study.json", "evaluations.jsonl", "result.json", "vocabulary.model"
SOURCES, REFERENCES, OUTPUTS = "sources", "references", archive.FOLDER
SUMMARY = "summary.md"
LEXICON = "lexicon"
"""The folder of the ladder's word-for-word translations."""
LONG = "long"
"""The test set of long sentences."""


def concatenated_name(size: int) -> str:
    """The test set with ``size`` sentences concatenated at a time, as `concatenated.concatenate` names it."""
    return f"test.concatenated{size}"


@dataclass(frozen=True, kw_only=True)
class Example:
    """One translated sentence; weights are those of attention, ``(target, source)``, rounded for print."""

    source: str
    text: str
    pieces: list[str]
    source_pieces: list[str]
    warnings: list[str]
    weights: list[list[float]] | None


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """A trained and translated run. Seconds are those of updates and of translations on one thread."""

    parameters: int
    updates: int
    best_update: int
    target_tokens: int
    precision: str
    training_seconds: int
    translating_seconds: int
    weights_sha256: str
    capped: dict[str, int]
    """For each file of translations, how many reached the length limit."""
    example: Example | None
    origin: JsonObject
    """Machine, versions and commit."""
    recipe: JsonObject
    """As `comparable_json` gives it."""

    @property
    def comparable(self) -> JsonObject:
        """The recipe under the present names of its keys, with defaults for keys that are newer."""
        recipe = read_recipe(self.recipe)
        return self.recipe if recipe is None else comparable_json(recipe)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The result that a finished run left."""
        values = read_json(path)
        missing = sorted({field.name for field in fields(cls)} - values.keys())
        if missing:
            raise UserError(
                f"{path}: written by an earlier version, without {missing[0]}; name another folder with --out"
            )
        example = values["example"]
        return cls(**{**values, "example": None if example is None else Example(**example)})


@dataclass(frozen=True, kw_only=True)
class StudyConditions:
    """What the numbers of every study depend on."""

    corpus: str
    fallback: str | None
    languages: str
    test_sentences: int
    vocabulary: int
    updates: int | None
    batch_tokens: int
    evaluations_of_the_test_set: str
    missing_runs: list[str]


class Results:
    """A results folder. Files of finished runs never change; only the evaluation log grows."""

    def __init__(self, path: Path) -> None:
        self.path, self.outputs = path, path / OUTPUTS

    @classmethod
    def open(cls, path: Path) -> Self:
        """The results in a folder; outputs that are only in its archive are unpacked first."""
        archive.unpack_missing(path)
        return cls(path)

    @property
    def vocabulary(self) -> Path:
        """The shared vocabulary."""
        return self.outputs / VOCABULARY

    def check(self, plan: Plan, shared: JsonObject, tests: Sequence[TestSet]) -> None:
        """Refuses a folder of something else, other settings, other test sets, and finished runs with other recipes."""
        if (self.path / STUDY).exists():
            before = {key: value for key, value in self.study.items() if key != "name"}
            self._refuse(differences(before, {**_settings(plan), **shared}))
            changed = [test.name for test in tests if self._holds(test) and self.test(test.name) != test]
            self._refuse([f"{name}: another test set" for name in changed])
            for job in filter(self.finished, plan.jobs):
                changed = differences(self.result(job).comparable, comparable_json(job.recipe))
                self._refuse([f"{job.name}: {text}" for text in changed])
        elif self.path.exists() and any(path.name not in (OUTPUTS, EVALUATIONS) for path in self.path.iterdir()):
            raise UserError(f"{self.path}: not empty and not the results of a study; name another folder with --out")

    def begin(self, plan: Plan, shared: JsonObject, vocabulary: bytes, tests: Sequence[TestSet]) -> None:
        """Writes what all runs share, study.json last. If that exists, writes only the missing test sets."""
        begun = (self.path / STUDY).exists()
        for test in tests:
            if not (begun and self._holds(test)):
                write_lines(self.outputs / SOURCES / f"{test.name}.txt", test.source)
                write_lines(self.outputs / REFERENCES / f"{test.name}.txt", test.references)
        if begun:
            return
        atomic.write_file(self.vocabulary, vocabulary)
        atomic.write_file(self.path / EVALUATIONS, "")
        atomic.write_json(self.path / STUDY, {"name": plan.name, **_settings(plan), **shared})

    def _refuse(self, changed: list[str]) -> None:
        if changed:
            shown = "\n".join(f"  {text}" for text in changed[:2])
            more = f"\n  and {len(changed) - 2} more" if len(changed) > 2 else ""
            raise UserError(
                f"{self.path}: holds a study with other settings; name another folder with --out\n{shown}{more}"
            )

    @property
    def study(self) -> JsonObject:
        """The settings that all runs share."""
        return read_json(self.path / STUDY)

    def finished(self, job: Job) -> bool:
        """Whether a run left its results."""
        return (self.outputs / job.name / RESULT).exists()

    def result(self, job: Job) -> JobResult:
        """The result of a finished run."""
        return JobResult.read(self.outputs / job.name / RESULT)

    def output(self, job: Job, test: str, beam: int) -> list[str]:
        """The translations of a test set by a finished run."""
        return read(self.outputs / job.name / output_name(test, beam)).text

    def test(self, name: str) -> TestSet:
        """A test set as it was translated."""
        source, references = (read(self.outputs / side / f"{name}.txt").text for side in (SOURCES, REFERENCES))
        return TestSet(name, source, references)

    def _holds(self, test: TestSet) -> bool:
        return (self.outputs / REFERENCES / f"{test.name}.txt").exists()  # written after its sources

    def keep(self, job: Job, run: Path, result: JobResult) -> None:
        """Takes outputs and metrics from a run folder; the job's folder appears whole."""
        final = self.outputs / job.name
        with atomic.atomic_folder(final) as folder:
            shutil.copyfile(run / METRICS, folder / METRICS)
            for path in (run / OUTPUTS).glob("*.txt"):
                shutil.copyfile(path, folder / path.name)
            atomic.write_json(folder / RESULT, asdict(result))

    def conditions(self, plan: Plan, finished: Sequence[Job], evaluations: str) -> StudyConditions:
        """The conditions of a report on the finished jobs."""
        shared = plan.shared
        return StudyConditions(
            corpus=_corpus_name(plan),
            fallback=self.study["fallback"],
            languages=f"{shared.data.source}-{shared.data.target}",
            test_sentences=len(self.test(concatenated_name(1)).source),
            vocabulary=shared.vocabulary.size,
            updates=shared.training.updates,
            batch_tokens=shared.training.batch_tokens,
            evaluations_of_the_test_set=evaluations,
            missing_runs=[job.name for job in plan.jobs if job not in finished],
        )

    def log_evaluation(self, test: TestSet, jobs: Sequence[Job]) -> str:
        """Logs that a test set is scored with these runs, and returns how often it has been.

        Settings of a study are chosen on validation data before, so no evaluation is refused; the report states their
        number. A folder without the log from its start says so.
        """
        path = self.path / EVALUATIONS
        before = atomic.read_records(path)
        complete = before[0]["complete"] if before else path.exists()
        entry = {
            "time": now(),
            "source_sha256": test.source_sha256,
            "references_sha256": test.references_sha256,
            "runs": {job.name: self.result(job).weights_sha256 for job in jobs},
            "scored_before": len(before),
            "complete": complete,
        }
        atomic.append_record(path, entry, durable=True)
        return f"{len(before) + 1}" if complete else f"{len(before) + 1} since evaluations are logged"


def read_summary(folder: Path) -> list[str]:
    """The title and the paragraphs of a summary written by hand; empty if there is none."""
    path = folder / SUMMARY
    if not path.exists():
        return []
    title, *paragraphs = path.read_text(encoding="utf8").strip().split("\n\n")
    return [title.removeprefix("# "), *(" ".join(text.split()) for text in paragraphs)]


def _corpus_name(plan: Plan) -> str:
    """The corpus without a path of this machine: a data set's name, the last part of a path, or `files`."""
    corpus = plan.shared.data.corpus
    return "files" if corpus is None else Path(corpus).name if is_local(corpus) else corpus


def output_name(test: str, beam: int) -> str:
    """The file of the translations of a test set with a beam."""
    return f"{test}.beam{beam}.txt"


def read_json(path: Path) -> JsonObject:
    """A JSON object that a study wrote."""
    try:
        values: JsonObject = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); bring back a copy, or name another folder with --out"
        ) from error
    return values


def _settings(plan: Plan) -> JsonObject:
    settings = plan.settings
    return {"kind": settings.kind, "concatenations": list(settings.concatenations), "beams": list(settings.beams)}
