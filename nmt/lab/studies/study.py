"""A study from its file to its report: what is shared is made once, the units are made ready, run, and analysed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from nmt.data import corpus as corpora
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.data.readers import read_pair_files, stream_pair_files
from nmt.data.vocabulary import Vocabulary
from nmt.errors import UserError
from nmt.evaluation import concatenated
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import ladder
from nmt.lab.studies.plan import Plan, Unit
from nmt.lab.studies.results import LONG, Results
from nmt.lab.studies.worker import Job
from nmt.models.device import resolve_precision
from nmt.models.registry import build, describe, parameters
from nmt.recipe.types import Recipe
from nmt.runs import run_folder
from nmt.training import planning, vocabularies
from nmt.training.dataset import Dataset, encode

TEST = "test"
TRANSLATING = 0.35
"""Share of training time that translating all test sets is taken to add: a guess, which a system's first finished run replaces."""
STEP = 8
"""Widths that are tried for a matched model are multiples of this."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Study:
    """A plan with its text at hand: everything that is the same for all units."""

    plan: Plan
    results: Results
    corpus: Corpus
    vocabulary: Vocabulary
    tests: dict[str, tuple[TestSet, ...]]
    """The test sets of each system."""

    @property
    def shared(self) -> dict[str, Any]:
        """What of the text all runs share, by content."""
        return {
            "splits": {name: split.sha256 for name, split in self.corpus.metadata.splits.items()},
            "fallback": self.corpus.metadata.fallback,
        }

    @property
    def all_tests(self) -> list[TestSet]:
        """The test sets of all systems, each once."""
        return list({test.name: test for group in self.tests.values() for test in group}.values())

    def begin(self, log: Log) -> None:
        """Makes the results folder ready for its next run, if it is not."""
        self.results.begin(self.plan, self.shared, self.vocabulary.model, self.all_tests)
        if self.plan.settings.kind == "ladder":
            ladder.lay_floor(self.results, self.corpus.train, log)

    def jobs(self, units: Sequence[Unit], folder: Path = run_folder.RUNS) -> list[Job]:
        """The units as the runner takes them; weights and checkpoints are kept below ``folder``, under the way to the results folder, of
        which the last name alone would not tell one study from another."""
        name = "-".join(part for part in self.results.path.parts if part.strip("./"))
        place, beams = folder / name, tuple(self.plan.settings.beams)
        return [
            Job(unit, self.results.path, place, tuple(test.name for test in self.tests[unit.system]), beams)
            for unit in units
        ]


def prepare(plan: Plan, out: Path, log: Log) -> Study:
    """Loads the corpus, learns the vocabulary or takes that of the results folder, and refuses a folder with other settings. Writes nothing."""
    results = Results(out)
    corpus = corpora.load(CorpusRequest(**plan.shared.data.model_dump()), log)
    if corpus.test is None:
        raise UserError("recipe.data.test: a study needs a test set, and the corpus has none")
    known = results.vocabulary if results.vocabulary.exists() else None
    wanted = plan.shared.vocabulary
    vocabulary, _ = (
        vocabularies.load(known)
        if known
        else vocabularies.learn(corpus, wanted.type, wanted.size, joint=wanted.joint, log=log)
    )
    tests = _tests(plan, corpus.test, log)
    study = Study(replace(plan, units=_ready(plan, vocabulary, results)), results, corpus, vocabulary, tests)
    results.check(study.plan, study.shared, study.all_tests)
    return study


def _tests(plan: Plan, pairs: Pairs, log: Log) -> dict[str, tuple[TestSet, ...]]:
    """The packed test sets that all systems share, and those that a system brings."""
    whole = TestSet(TEST, list(pairs.source), list(pairs.target))
    largest = max(plan.settings.packs)
    if largest > len(whole.source):
        raise UserError(f"study.packs: {len(whole.source)} test sentences are too few to join {largest} of them")
    shared = tuple(concatenated.pack(whole, size) for size in plan.settings.packs)
    own = _long(plan, log)
    return {name: own if system.long else shared for name, system in plan.systems.items()}


def _long(plan: Plan, log: Log) -> tuple[TestSet, ...]:
    """The test set of the corpus of long sentences, where the study has one. All its text is read once, so that no run finds faults in it."""
    long = plan.settings.long
    if long is None:
        return ()
    data = plan.shared.data
    train = sum(1 for _ in stream_pair_files(list(long.train), data.source, data.target, data.errors))
    pairs = read_pair_files(long.test, data.source, data.target, data.errors)
    log(f"corpus of long sentences: {train:,} train, {len(pairs):,} test pairs")
    return (TestSet(LONG, list(pairs.source), list(pairs.target)),)


def _ready(plan: Plan, vocabulary: Vocabulary, results: Results) -> tuple[Unit, ...]:
    """The units with the shared vocabulary, unless a system learns its own, and with matched widths."""
    size = len(vocabulary)
    shared = {"from_run": str(results.vocabulary)}
    ready = []
    for unit in plan.units:
        system, recipe = plan.systems[unit.system], unit.recipe
        if "vocabulary" not in system.recipe:
            recipe = recipe.model_copy(update={"vocabulary": recipe.vocabulary.model_copy(update=shared)})
        if system.match is not None:
            other = next(each.recipe for each in plan.units if each.system == system.match)
            recipe = matched(recipe, count(other, size), size)
        ready.append(replace(unit, recipe=recipe))
    return tuple(ready)


def count(recipe: Recipe, vocabulary: int) -> int:
    """Parameters of a recipe's model over a joint vocabulary."""
    return parameters(build(recipe.model.model_dump(), source=vocabulary, target=vocabulary, joint=True))


