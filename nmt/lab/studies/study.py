"""A study from its recipe to its jobs: the corpus is loaded and the vocabulary learned once for all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from nmt.atomic import JsonObject
from nmt.data import corpus as corpora
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.data.readers import read_pair_files, stream_pair_files
from nmt.data.stand_ins import with_stand_ins
from nmt.data.vocabulary import Vocabulary
from nmt.errors import Log, UserError
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import concatenated, ladder
from nmt.lab.studies.plan import Job, Plan
from nmt.lab.studies.results import LONG, Results
from nmt.lab.studies.worker import Assignment
from nmt.models.device import resolve_precision
from nmt.models.registry import build, describe, parameters
from nmt.runs import run_folder
from nmt.training import planning, vocabularies
from nmt.training.dataset import Dataset, encode

TEST = "test"
TRANSLATING = 0.35
"""Time for translating all test sets as a share of training time: a guess, until a run of the system is finished."""
STEP = 8
"""Widths of a matched thought vector are multiples of this."""


@dataclass(frozen=True)
class Study:
    """A plan with what all its jobs share."""

    plan: Plan
    results: Results
    corpus: Corpus
    vocabulary: Vocabulary
    tests: dict[str, tuple[TestSet, ...]]
    """The test sets of each system."""

    def shared_json(self) -> JsonObject:
        """Hashes of the text that all runs share."""
        return {
            "splits": {name: split.sha256 for name, split in self.corpus.metadata.splits.items()},
            "fallback": self.corpus.metadata.fallback,
        }

    @property
    def all_tests(self) -> list[TestSet]:
        """The test sets of all systems, each once."""
        return list({test.name: test for group in self.tests.values() for test in group}.values())

    def begin(self, log: Log) -> None:
        """Makes the results folder ready for the first run."""
        self.results.begin(self.plan, self.shared_json(), self.vocabulary.model, self.all_tests)
        if self.plan.settings.kind == "ladder":
            ladder.translate_by_lexicon(self.results, self.corpus.train, log)

    def assignments(self, jobs: Sequence[Job], folder: Path = run_folder.RUNS) -> list[Assignment]:
        """The jobs with their folders. Run folders lie in ``folder`` under the path of the results, which is unique."""
        name = "-".join(part for part in self.results.path.parts if part.strip("./"))
        beams = tuple(self.plan.settings.beams)
        return [
            Assignment(
                job, self.results.path, folder / name, tuple(test.name for test in self.tests[job.system]), beams
            )
            for job in jobs
        ]


def prepare(plan: Plan, out: Path, log: Log) -> Study:
    """Loads the corpus, learns the vocabulary or takes that of the results, and refuses a folder with other settings.

    Writes nothing, but unpacks an archive of results.
    """
    results = Results.open(out)
    corpus = corpora.load(CorpusRequest(**plan.shared.data.model_dump()), log)
    test = corpus.test
    if test is None:
        raise UserError("recipe.data.test: a study needs a test set, and the corpus has none")
    if plan.shared.data.placeholders:
        corpus = with_stand_ins(corpus, log)
    known = results.vocabulary if results.vocabulary.exists() else None
    wanted = plan.shared.vocabulary
    vocabulary, _ = (
        vocabularies.load(known)
        if known
        else vocabularies.learn(corpus, wanted.type, wanted.size, joint=wanted.joint, log=log)
    )
    tests = _tests(plan, test, log)
    study = Study(replace(plan, jobs=_complete(plan, vocabulary, results)), results, corpus, vocabulary, tests)
    results.check(study.plan, study.shared_json(), study.all_tests)
    return study


def _tests(plan: Plan, pairs: Pairs, log: Log) -> dict[str, tuple[TestSet, ...]]:
    """The concatenated test sets that systems share; systems with `long` have their own."""
    whole = TestSet(TEST, list(pairs.source), list(pairs.target))
    largest, count = max(plan.settings.concatenations), len(whole.source)
    if largest > count:
        raise UserError(f"study.concatenations: {count} test sentences are too few to concatenate {largest} of them")
    shared = tuple(concatenated.concatenate(whole, size) for size in plan.settings.concatenations)
    own = _long(plan, log)
    return {name: own if system.long else shared for name, system in plan.systems.items()}


def _long(plan: Plan, log: Log) -> tuple[TestSet, ...]:
    """The test set of long sentences. The whole corpus is read once, so that errors in it are found before any run."""
    long = plan.settings.long
    if long is None:
        return ()
    data = plan.shared.data
    train = sum(1 for _ in stream_pair_files(list(long.train), data.source, data.target, data.errors))
    pairs = read_pair_files(long.test, data.source, data.target, data.errors)
    log(f"corpus of long sentences: {train:,} train, {len(pairs):,} test pairs")
    return (TestSet(LONG, list(pairs.source), list(pairs.target)),)


def _complete(plan: Plan, vocabulary: Vocabulary, results: Results) -> tuple[Job, ...]:
    """The jobs with matched widths, and with the shared vocabulary unless a system learns its own."""
    size = len(vocabulary)
    shared = {"from_run": str(results.vocabulary)}
    complete = []
    for job in plan.jobs:
        system, recipe = plan.systems[job.system], job.recipe
        if _shares_vocabulary(plan, job):
            recipe = recipe.model_copy(update={"vocabulary": recipe.vocabulary.model_copy(update=shared)})
        job = replace(job, recipe=recipe)
        if system.match is not None:
            other = next(each for each in plan.jobs if each.system == system.match)
            job = matched(job, count(other, size), size)
        complete.append(job)
    return tuple(complete)


def _shares_vocabulary(plan: Plan, job: Job) -> bool:
    """Whether a job has the vocabulary of the study. The recipes of a grid are whole: their keys are compared."""
    if plan.settings.kind == "grid":
        return (job.recipe.vocabulary, job.recipe.data) == (plan.shared.vocabulary, plan.shared.data)
    return "vocabulary" not in plan.systems[job.system].recipe


def count(job: Job, vocabulary: int) -> int:
    """Parameters of a job's model over a joint vocabulary."""
    return parameters(build(job.recipe.model.model_dump(), source=vocabulary, target=vocabulary, joint=True))


