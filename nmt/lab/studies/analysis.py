"""What the bottleneck study measured, as types, and the questions that its tables, figures and verdicts ask of it.

Systems are told apart by their models: the thought vector is the first core system whose decoder sees one slot. A
question whose runs are not finished is answered by None.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf
from statistics import fmean, median
from typing import Literal, NamedTuple

from nmt.atomic import JsonObject
from nmt.evaluation.lengths import Bucket
from nmt.lab.studies.costs import Capacity, Cost, Effect, Spread, spread
from nmt.lab.studies.results import Example, StudyConditions

Significance = Literal["more", "less", "unclear"]
Side = Literal["value", "one_by_one", "concatenated"]
Trend = Literal["grows", "rises", "falls"]
"""Grows at every step; is larger at the end than at the beginning; neither."""

CORE, CAPACITY = "core", "capacity"
"""Groups: systems with several seeds, and thought vectors of several widths."""
HEADLINE = 4
"""The k of the headline, where it was measured."""
SIGNIFICANT = 0.01
"""A difference counts in a seed if its p-value is below this."""
ENOUGH = 5.0
"""BLEU: models that score less one by one have too little to lose for a cost to say anything."""
EQUAL = 2.0
"""chrF2: positions whose losses differ by no more count as equal. With 250 sentences at each position, as k = 4
leaves of a test set of 1,000, a 95 % interval of chrF2 reaches about that far to either side."""


@dataclass(frozen=True, kw_only=True)
class SeedRun:
    """The training of one run."""

    updates: int
    best_update: int
    target_tokens: int
    precision: str
    training_seconds: int
    translating_seconds: int
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class SystemRuns:
    """A system and its finished runs by seed. ``bottleneck`` is the width of its bottleneck projection."""

    title: str
    group: str
    parameters: int
    concatenation: int
    """Trained on up to so many sentences at once."""
    one_slot: bool
    bottleneck: int | None
    direction: str | None
    model: JsonObject
    seeds: dict[int, SeedRun]

    def unlike(self, *keys: str) -> JsonObject:
        """The model section without these keys; ``encoder.direction`` is a key of its encoder."""
        model = {key: value for key, value in self.model.items() if key not in keys}
        if "encoder.direction" in keys:
            model["encoder"] = {key: value for key, value in model["encoder"].items() if key != "direction"}
        return model


@dataclass(frozen=True, kw_only=True)
class RunCost(Cost):
    """The cost of concatenation in one run at one k; ``capped`` outputs reached the length limit."""

    system: str
    seed: int
    beam: int
    k: int
    capped: int


@dataclass(frozen=True, kw_only=True)
class SystemEffect(Effect):
    """The cost of one system beyond that of the baseline at one k."""

    of: str
    against: str
    beam: int
    k: int


@dataclass(frozen=True, kw_only=True)
class RunCapacity(Capacity):
    """The shares that one run keeps."""

    system: str
    seed: int
    beam: int


@dataclass(frozen=True, kw_only=True)
class Positions:
    """chrF2 at each position among k sentences, of one run."""

    system: str
    seed: int
    beam: int
    k: int
    one_by_one: list[float]
    concatenated: list[float]


@dataclass(frozen=True, kw_only=True)
class ByLength:
    """BLEU by natural length of the source, of one run that was trained on long sentences too."""

    system: str
    title: str
    seed: int
    beam: int
    buckets: list[Bucket]


@dataclass(frozen=True, kw_only=True)
class Conditions(StudyConditions):
    """What the numbers depend on."""

    trained_on_up_to: int
    epochs_of_growth: int | None
    concatenations: list[int]
    beams: list[int]
    length_penalty: float
    resamples: int


class Width(NamedTuple):
    """Thought vectors of one width: the median k50 over seeds, infinity beyond the largest k measured, and the runs."""

    width: int
    k50: float
    runs: tuple[RunCapacity, ...]


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """Everything measured from the outputs of the finished runs."""

    study: str
    compared_with: str
    """The baseline, also where no run of it is finished."""
    conditions: Conditions
    signature: str
    systems: dict[str, SystemRuns]
    costs: list[RunCost]
    effects: list[SystemEffect]
    capacities: list[RunCapacity]
    positions: list[Positions]
    long: list[ByLength]
    examples: dict[str, Example]
    reference: str | None = None
    """The reference of the example."""

    def as_json(self) -> JsonObject:
        """Every number, ready for JSON."""
        records = {
            name: [each.as_json() for each in getattr(self, name)] for name in ("costs", "effects", "capacities")
        }
        buckets = [{**asdict(run), "buckets": [bucket.as_json() for bucket in run.buckets]} for run in self.long]
        return {**asdict(self), **records, "long": buckets}

    @property
    def beam(self) -> int:
        """The widest beam."""
        return max(self.conditions.beams)

    @property
    def sizes(self) -> list[int]:
        """Every k above 1."""
        return sorted(size for size in self.conditions.concatenations if size > 1)

    @property
    def size(self) -> int:
        """The k of the headline."""
        return HEADLINE if HEADLINE in self.sizes else max(self.sizes, default=1)

    @property
    def core(self) -> list[str]:
        """The systems of the core group."""
        return [name for name, about in self.systems.items() if about.group == CORE]

    @property
    def baseline(self) -> str | None:
        """The system that others are compared with."""
        return self.compared_with if self.compared_with in self.systems else None

    @property
    def vector(self) -> str | None:
        """The thought vector."""
        return next((name for name in self.core if self.systems[name].one_slot and name != self.baseline), None)

    @property
    def transformer(self) -> str | None:
        """The other core system with a slot per source token."""
        return next((name for name in self.core if not self.systems[name].one_slot and name != self.baseline), None)

    @property
    def main(self) -> list[str]:
        """Thought vector, baseline and Transformer, those with finished runs."""
        return [name for name in (self.vector, self.baseline, self.transformer) if name]

    @property
    def no_signal(self) -> bool:
        """Whether one of these scores too little one by one for its cost to say anything."""
        singles = (self.cost(name, self.size, "one_by_one") for name in self.main)
        return any(single.mean < ENOUGH for single in singles if single)

    @property
    def trained_on(self) -> int:
        """The most sentences at once that all of these were trained on; a larger k is an unseen length."""
        return min((self.systems[name].concatenation for name in self.main), default=1)

    def title(self, system: str) -> str:
        """The name of a system in tables and figures."""
        return self.systems[system].title

    def values(self, system: str, size: int, key: Side = "value", beam: int | None = None) -> list[float]:
        """The cost of concatenation in each seed, or one of its two sides."""
        wanted = (system, size, beam or self.beam)
        return [float(getattr(cost, key)) for cost in self.costs if (cost.system, cost.k, cost.beam) == wanted]

    def cost(self, system: str, size: int, key: Side = "value", beam: int | None = None) -> Spread | None:
        """The same over seeds."""
        values = self.values(system, size, key, beam)
        return spread(values) if values else None

    def trend(self, system: str) -> Trend | None:
        """How the mean cost changes with k."""
        means = [cost.mean for size in self.sizes if (cost := self.cost(system, size))]
        return trend(means) if len(means) > 1 else None

    def effect(self, system: str, size: int) -> SystemEffect | None:
        """The cost of a system beyond that of the baseline, with the widest beam."""
        return next((one for one in self.effects if (one.of, one.k, one.beam) == (system, size, self.beam)), None)

    def significant_seeds(self, system: str) -> int:
        """In how many seeds concatenation costs a system significantly more than the baseline."""
        effect = self.effect(system, self.size)
        return sum(seed.p_value < SIGNIFICANT and seed.value > 0 for seed in effect.seeds) if effect else 0

    def widths(self) -> list[Width]:
        """Thought vectors of the capacity group by width, the narrowest first."""
        by_width: dict[int, list[RunCapacity]] = {}
        for run in self.capacities:
            about = self.systems[run.system]
            if about.group == CAPACITY and run.beam == self.beam and about.bottleneck and run.k50:
                by_width.setdefault(about.bottleneck, []).append(run)
        return [Width(width, median(map(_position, runs)), tuple(runs)) for width, runs in sorted(by_width.items())]

    @property
    def width_trend(self) -> Trend | None:
        """How k50 changes with width; it may stay beyond the largest k measured."""
        found = [width.k50 for width in self.widths()]
        if len(found) < 2:
            return None
        falls = any(later < earlier for earlier, later in pairwise(found))
        return "falls" if found[-1] <= found[0] else "rises" if falls else "grows"

    def capacity(self, system: str) -> list[RunCapacity]:
        """The shares that a system keeps in each seed, with the widest beam."""
        return [run for run in self.capacities if (run.system, run.beam) == (system, self.beam)]

    def singles(self, system: str) -> str | None:
        """The system with the same model that was trained on single sentences."""
        this = self.systems[system]
        others = (name for name, about in self.systems.items() if about.model == this.model)
        return next((name for name in others if self.systems[name].concatenation == 1 < this.concatenation), None)

    def directions(self) -> list[tuple[str, str]]:
        """Pairs of thought vectors that differ only in the direction of reading; those like the core one first."""
        read: dict[str, list[str]] = {"forward": [], "backward": []}
        for name, about in self.systems.items():
            if about.one_slot and about.direction in read:
                read[about.direction].append(name)
        pairs = [
            (forward, backward)
            for forward in read["forward"]
            for backward in read["backward"]
            if self._likeness(forward) == self._likeness(backward)
        ]
        like = self.systems[self.vector].unlike("encoder") if self.vector else {}
        return sorted(pairs, key=lambda pair: self.systems[pair[0]].unlike("encoder") != like)

    def _likeness(self, system: str) -> tuple[JsonObject, int]:
        about = self.systems[system]
        return about.unlike("encoder.direction"), about.concatenation

    def chrf(self, system: str, size: int, side: Literal["one_by_one", "concatenated"]) -> list[list[float]]:
        """chrF2 at each position, in each seed."""
        found = (each for each in self.positions if (each.system, each.k) == (system, size))
        return [each.one_by_one if side == "one_by_one" else each.concatenated for each in found]

    def losses(self, system: str, size: int) -> list[float] | None:
        """chrF2 lost by concatenation at each position, mean over seeds."""
        singles, together = (mean_over_seeds(self.chrf(system, size, side)) for side in ("one_by_one", "concatenated"))
        return [single - one for single, one in zip(singles, together, strict=True)] if singles else None

    def worse_end(self, system: str) -> Literal["beginning", "end", "neither"] | None:
        """Which end of the concatenated sentences loses more."""
        losses = self.losses(system, self.size)
        if losses is None:
            return None
        difference = losses[0] - losses[-1]
        return "neither" if abs(difference) <= EQUAL else "beginning" if difference > 0 else "end"


def mean_over_seeds(runs: list[list[float]]) -> list[float]:
    """The mean at each position."""
    return [fmean(values) for values in zip(*runs, strict=True)]


def trend(values: list[float]) -> Trend:
    """How numbers change from one to the next."""
    if all(later > earlier for earlier, later in pairwise(values)):
        return "grows"
    return "rises" if values[-1] > values[0] else "falls"


def _position(run: RunCapacity) -> float:
    return inf if run.k50 is None or run.k50.value is None else run.k50.value