def matched(recipe: Recipe, wanted: int, vocabulary: int) -> Recipe:
    """The recipe with the narrowest thought vector, in steps of `STEP`, that gives its model at least as many parameters as are wanted."""
    if not describe(recipe.model.model_dump()).one_slot:
        raise UserError(f"systems: {recipe.name}: match widens model.bottleneck, which only attention none has")
    low, high = 0, 1
    while count(_widened(recipe, high * STEP), vocabulary) < wanted:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(_widened(recipe, middle * STEP), vocabulary) < wanted else (low, middle)
    return _widened(recipe, high * STEP)


def _widened(recipe: Recipe, bottleneck: int) -> Recipe:
    return recipe.model_copy(update={"model": recipe.model.model_copy(update={"bottleneck": bottleneck})})


def forecast(study: Study, units: Sequence[Unit], log: Log) -> dict[str, float]:
    """Minutes that each unit will take on one core: as long as the same system took before, or by timing a few updates."""
    known = {unit.system: study.results.result(unit) for unit in study.plan.units if study.results.finished(unit)}
    dataset = encode(study.corpus, study.vocabulary, study.vocabulary, 1, log)
    minutes: dict[str, float] = {}
    for unit in units:
        if unit.system not in minutes:
            before = known.get(unit.system)
            if before is None:
                log(f"{unit.system}: timing a few updates")
            seconds = (
                before["training_seconds"] + before["translating_seconds"] if before else _timed(unit.recipe, dataset)
            )
            minutes[unit.system] = seconds / 60
    return {unit.name: minutes[unit.system] for unit in units}


def _timed(recipe: Recipe, dataset: Dataset) -> float:
    """Seconds for all updates on one thread at the pace of a few, and for translating."""
    torch.set_num_threads(1)
    cpu, size = torch.device("cpu"), len(dataset.source)
    model = build(recipe.model.model_dump(), source=size, target=size, joint=True)
    batches = planning.batches(recipe, dataset)
    pace = planning.seconds_per_batch(model, batches, cpu, resolve_precision(recipe.training.precision, cpu), timed=4)
    updates = planning.count_updates(recipe.training, 60 / pace / recipe.training.accumulate, batches.count(0))
    return updates * recipe.training.accumulate * pace * (1 + TRANSLATING)