def matched(job: Job, wanted: int, vocabulary: int) -> Job:
    """The job with the narrowest thought vector, in steps of `STEP`, that has at least the wanted parameters."""
    if not describe(job.recipe.model.model_dump()).one_slot:
        raise UserError(f"systems: {job.system}: match widens model.bottleneck, which only attention none has")
    low, high = 0, 1
    while count(_widened(job, high * STEP), vocabulary) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(_widened(job, middle * STEP), vocabulary) < wanted else (low, middle)
    return _widened(job, high * STEP)


def _widened(job: Job, bottleneck: int) -> Job:
    model = job.recipe.model.model_copy(update={"bottleneck": bottleneck})
    return replace(job, recipe=job.recipe.model_copy(update={"model": model}))


def forecast(study: Study, jobs: Sequence[Job], log: Log) -> dict[str, float]:
    """Minutes that each job takes on one core, from a finished run of its system or from a few updates."""
    known = {job.system: study.results.result(job) for job in study.plan.jobs if study.results.finished(job)}
    dataset = encode(study.corpus, study.vocabulary, study.vocabulary, 1, log)
    minutes: dict[str, float] = {}
    for job in jobs:
        if job.system in minutes:
            continue
        if (before := known.get(job.system)) is not None:
            seconds: float = before.training_seconds + before.translating_seconds
        else:
            log(f"{job.system}: timing a few updates")
            seconds = _timed(job, dataset)
        minutes[job.system] = seconds / 60
    return {job.name: minutes[job.system] for job in jobs}


def _timed(job: Job, dataset: Dataset) -> float:
    """Seconds for all updates on one thread, extrapolated from a few, and for translating."""
    torch.set_num_threads(1)
    recipe, cpu, size = job.recipe, torch.device("cpu"), len(dataset.source)
    model = build(recipe.model.model_dump(), source=size, target=size, joint=True)
    batches = planning.batches(recipe, dataset)
    pace = planning.seconds_per_batch(model, batches, cpu, resolve_precision(recipe.training.precision, cpu), timed=4)
    updates = planning.count_updates(recipe.training, 60 / pace / recipe.training.accumulate, batches.count(0))
    return updates * recipe.training.accumulate * pace * (1 + TRANSLATING)
