"""A check: a promise tried many times, with one figure and one record, from which `docs/reliability.md` is made.

Each check of `tools/checks/table.py` has a module of its name whose `trials` makes the trials.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from nmt import provenance
from nmt.atomic import JsonObject
from nmt.cli.output import say

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "checks"
PROGRESS_EVERY = 5.0
"""Seconds between two lines of progress."""
FAULTS_KEPT = 20
"""Faults that a record lists; further ones are counted only."""


class SkippedError(Exception):
    """A check cannot be made on this machine; the message says what it needs and how to get it."""


class Trial(NamedTuple):
    """One trial of a promise."""

    tried: str
    """What was done, so that it can be repeated."""
    fault: str | None = None
    """What went wrong; None where the promise held."""
    measured: Mapping[str, float] = {}
    """Numbers by name and unit, such as ``seconds``; the figure gives the largest of all trials."""


@dataclass(frozen=True)
class Check:
    """A promise and how it is tried."""

    name: str
    """The module beside this one."""
    promise: str
    """What users are promised, as a sentence."""
    held: str
    """What trials that hold are, such as ``identical``; it follows their count in the figure."""
    full: int
    """The count of the published figure."""
    takes_runs: bool = False
    """Whether the check takes run folders; without any it trains tiny models."""
    share: float = 1.0
    """The share of trials that must hold."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Upper bounds of what is measured, mostly times. They count at the full count only, and for a check that takes
    runs only with a run: smaller counts are tried on busy machines, and a tiny model translates faster than a request
    can be read."""

    def trials(self, count: int, runs: Sequence[Path] = ()) -> Iterator[Trial]:
        """The trials, one after the other, usually ``count`` of them. Raises `SkippedError` where there can be none."""
        module = import_module(f"tools.checks.{self.name}")
        found: Iterator[Trial] = module.trials(count, runs) if self.takes_runs else module.trials(count)
        return found


@dataclass(frozen=True)
class Tally:
    """The trials of a check, and the verdict."""

    check: Check
    count: int
    trials: list[Trial]
    runs: Sequence[Path] = ()
    """The run folders of the command line."""

    @property
    def faults(self) -> list[Trial]:
        """The trials in which the promise did not hold."""
        return [trial for trial in self.trials if trial.fault is not None]

    @property
    def kept(self) -> bool:
        """Whether the promise was kept; without a trial it was not."""
        held = bool(self.trials) and len(self.trials) - len(self.faults) >= self.check.share * len(self.trials)
        return held and all(
            self.measured[name] <= bound for name, bound in self.bounds.items() if name in self.measured
        )

    @property
    def bounds(self) -> Mapping[str, float]:
        """The bounds that count for this tally."""
        counting = self.count >= self.check.full and (bool(self.runs) or not self.check.takes_runs)
        return self.check.bounds if counting else {}

    @property
    def measured(self) -> dict[str, float]:
        """The largest of each number that was measured."""
        names = {name: None for trial in self.trials for name in trial.measured}
        return {name: max(trial.measured[name] for trial in self.trials if name in trial.measured) for name in names}

    @property
    def figure(self) -> str:
        """One line: how many trials held, and the largest measurements."""
        held = f"{len(self.trials) - len(self.faults):,}/{len(self.trials):,} {self.check.held}"
        return "; ".join(
            [held, *(f"{name} at most {value:.3g}{self._bound(name)}" for name, value in self.measured.items())]
        )

    def _bound(self, name: str) -> str:
        return f" (bound {self.bounds[name]:g})" if name in self.bounds else ""

    def as_json(self, seconds: float) -> JsonObject:
        """The record: the figure, its parts, and its provenance."""
        count = [] if self.count == self.check.full else ["--count", str(self.count)]
        words = ["python -m tools.checks", self.check.name, *map(str, self.runs), *count]
        return {
            "check": self.check.name,
            "promise": self.check.promise,
            "figure": self.figure,
            "kept": self.kept,
            "tried": len(self.trials),
            "held": len(self.trials) - len(self.faults),
            "count": self.count,
            "full_count": self.check.full,
            "measured": self.measured,
            "bounds": dict(self.bounds),
            "faults": [{"tried": trial.tried, "fault": trial.fault} for trial in self.faults[:FAULTS_KEPT]],
            **provenance.origin(" ".join(words), seconds),
        }


def tally(check: Check, count: int, runs: Sequence[Path] = ()) -> Tally:
    """Makes the trials; reports every fault at once, and progress now and then."""
    trials: list[Trial] = []
    reported = time.monotonic()
    for trial in check.trials(count, runs):
        trials.append(trial)
        if trial.fault is not None:
            say(f"{check.name}: trial {len(trials)}: {trial.tried}: {trial.fault}")
        if time.monotonic() - reported > PROGRESS_EVERY:
            reported = time.monotonic()
            say(f"{check.name}: {len(trials)} trials")
    return Tally(check, count, trials, runs)
