"""A made-up analysis of the bottleneck study, as `bottleneck.analyse` gives it, whose numbers a test can turn round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nmt.lab.studies.costs import Crossing, spread
from nmt.lab.studies.findings import Findings

PACKS = (1, 2, 3, 4, 8)
PLACES = (4,)
JOIN = {"thought-vector": 30.0, "attention": 35.0, "transformer": 36.0}
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
    "reversed": (17.0, 7.0),
}
SHIFTS = (0.0, -0.2, 0.3)
"""What seeds add to a cost."""
RNN: dict[str, Any] = {
    "family": "recurrent",
    "cell": "lstm",
    "attention": "none",
    "thought_vector": "every_step",
    "bottleneck": None,
    "encoder": {"hidden": 128, "direction": "both"},
}
MODELS: dict[str, dict[str, Any]] = {
    "thought-vector": RNN,
    "attention": {**RNN, "attention": "bahdanau"},
    "transformer": {"family": "transformer"},
}
TITLES = {"thought-vector": "thought vector", "attention": "attention", "transformer": "Transformer"}
Costs = Mapping[str, Sequence[float]]


def findings(**changes: Any) -> Findings:
    """See `analysis`."""
    return Findings(analysis(**changes))


def analysis(
    *,
    costs: Costs = COSTS,
    seeds: int = 3,
    core: Sequence[str] = tuple(MODELS),
    p_value: float = 0.001,
    k50: Mapping[int, float | None] = K50,
    losses: Mapping[str, tuple[float, float]] = LOSSES,
    trained: int = 8,
    singles: Costs | None = None,
    longer: Costs | None = None,
    matched: Sequence[float] | None = None,
    missing: Sequence[str] = (),
) -> dict[str, Any]:
    """Costs at k = 2, 3, 4, 8 of the core systems, and of others where they are given; ``losses`` at the first and the last place of a pack."""
    made = [_System(name, TITLES[name], "core", MODELS[name], trained, costs[name], seeds) for name in core]
    made += [
        _System(
            f"slot-{slot}", f"slot {slot}", "capacity", {**RNN, "bottleneck": slot}, trained, costs["thought-vector"]
        )
        for slot in k50
    ]
    made += [
        _System(name, f"read {name}", "around", _reading(name), trained, costs["thought-vector"])
        for name in losses
        if name not in MODELS
    ]
    for panel, given, pack, updates in (("singles", singles, 1, 2000), ("longer", longer, trained, 4000)):
        for name, prices in (given or {}).items():
            made.append(
                _System(
                    f"{panel}-{name}", f"{TITLES[name]}, {panel}", panel, MODELS[name], pack, prices, updates=updates
                )
            )
    if matched:
        made.append(
            _System(
                "matched", "thought vector, as many parameters", "around", {**RNN, "bottleneck": 720}, trained, matched
            )
        )
    return {
        "study": "bottleneck",
        "baseline": "attention",
        "conditions": {
            "corpus": "made-up",
            "languages": "de-en",
            "packs": list(PACKS),
            "beams": [1, 5],
            "missing runs": list(missing),
        },
        "signature": "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0",
        "systems": {each.name: each.about for each in made},
        "costs": [record for each in made for record in each.costs()],
        "effects": [record for each in made for record in _effects(each, made, p_value)],
        "capacity": [record for each in made for record in each.capacities(k50)],
        "positions": [record for each in made if each.name in losses for record in each.places(losses[each.name])],
        "long": [],
        "examples": {each.name: _example(each.name) for each in made},
        "trained": {each.name: each.pack for each in made},
        "expectations": [],
        "claims": [],
    }


class _System:
    def __init__(
        self,
        name: str,
        title: str,
        panel: str,
        model: dict[str, Any],
        pack: int,
        prices: Sequence[float],
        seeds: int = 1,
        updates: int = 2000,
    ) -> None:
        self.name, self.prices, self.pack = name, dict(zip(PACKS, (0.0, *prices), strict=True)), pack
        self.seeds, self.join = range(1, seeds + 1), JOIN.get(name, 30.0)
        run = {
            "updates": updates,
            "best_update": updates,
            "target_pieces": 4_000_000,
            "training_seconds": 900,
            "precision": "float32",
        }
        self.about: dict[str, Any] = {
            "title": title,
            "panel": panel,
            "parameters": 1_600_000,
            "model": model,
            "seeds": dict.fromkeys(self.seeds, run),
        }

    def value(self, size: int, seed: int) -> float:
        return self.prices[size] + (SHIFTS[seed - 1] if size > 1 else 0.0)

    def costs(self) -> Iterator[dict[str, Any]]:
        for beam in (1, 5):
            for seed in self.seeds:
                for size in PACKS:
                    value = self.value(size, seed)
                    pack = self.join - value
                    at = {"system": self.name, "seed": seed, "beam": beam, "k": size}
                    yield {
                        **at,
                        "join": self.join,
                        "pack": pack,
                        "value": value,
                        "kept": pack / self.join,
                        "low": value - 1,
                        "high": value + 1,
                    }

    def capacities(self, k50: Mapping[int, float | None]) -> Iterator[dict[str, Any]]:
        for seed in self.seeds:
            half = _crossing(
                k50.get(self.about["model"].get("bottleneck") or 0, 2.9 if self.name == "thought-vector" else None)
            )
            kept = [0.5 ** ((size - 1) / ((half["value"] or 60) - 1)) for size in PACKS]
            at = {"system": self.name, "panel": self.about["panel"], "seed": seed, "beam": 5}
            yield {**at, "sizes": list(PACKS), "kept": kept, "k50": half, "low": half, "high": half, "blocks": 41}

    def places(self, losses: tuple[float, float]) -> Iterator[dict[str, Any]]:
        first, last = losses
        for seed in self.seeds:
            for size in PLACES:
                steps = [first + (last - first) * place / (size - 1) for place in range(size)]
                yield {
                    "system": self.name,
                    "seed": seed,
                    "beam": 5,
                    "k": size,
                    "join": [55.0] * size,
                    "pack": [55.0 - loss for loss in steps],
                }


def _effects(system: _System, made: Sequence[_System], p_value: float) -> Iterator[dict[str, Any]]:
    base = next((each for each in made if each.name == "attention"), None)
    for beam in (1, 5) if base and system is not base else ():
        for size in PACKS:
            assert base
            values = {seed: system.value(size, seed) - base.prices[size] for seed in system.seeds if seed in base.seeds}
            by_seed = [
                {"seed": seed, "value": value, "low": value - 1, "high": value + 1, "p_value": p_value}
                for seed, value in values.items()
            ]
            over_seeds = asdict(spread(list(values.values())))
            yield {
                "of": system.name,
                "against": base.name,
                "beam": beam,
                "k": size,
                "packs": 250,
                "seeds": by_seed,
                "over_seeds": over_seeds,
            }


def _reading(name: str) -> dict[str, Any]:
    return {**RNN, "encoder": {"hidden": 256, "direction": {"forward": "forward", "reversed": "backward"}[name]}}


def _crossing(value: float | None) -> dict[str, Any]:
    return asdict(Crossing(value=value, label="> 8" if value is None else f"{value:.1f}"))


def _example(name: str) -> dict[str, Any]:
    pieces, source = ["▁A", "▁dog", "s", "</s>"], ["▁Ein", "▁Hund", "e", "</s>"]
    weights = (
        [[0.9 if row == column else 0.1 / 3 for column in range(4)] for row in range(4)]
        if name == "attention"
        else None
    )
    return {
        "source": "Ein Hunde",
        "text": f"A <b>dog</b> & {name}",
        "pieces": pieces,
        "source_pieces": source,
        "weights": weights,
        "warnings": [],
    }
