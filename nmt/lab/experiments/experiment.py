"""What an experiment is: a question, what may be varied, and an outcome: a table, a figure, and the claims of the story that it answers.

An experiment measures; it never asserts. What it finds is reported with its conditions, also where it speaks against the textbook.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nmt.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Log: TypeAlias = Callable[[str], None]
Cell: TypeAlias = str | int | float | None
"""A value in a table: numbers stay numbers until they are printed."""
Verdict: TypeAlias = Literal["holds", "holds under conditions", "does not hold"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an experiment may be asked to vary. None means the experiment's own default; an experiment refuses what it does not take."""

    cells: tuple[str, ...] | None = None
    """Models to compare, by the names that the experiment knows: tanh, gru, lstm, attention, transformer and others."""
    seeds: int | None = None
    """Number of seeds, 1 to this."""
    updates: int | None = None
    """Updates of training."""
    task: str | None = None
    """Which of several tasks."""
    run: Path | None = None
    """A run folder to look at, for the experiments that do."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of the story, by its row, our number in words with its conditions, and the verdict."""

    id: str
    number: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an experiment found. ``conditions`` are all the settings that the numbers depend on; the figure is drawn when it is asked for."""

    question: str
    conditions: dict[str, Any]
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    """More numbers for machines: what the figure shows, per seed."""
    figure: Callable[[], Figure] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "a value for every column"

    def as_json(self) -> dict[str, Any]:
        """Everything but the figure, ready for JSON."""
        values = {
            name: getattr(self, name) for name in ("question", "conditions", "columns", "rows", "notes", "details")
        }
        return {**values, "claims": [asdict(claim) for claim in self.claims]}


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, the options that it takes with their defaults, and how it is answered: `run` gets options in which these are filled in."""

    question: str
    defaults: Options
    run: Callable[[Options, Log], Outcome]
    known: tuple[str, ...] = ()
    """The names that `cells` may hold."""
    tasks: tuple[str, ...] = ()
    """The names that `task` may hold."""
    looks_at_run: bool = False
    """Whether it measures a finished run, and so takes `run`."""

    def __call__(self, asked: Options, log: Log) -> Outcome:
        """Answers the question, or refuses options that the experiment does not take."""
        return self.run(self.filled(asked), log)

    def filled(self, asked: Options) -> Options:
        """What was asked for, and the defaults for the rest."""
        defaults, given = (
            asdict(self.defaults),
            {key: value for key, value in asdict(asked).items() if value is not None},
        )
        for key, value in given.items():
            if defaults[key] is None and not (key == "run" and self.looks_at_run):
                raise UserError(
                    f"--{key}: this experiment does not take it; it takes {', '.join(f'--{name}' for name, own in defaults.items() if own)}"
                )
            self._check(key, value)
        return Options(**{**defaults, **given})

    def _check(self, key: str, value: Any) -> None:
        if key in ("seeds", "updates") and value < 1:
            raise UserError(f"--{key}: expected an integer of at least 1, found {value}")
        if key == "task" and value not in self.tasks:
            raise UserError(f"--task: expected one of {', '.join(self.tasks)}, found {value!r}")
        unknown = [each for each in value if each not in self.known] if key == "cells" else []
        if unknown:
            raise UserError(f"--cells: expected among {', '.join(self.known)}, found {', '.join(map(repr, unknown))}")
