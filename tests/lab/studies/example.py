"""A made-up analysis of the bottleneck study, with numbers that a test can turn round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict, Unpack

from nmt.atomic import JsonObject
from nmt.lab.studies.analysis import (
    Analysis,
    Conditions,
    Positions,
    RunCapacity,
    RunCost,
    SeedRun,
    SystemEffect,
    SystemRuns,
)
from nmt.lab.studies.costs import Crossing, SeedEffect
from nmt.lab.studies.results import Example

SIZES = (1, 2, 3, 4, 8)
POSITIONS_AT = 4
SINGLES = {"thought-vector": 30.0, "attention": 35.0, "transformer": 36.0}
"""BLEU one by one."""
COSTS = {
    "thought-vector": (9.0, 15.0, 17.0, 22.0),
    "attention": (0.3, 0.5, 0.6, 1.5),
    "transformer": (0.4, 0.6, 0.9, 1.9),
}
K50 = {32: 1.4, 64: 1.8, 128: 2.3, 256: 3.1, 512: None}
LOSSES = {
    "thought-vector": (8.0, 18.0),
    "attention": (0.5, 0.6),
    "transformer": (0.7, 1.0),
    "forward": (8.0, 18.0),
    "backward": (17.0, 7.0),
}
SHIFTS = (0.0, -0.2, 0.3)
"""What seeds add to a cost."""
RNN: JsonObject = {
    "cell": "lstm",
    "attention": "none",
    "bottleneck": None,
    "encoder": {"hidden": 128, "direction": "both"},
}
MODELS: dict[str, JsonObject] = {
    "thought-vector": RNN,
    "attention": {**RNN, "attention": "bahdanau"},
    "transformer": {"heads": 4},
}
TITLES = {"thought-vector": "thought vector", "attention": "attention", "transformer": "Transformer"}
Costs = Mapping[str, Sequence[float]]


class Changes(TypedDict, total=False):
    """What a test changes of the analysis."""

    costs: Costs
    """Costs at k = 2, 3, 4, 8 of the core systems."""
    seeds: int
    core: Sequence[str]
    p_value: float
    k50: Mapping[int, float | None]
    losses: Mapping[str, tuple[float, float]]
    """chrF2 lost at the first and the last position."""
    trained: int
    singles: Costs
    """Costs of the same models trained on single sentences."""
    missing: Sequence[str]
    attention_title: str
    reference: str


def analysis(**changes: Unpack[Changes]) -> Analysis:
    """The analysis with these changes."""
    costs, seeds, trained = changes.get("costs", COSTS), changes.get("seeds", 3), changes.get("trained", 8)
    k50, losses = changes.get("k50", K50), changes.get("losses", LOSSES)
    titles = {**TITLES, "attention": changes.get("attention_title", "attention")}
    vector = costs["thought-vector"]
    made = [
        _System(name, titles[name], "core", MODELS[name], trained, costs[name], seeds)
        for name in changes.get("core", tuple(MODELS))
    ]
    made += [
        _System(f"slot-{width}", f"width {width}", "capacity", {**RNN, "bottleneck": width}, trained, vector)
        for width in k50
    ]
    made += [
        _System(name, f"read {name}", "around", _reading(name), trained, vector)
        for name in losses
        if name not in MODELS
    ]
    made += [
        _System(f"singles-{name}", f"{TITLES[name]}, singles", "singles", MODELS[name], 1, prices)
        for name, prices in changes.get("singles", {}).items()
    ]
    return Analysis(
        study="bottleneck",
        compared_with="attention",
        conditions=_conditions(trained, changes.get("missing", ())),
        signature="nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
        systems={each.name: each.about for each in made},
        costs=[record for each in made for record in each.costs()],
        effects=[record for each in made for record in _effects(each, made, changes.get("p_value", 0.001))],
        capacities=[record for each in made for record in each.capacities(k50)],
        positions=[record for each in made if each.name in losses for record in each.positions(losses[each.name])],
        long=[],
        examples={each.name: _example(each.name) for each in made},
        reference=changes.get("reference"),
    )


def _conditions(trained: int, missing: Sequence[str]) -> Conditions:
    return Conditions(
        corpus="made-up",
        fallback=None,
        languages="de-en",
        test_sentences=1000,
        trained_on_up_to=trained,
        epochs_of_growth=None,
        vocabulary=4000,
        updates=2000,
        batch_tokens=1024,
        concatenations=list(SIZES),
        beams=[1, 5],
        length_penalty=0.6,
        resamples=1000,
        missing_runs=list(missing),
        evaluations_of_the_test_set="1",
    )


class _System:
    def __init__(
        self,
        name: str,
        title: str,
        group: str,
        model: JsonObject,
        concatenation: int,
        prices: Sequence[float],
        seeds: int = 1,
    ) -> None:
        self.name, self.prices = name, dict(zip(SIZES, (0.0, *prices), strict=True))
        self.seeds, self.single = range(1, seeds + 1), SINGLES.get(name, 30.0)
        run = SeedRun(
            updates=2000,
            best_update=2000,
            target_tokens=4_000_000,
            precision="fp32",
            training_seconds=900,
            translating_seconds=60,
            weights_sha256="abc",
        )
        self.about = SystemRuns(
            title=title,
            group=group,
            parameters=1_600_000,
            concatenation=concatenation,
            one_slot=model.get("attention") == "none",
            bottleneck=model.get("bottleneck"),
            direction=model.get("encoder", {}).get("direction"),
            model=model,
            seeds=dict.fromkeys(self.seeds, run),
        )

    def value(self, size: int, seed: int) -> float:
        return self.prices[size] + (SHIFTS[seed - 1] if size > 1 else 0.0)

    def costs(self) -> Iterator[RunCost]:
        for beam in (1, 5):
            for seed in self.seeds:
                for size in SIZES:
                    value = self.value(size, seed)
                    yield RunCost(
                        system=self.name,
                        seed=seed,
                        beam=beam,
                        k=size,
                        items=1000 // size,
                        one_by_one=self.single,
                        concatenated=self.single - value,
                        low=value - 1,
                        high=value + 1,
                        capped=0,
                    )

    def capacities(self, k50: Mapping[int, float | None]) -> Iterator[RunCapacity]:
        width = self.about.bottleneck
        value = k50.get(width or 0, 2.9 if self.name == "thought-vector" else None)
        half = Crossing(value=value, label="> 8" if value is None else f"{value:.1f}")
        kept = tuple(0.5 ** ((size - 1) / ((value or 60) - 1)) for size in SIZES)
        for seed in self.seeds:
            bounds = {"k50": half, "low": half, "high": half}
            yield RunCapacity(system=self.name, seed=seed, beam=5, sizes=SIZES, kept=kept, blocks=41, **bounds)

    def positions(self, losses: tuple[float, float]) -> Iterator[Positions]:
        first, last = losses
        steps = [first + (last - first) * place / (POSITIONS_AT - 1) for place in range(POSITIONS_AT)]
        for seed in self.seeds:
            yield Positions(
                system=self.name,
                seed=seed,
                beam=5,
                k=POSITIONS_AT,
                one_by_one=[55.0] * POSITIONS_AT,
                concatenated=[55.0 - loss for loss in steps],
            )


def _effects(system: _System, made: Sequence[_System], p_value: float) -> Iterator[SystemEffect]:
    base = next((each for each in made if each.name == "attention"), None)
    for beam in (1, 5) if base and system is not base else ():
        for size in SIZES:
            assert base
            values = {seed: system.value(size, seed) - base.prices[size] for seed in system.seeds if seed in base.seeds}
            seeds = tuple(
                SeedEffect(seed=seed, value=value, low=value - 1, high=value + 1, p_value=p_value)
                for seed, value in values.items()
            )
            yield SystemEffect(of=system.name, against=base.name, beam=beam, k=size, items=250, seeds=seeds)


def _reading(direction: str) -> JsonObject:
    return {**RNN, "encoder": {"hidden": 256, "direction": direction}}


def _example(name: str) -> Example:
    pieces, source = ["▁A", "▁dog", "s", "</s>"], ["▁Ein", "▁Hund", "e", "</s>"]
    weights = [[0.9 if row == column else 0.1 / 3 for column in range(4)] for row in range(4)]
    return Example(
        source="Ein Hunde",
        text=f"A <b>dog</b> & {name}",
        pieces=pieces,
        source_pieces=source,
        warnings=[],
        weights=weights if name == "attention" else None,
    )
