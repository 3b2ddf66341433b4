"""The languages of runs and test sets, which decide whether a run is scored on a test set."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nmt.errors import UserError
from nmt.evaluation.testsets import TestSet
from nmt.runs.run_folder import Run

_CODE = r"[a-zA-Z]{2,3}(?:[_]\w+)?"


class Languages(NamedTuple):
    """A direction of translation."""

    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"

    def same(self, other: Languages) -> bool:
        """Whether both are the same languages, whatever their regions and case: ``de`` and ``de_AT``."""
        return [*map(_base, self)] == [*map(_base, other)]


def of_run(run: Run) -> Languages:
    """The languages of a run's recipe."""
    return Languages(run.recipe.data.source, run.recipe.data.target)


def parse(text: str) -> Languages:
    """The languages of an option such as ``de-en``."""
    found = re.fullmatch(rf"({_CODE})-({_CODE})", text)
    if found is None:
        raise UserError(f"--languages {text!r}: expected SOURCE-TARGET, such as de-en")
    return Languages(*found.groups())


def of_test(test: TestSet, runs: Sequence[Run], baseline: Run | None) -> Languages:
    """The languages of a test set that were not named: the endings of its files if they are codes, or the languages
    of all runs, or those of the baseline."""
    known = {_base(code) for run in runs for code in of_run(run)}
    if test.endings[0] != test.endings[1] and all(
        _base(code) in known or re.fullmatch("[a-z]{2}", code) for code in test.endings
    ):
        return Languages(*test.endings)
    found = distinct(map(of_run, runs))
    if len(found) == 1:
        return found[0]
    if baseline is not None:
        return of_run(baseline)
    raise UserError(
        f"test set {test.name}: its languages are unknown, and the runs are {', '.join(map(str, found))}\n"
        "name them: --languages SOURCE-TARGET, or files that end in their codes, such as news.de,news.en"
    )


def distinct(found: Iterable[Languages]) -> list[Languages]:
    """The languages that differ, in order of first occurrence."""
    kept: list[Languages] = []
    for each in found:
        if not any(each.same(other) for other in kept):
            kept.append(each)
    return kept


def _base(code: str) -> str:
    return re.split("[-_]", code.lower())[0]
