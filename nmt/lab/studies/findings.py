"""What the bottleneck study found, asked by system and by k: who plays which part in the story, and what holds between them.

The parts are found by what the models are, not by their names: the thought vector is the first core system whose decoder gets one slot.
Every question is answered from the analysis alone, and by None where the runs for it are not finished.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from statistics import fmean, median
from typing import Any, Literal, NamedTuple

from nmt.lab.studies.bottleneck import CAPACITY, CORE
from nmt.lab.studies.costs import Spread, spread
from nmt.models.registry import describe

Record = Mapping[str, Any]
Standing = Literal["more", "less", "unclear"]
Course = Literal["grows", "rises", "falls"]
"""At every step; between the first and the last, but not at every step; neither."""

HEADLINE = 4
"""The k that is spoken of where it was measured."""
SURE = 0.01
"""A difference counts in a seed if its p-value is below this."""
ENOUGH = 5.0
"""BLEU: models whose join scores less have too little to lose for a cost to say anything."""
TOLD = 2.0
"""Places in the pack whose losses differ by no more chrF2 than this are said to lose alike: of the 250 sentences that 1000 leave for each place
at k = 4, chrF2 has a 95 % interval of about that to either side."""


class Width(NamedTuple):
    """Thought vectors of one width: k50 in the middle of the seeds and of each, infinity beyond the largest k measured."""

    slot: int
    middle: float
    runs: tuple[Record, ...]


@dataclass(frozen=True)
class Findings:
    """The analysis of a study; ``found`` is what `bottleneck.analyse` gives, and for each system the packs it was trained on in `trained`."""

    found: Record

    @property
    def systems(self) -> Record:
        """By name, those of which a run is finished."""
        systems: Record = self.found["systems"]
        return systems

    @property
    def beam(self) -> int:
        """The widest, of which the text speaks."""
        return int(max(self.found["conditions"]["beams"]))

    @property
    def packs(self) -> list[int]:
        """Sizes in which something is packed."""
        return sorted(size for size in self.found["conditions"]["packs"] if size > 1)

    @property
    def size(self) -> int:
        """The k of the headline."""
        return HEADLINE if HEADLINE in self.packs else max(self.packs, default=1)

    @property
    def core(self) -> list[str]:
        """The systems with error bars."""
        return [name for name, about in self.systems.items() if about["panel"] == CORE]

    @property
    def baseline(self) -> str | None:
        """What the others are compared with."""
        name: str = self.found["baseline"]
        return name if name in self.systems else None

    @property
    def vector(self) -> str | None:
        """The thought vector."""
        return next((name for name in self.core if one_slot(self.systems[name]) and name != self.baseline), None)

    @property
    def transformer(self) -> str | None:
        """The Transformer."""
        return next(
            (
                name
                for name in self.core
                if not describe(self.systems[name]["model"]).recurrent and name != self.baseline
            ),
            None,
        )

    @property
    def parts(self) -> list[str]:
        """Thought vector, baseline and Transformer, as far as they are there."""
        return [name for name in (self.vector, self.baseline, self.transformer) if name]

    @property
    def mute(self) -> bool:
        """Whether one of these hardly translates at all, even one by one."""
        joins = (self.cost(name, self.size, "join") for name in self.parts)
        return any(join.mean < ENOUGH for join in joins if join)

    @property
    def familiar(self) -> int:
        """Up to how many sentences at once all of these saw in training: beyond that, packing is a length never seen."""
        return min(map(self.trained, self.parts), default=1)

    def title(self, system: str) -> str:
        """How tables and figures name a system."""
        return str(self.systems[system]["title"])

    def trained(self, system: str) -> int:
        """Up to how many sentences at once a system saw in training."""
        return int(self.found["trained"][system])

    def updates(self, system: str) -> int:
        """The most updates that a run of a system took."""
        return max(int(run["updates"]) for run in self.systems[system]["seeds"].values())

    def values(self, system: str, size: int, key: str = "value", beam: int | None = None) -> list[float]:
        """A number of the cost of packing in each seed; ``join`` and ``pack`` are its two sides."""
        asked = (system, size, beam or self.beam)
        return [cost[key] for cost in self.found["costs"] if (cost["system"], cost["k"], cost["beam"]) == asked]

    def cost(self, system: str, size: int, key: str = "value", beam: int | None = None) -> Spread | None:
        """The same over seeds."""
        values = self.values(system, size, key, beam)
        return spread(values) if values else None

    def course(self, system: str) -> Course | None:
        """How the mean cost goes with k."""
        means = [cost.mean for size in self.packs if (cost := self.cost(system, size))]
        return course(means) if len(means) > 1 else None

    def effect(self, system: str, size: int, beam: int | None = None) -> Record | None:
        """How much more packing costs a system than the baseline."""
        asked = (system, size, beam or self.beam)
        return next((each for each in self.found["effects"] if (each["of"], each["k"], each["beam"]) == asked), None)

    def standing(self, system: str) -> Standing | None:
        """Whether packing costs it more than the baseline, in every seed beyond what the choice of test sentences explains."""
        effect = self.effect(system, self.size)
        if effect is None:
            return None
        if all(seed["p_value"] < SURE and seed["value"] > 0 for seed in effect["seeds"]):
            return "more"
        return "less" if all(seed["p_value"] < SURE and seed["value"] < 0 for seed in effect["seeds"]) else "unclear"

    def sure(self, system: str) -> int:
        """In how many seeds packing costs it more than the baseline beyond what the choice of test sentences explains."""
        effect = self.effect(system, self.size)
        return sum(seed["p_value"] < SURE and seed["value"] > 0 for seed in effect["seeds"]) if effect else 0

    def widths(self) -> list[Width]:
        """Thought vectors by width, the narrowest first."""
        by_slot: dict[int, list[Record]] = {}
        for record in self.found["capacity"]:
            slot = self.systems[record["system"]]["model"].get("bottleneck")
            if record["panel"] == CAPACITY and record["beam"] == self.beam and slot and record["k50"]:
                by_slot.setdefault(slot, []).append(record)
        return [Width(slot, median(map(_position, runs)), tuple(runs)) for slot, runs in sorted(by_slot.items())]

    @property
    def widening(self) -> Course | None:
        """How k50 goes with width; it may stay beyond the largest k measured."""
        middles = [width.middle for width in self.widths()]
        if len(middles) < 2:
            return None
        falls = any(later < earlier for earlier, later in pairwise(middles))
        return "falls" if middles[-1] <= middles[0] else "rises" if falls else "grows"

    def capacity(self, system: str) -> list[Record]:
        """The shares that a system keeps, and its k50, in each seed."""
        return [
            record for record in self.found["capacity"] if (record["system"], record["beam"]) == (system, self.beam)
        ]

    def control(self, system: str, suits: Callable[[str], bool]) -> str | None:
        """The system with the same model as this one that was trained otherwise."""
        model = self.systems[system]["model"]
        return next(
            (
                name
                for name, about in self.systems.items()
                if name != system and about["model"] == model and suits(name)
            ),
            None,
        )

    def singles(self, system: str) -> str | None:
        """The same model trained on single sentences."""
        return self.control(system, lambda name: self.trained(name) == 1 < self.trained(system))

    def longer(self, system: str) -> str | None:
        """The same model trained for more updates."""
        return self.control(
            system,
            lambda name: self.trained(name) == self.trained(system) and self.updates(name) > self.updates(system),
        )

    def matched(self, system: str) -> str | None:
        """The same model but for a wider bottleneck, outside the sweep of widths."""
        model = _unlike(self.systems[system]["model"], "bottleneck")
        others = ((name, about) for name, about in self.systems.items() if about["panel"] not in (CORE, CAPACITY))
        return next(
            (
                name
                for name, about in others
                if about["model"].get("bottleneck") and _unlike(about["model"], "bottleneck") == model
            ),
            None,
        )

    def turned(self) -> list[tuple[str, str]]:
        """Pairs of thought vectors that differ in nothing but reading the source from the left and from the right; those given it at every step first."""
        read = {"forward": list[str](), "backward": list[str]()}
        for name, about in self.systems.items():
            direction = about["model"].get("encoder", {}).get("direction") if one_slot(about) else None
            if direction in read:
                read[direction].append(name)
        pairs = [
            (left, right)
            for left in read["forward"]
            for right in read["backward"]
            if self._likeness(left) == self._likeness(right)
        ]
        return sorted(pairs, key=lambda pair: str(self.systems[pair[0]]["model"]["thought_vector"]))

    def _likeness(self, system: str) -> dict[str, Any]:
        model = self.systems[system]["model"]
        return {**model, "encoder": {**model["encoder"], "direction": None}, "trained": self.trained(system)}

    def places(self, system: str, size: int, side: str) -> list[list[float]]:
        """chrF2 by place in the pack, in each seed; ``side`` is join or pack."""
        return [each[side] for each in self.found["positions"] if (each["system"], each["k"]) == (system, size)]

    def losses(self, system: str, size: int) -> list[float] | None:
        """chrF2 that packing takes from each place, mean over seeds."""
        join, pack = (mean_over_seeds(self.places(system, size, side)) for side in ("join", "pack"))
        return [whole - left for whole, left in zip(join, pack, strict=True)] if join else None

    def worse_end(self, system: str) -> Literal["beginning", "end", "neither"] | None:
        """Which end of a pack loses more."""
        losses = self.losses(system, self.size)
        if losses is None:
            return None
        difference = losses[0] - losses[-1]
        return "neither" if abs(difference) <= TOLD else "beginning" if difference > 0 else "end"


def _unlike(model: Record, key: str) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name != key}


def one_slot(about: Record) -> bool:
    """Whether the decoder of a system gets one vector, whatever the length of the source."""
    return describe(about["model"]).one_slot


def mean_over_seeds(runs: list[list[float]]) -> list[float]:
    """The mean at each place."""
    return [fmean(values) for values in zip(*runs, strict=True)]


def course(values: list[float]) -> Course:
    """How numbers go from one to the next."""
    if all(later > earlier for earlier, later in pairwise(values)):
        return "grows"
    return "rises" if values[-1] > values[0] else "falls"


def _position(record: Record) -> float:
    value = record["k50"]["value"]
    return inf if value is None else value
