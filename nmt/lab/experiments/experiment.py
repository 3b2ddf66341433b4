"""What an experiment is, and the table of all of them.

An experiment answers one question about memory in neural networks with small models. Its outcome is a table, a figure,
and a verdict on the claims it bears on. It measures and never asserts: numbers come with their conditions, also where
they contradict the claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from nmt.atomic import JsonObject
from nmt.errors import Log, UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Value: TypeAlias = str | int | float | None
"""A value in a table: numbers stay numbers until they are printed."""
Verdict: TypeAlias = Literal["holds", "holds under conditions", "does not hold", "not answered"]
"""Not answered: the models have not learned the task, so they say nothing about the claim."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line asks for. None means the experiment's default."""

    cells: tuple[str, ...] | None = None
    seeds: int | None = None
    updates: int | None = None
    task: str | None = None
    run: Path | None = None
    device: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an experiment runs with. An experiment whose default is empty here does not take the option."""

    cells: tuple[str, ...] = ()
    """Models to compare, by name: tanh, gru, lstm, attention, transformer and others."""
    seeds: int = 0
    """Seeds 1 to this number."""
    updates: int = 0
    """Updates of training."""
    task: str = ""
    """One of several tasks."""
    run: Path | None = None
    """The run folder of a trained translator."""
    device: str = "cpu"
    """Where to compute. Batches do not depend on it; initial weights, noise and rounding do."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The verdict on one claim of `claims.tsv`, and the measured numbers with their conditions as a sentence."""

    id: str
    number: str
    verdict: Verdict


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The results of an experiment. ``conditions`` are all settings that the numbers depend on."""

    question: str
    conditions: JsonObject
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    claims: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    details: JsonObject = field(default_factory=dict)
    """Numbers per seed and per position, for the JSON record."""
    figure: Callable[[], Figure] | None = field(default=None, compare=False)
    """Draws the figure."""

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "a value for every column"

    def as_json(self) -> JsonObject:
        """All fields but the figure."""
        return {
            "question": self.question,
            "conditions": self.conditions,
            "columns": self.columns,
            "rows": self.rows,
            "notes": self.notes,
            "details": self.details,
            "claims": [asdict(claim) for claim in self.claims],
        }


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A question, the options it takes with their defaults, and the function that answers it."""

    question: str
    defaults: Settings
    run: Callable[[Settings, Log], Outcome]
    known: tuple[str, ...] = ()
    """Names that `Settings.cells` may hold."""
    tasks: tuple[str, ...] = ()
    """Names that `Settings.task` may be."""
    takes_run: bool = False
    """Whether it measures a trained translator, `Settings.run`."""

    def __call__(self, options: Options, log: Log) -> Outcome:
        """Runs the experiment. An option it does not take, or a value it does not know, is a `UserError`."""
        from nmt.models.device import find_device  # imports torch

        settings = self.settings(options)
        device = find_device(settings.device)
        with nullcontext() if device.type == "cpu" or self.takes_run else device:  # where new tensors are made
            outcome = self.run(settings, log)
        shown = {} if device.type == "cpu" else {"device": device.type}
        return replace(outcome, conditions={**outcome.conditions, **shown})

    def settings(self, options: Options) -> Settings:
        """The options that are given, checked, and the defaults for the others."""
        defaults = asdict(self.defaults)
        given = {key: value for key, value in asdict(options).items() if value is not None}
        for key in given:
            if not defaults[key] and not (key == "run" and self.takes_run):
                taken = ", ".join(f"--{name}" for name, default in defaults.items() if default)
                raise UserError(f"--{key}: this experiment does not take it; it takes {taken}")
        settings = Settings(**{**defaults, **given})
        self._check(settings, given)
        return settings

    def _check(self, settings: Settings, given: Iterable[str]) -> None:
        for key, count in (("seeds", settings.seeds), ("updates", settings.updates)):
            if key in given and count < 1:
                raise UserError(f"--{key}: expected an integer of at least 1, found {count}")
        if "task" in given and settings.task not in self.tasks:
            raise UserError(f"--task: expected one of {', '.join(self.tasks)}, found {settings.task!r}")
        if unknown := [cell for cell in settings.cells if cell not in self.known]:
            raise UserError(f"--cells: expected among {', '.join(self.known)}, found {', '.join(map(repr, unknown))}")


class Entry(NamedTuple):
    """The module that defines an experiment as ``EXPERIMENT``, and its question."""

    module: str
    question: str


EXPERIMENTS = {
    "order": Entry("nmt.lab.experiments.order", "Does a model tell a sentence from the same words in another order?"),
    "direction": Entry(
        "nmt.lab.experiments.direction", "Can a word be read by what comes after it, one way and both ways?"
    ),
    "equations": Entry(
        "nmt.lab.experiments.equations", "Do the models compute what their papers say, in cells, shapes and memory?"
    ),
    "gradients": Entry(
        "nmt.lab.experiments.gradients",
        "How much gradient reaches the first step, and what do gates and clipping do about it?",
    ),
    "span": Entry("nmt.lab.experiments.span", "Over how many steps does each model learn to remember?"),
    "gaps": Entry("nmt.lab.experiments.gaps", "Does a name survive the words between its two mentions?"),
    "gates": Entry("nmt.lab.experiments.gates", "What do the gates of an LSTM do when the king dies?"),
    "parameters": Entry(
        "nmt.lab.experiments.parameters", "What does a GRU save against an LSTM, in parameters, time and quality?"
    ),
    "search": Entry(
        "nmt.lab.experiments.search", "Which errors are the model's and which are the search's, from beam 1 to 32?"
    ),
}
"""All experiments by name, in the order of the claims. Reading the table imports no experiment, and so no torch."""


def find(name: str) -> Experiment:
    """The experiment of that name; imports its module."""
    if name not in EXPERIMENTS:
        near = get_close_matches(name, EXPERIMENTS, 1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UserError(f"{name}: no such experiment; {meant}there are {', '.join(EXPERIMENTS)}")
    found = import_module(EXPERIMENTS[name].module).EXPERIMENT
    assert isinstance(found, Experiment)
    return found
