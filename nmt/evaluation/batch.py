"""Many runs on many test sets: what is scored and what is left out, the scoring, and the rows of the tables.

What was scored before with the same weights, sentences and settings is not translated again: its output is taken from
the run folder, if the evaluation log has it. So the same command continues after an interruption, and after runs are
added.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nmt.errors import Log, RunError, UserError
from nmt.evaluation import averages, evaluation_log, languages, seeds, systems
from nmt.evaluation.averages import Averages, Row
from nmt.evaluation.evaluate import Decoding, Result, Translate
from nmt.evaluation.languages import Languages
from nmt.evaluation.selection import Selection
from nmt.evaluation.testsets import TestSet
from nmt.runs.run_folder import Run

Open = Callable[[Run, Decoding], Translate]
"""Opens a translator."""


@dataclass(frozen=True)
class Tested:
    """A test set and its languages."""

    test: TestSet
    languages: Languages


@dataclass(frozen=True, eq=False)
class Scoring:
    """One run on one test set with one setting of search."""

    run: Run
    tested: Tested
    decoding: Decoding

    @property
    def test(self) -> TestSet:
        """The test set."""
        return self.tested.test

    @property
    def output(self) -> list[str] | None:
        """The translations, if this was scored before."""
        return systems.output(self.run, self.test, self.decoding)

    def __str__(self) -> str:
        return f"{self.run.path} on {self.test.name}, beam {self.decoding.search.beam}"


@dataclass(frozen=True)
class Batch:
    """Everything to score, and why the rest is left out."""

    scorings: tuple[Scoring, ...]
    left_out: tuple[str, ...]
    systems: dict[Path, str]
    """The name of each run's row, by path."""
    baseline: str | None


@dataclass(frozen=True)
class Outcome:
    """What was scored, and the errors of what could not be."""

    results: dict[Scoring, Result] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def plan(
    selected: Selection,
    tests: Sequence[tuple[TestSet, Languages | None]],
    decodings: Callable[[Run], Sequence[Decoding]],
    own_test: Callable[[Run], TestSet],
) -> Batch:
    """Every run with each of its decodings on every test set of its languages; without test sets each run on its own.

    Scorings are in the order of runs, so that each model is loaded once for each decoding.
    """
    if not selected.runs:
        raise UserError("\n".join(["there is no run to score", *selected.left_out[:2]]))
    tested = [Tested(test, named or languages.of_test(test, selected.runs, selected.baseline)) for test, named in tests]
    left_out, scorings = list(selected.left_out), []
    for run in selected.runs:
        direction = languages.of_run(run)
        suited = [each for each in tested if each.languages.same(direction)]
        left_out += [
            f"{run.path}: left out of {each.test.name}: it translates {direction}, the test set is {each.languages}"
            for each in tested
            if each not in suited
        ]
        suited = suited if tested else [Tested(own_test(run), direction)]
        scorings += [Scoring(run, each, decoding) for decoding in decodings(run) for each in suited]
    if not scorings:
        raise UserError(_no_common_language(selected, tested))
    names = seeds.systems(selected.runs)
    baseline = names[selected.baseline.path] if selected.baseline else None
    return Batch(tuple(scorings), tuple(left_out), names, baseline)


def _no_common_language(selected: Selection, tested: Sequence[Tested]) -> str:
    directions = ", ".join(map(str, languages.distinct(map(languages.of_run, selected.runs))))
    wanted = ", ".join(f"{each.test.name} is {each.languages}" for each in tested)
    return (
        f"no run translates the languages of a test set: {wanted}; the runs are {directions}\n"
        "if the endings of the files are no languages, name them: --languages SOURCE-TARGET"
    )


def permit(batch: Batch, reason: str | None) -> None:
    """Refuses to score a test set in several ways without a reason; what was scored before does not count again."""
    new = [each for each in batch.scorings if each.output is None]
    for each in new:
        ways = [other.decoding for other in new if (other.run, other.tested) == (each.run, each.tested)]
        evaluation_log.permit(each.run, each.test, ways, reason)


def score(batch: Batch, open_run: Open, reason: str | None, log: Log) -> Outcome:
    """Scores everything; an error in one scoring is kept, and the others go on."""
    outcome = Outcome()
    for number, each in enumerate(batch.scorings, 1):
        began, counted = time.monotonic(), f"[{number}/{len(batch.scorings)}] {each}"
        try:
            if (output := each.output) is None:
                log(f"{counted}: translating {len(each.test.source):,} sentences")
                translate = open_run(each.run, each.decoding)
                result = systems.score(each.run, each.test, each.decoding, translate, by_length=True, reason=reason)
            else:
                result = systems.score_output(each.run, each.test, each.decoding, output, by_length=True)
        except (UserError, RunError) as error:
            outcome.errors.append(f"{each}: {error}")
            continue
        outcome.results[each] = result
        how = f"{time.monotonic() - began:.0f} s" if output is None else "scored before"
        log(f"{counted}: BLEU {result.scores.bleu.value:.2f} ({how})")
    return outcome


def averaged(batch: Batch, outcome: Outcome) -> list[Averages]:
    """The rows of each test set. A test set on which the baseline was not scored is not compared."""
    by_test: dict[tuple[str, str, str], list[Scoring]] = {}
    for each in outcome.results:
        by_test.setdefault((str(each.tested.languages), each.test.name, each.test.sha256), []).append(each)
    found = []
    for (direction, *_), scorings in by_test.items():
        rows = _rows(batch, scorings, outcome)
        baseline = batch.baseline if any(row.system == batch.baseline for row in rows) else None
        found.append(averages.average(rows, languages=direction, baseline=baseline))
    return found


def _rows(batch: Batch, scorings: Sequence[Scoring], outcome: Outcome) -> list[Row]:
    rows: dict[tuple[str, str], list[Scoring]] = {}
    for each in scorings:
        rows.setdefault((batch.systems[each.run.path], str(each.decoding.as_json())), []).append(each)
    return [
        Row(
            system=system,
            seeds=tuple(seeds.seed(each.run) for each in members),
            results=tuple(outcome.results[each] for each in members),
        )
        for (system, _), members in rows.items()
    ]
