"""A check: a promise put to the test many times, one figure at the end, and the record that `docs/reliability.md` is made from.

Every file beside this one that has a `CHECK` is a check, and is run from the root of a checkout: python -m tools.checks.damage --count 20
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from nmt import atomic, provenance
from nmt.cli.output import say

RESULTS = Path(__file__).parents[2] / "docs" / "results" / "checks"
SAID_EVERY = 5.0
"""Seconds between two lines of progress."""
FAULTS_KEPT = 20
"""Faults that a record names; the others are only counted."""


NOT_HERE = 77
"""Exit status of a check that cannot be made here, as test programs of automake give it: neither kept nor broken."""


class SkippedError(Exception):
    """A check cannot be made here; the message says what it needs and how to get it."""


class Trial(NamedTuple):
    """The promise put to the test once."""

    tried: str
    """What was done, so that it can be done again."""
    fault: str | None = None
    """What went wrong; None where the promise held."""
    measured: Mapping[str, float] = {}
    """Numbers by name and unit, such as ``seconds``; the figure gives the largest of all trials."""


@dataclass(frozen=True)
class Check:
    """A promise and how it is put to the test."""

    number: int
    """Its place among the promises."""
    name: str
    """The file it stands in."""
    promise: str
    """What users are promised, as a sentence."""
    held: str
    """What a trial is in which the promise holds: the word after the count, such as ``identical``."""
    full: int
    """The count that the figure is published for."""
    trials: Callable[..., Iterator[Trial]]
    """Makes the trials for a count, one after the other; usually as many as the count. Raises `SkippedError` where it cannot make any."""
    of_runs: bool = False
    """Whether `trials` takes run folders too; without any it makes its own tiny models."""
    share: float = 1.0
    """Of the trials, how many must hold."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """The most that what was measured may come to, mostly times. They count at the full count alone, and of a check of runs where one is
    given: fewer trials are made on busy machines, and a toy translates faster than a request can be read."""


@dataclass(frozen=True)
class Tally:
    """What came of a check."""

    check: Check
    count: int
    trials: list[Trial]
    runs: Sequence[Path] = ()
    """The run folders that were given."""

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
        """Those that count this time."""
        counting = self.count >= self.check.full and (bool(self.runs) or not self.check.of_runs)
        return self.check.bounds if counting else {}

    @property
    def measured(self) -> dict[str, float]:
        """The largest of each number that was measured."""
        names = {name: None for trial in self.trials for name in trial.measured}
        return {name: max(trial.measured[name] for trial in self.trials if name in trial.measured) for name in names}

    @property
    def figure(self) -> str:
        """How often the promise held, and what was measured, in one line."""
        held = f"{len(self.trials) - len(self.faults):,}/{len(self.trials):,} {self.check.held}"
        return "; ".join(
            [held, *(f"{name} at most {value:.3g}{self._bound(name)}" for name, value in self.measured.items())]
        )

    def _bound(self, name: str) -> str:
        return f" (bound {self.bounds[name]:g})" if name in self.bounds else ""

    def as_record(self, seconds: float) -> dict[str, Any]:
        """All there is to keep, ready for JSON, with how it came about."""
        count = [] if self.count == self.check.full else ["--count", str(self.count)]
        asked = "".join(f" {word}" for word in (*map(str, self.runs), *count))
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
            **provenance.origin(f"python -m tools.checks.{self.check.name}{asked}", seconds),
        }


def tally(check: Check, count: int, tell: Callable[[str], None] = say, runs: Sequence[Path] = ()) -> Tally:
    """Makes the trials, telling of every fault at once and of progress now and then."""
    trials: list[Trial] = []
    said = time.monotonic()
    for trial in check.trials(count, runs) if check.of_runs else check.trials(count):
        trials.append(trial)
        if trial.fault is not None:
            tell(f"{check.name}: trial {len(trials)}: {trial.tried}: {trial.fault}")
        if time.monotonic() - said > SAID_EVERY:
            said = time.monotonic()
            tell(f"{check.name}: {len(trials)} trials")
    return Tally(check, count, trials, runs)


def run(check: Check) -> None:
    """The command line of a check: the figure is the last line; status 0 where the promise was kept, 1 where it was not."""

    def main(
        runs: Annotated[
            list[Path] | None, typer.Argument(metavar="[RUN...]", help="Run folders, for a check of serving.")
        ] = None,
        count: Annotated[int, typer.Option(min=1, help="How often; the default is the full count.")] = check.full,
        results: Annotated[
            Path | None,
            typer.Option(help="Folder for the record; a full count goes to docs/results/checks by default."),
        ] = None,
    ) -> None:
        if runs and not check.of_runs:
            say(f"{check.name}: makes its own models; expected no run folder, found {runs[0]}")
            raise typer.Exit(2)
        began = time.monotonic()
        try:
            found = tally(check, count, runs=runs or ())
        except SkippedError as reason:
            print(f"skipped: {reason}")
            raise typer.Exit(NOT_HERE) from None
        folder = results or (RESULTS if count >= check.full else None)
        if folder is not None:
            atomic.write_json(folder / f"{check.name}.json", found.as_record(time.monotonic() - began))
        print(found.figure)
        raise typer.Exit(0 if found.kept else 1)

    main.__doc__ = check.promise
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
