"""The analysis of the bottleneck study: from the saved outputs to every figure of the report, each with its conditions.

Nothing is trained or translated here: the same results folder always gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from nmt.data.hub import is_local
from nmt.evaluation import bootstrap, concatenated, metrics
from nmt.evaluation.bootstrap import Counts
from nmt.evaluation.lengths import by_length
from nmt.lab.studies import costs
from nmt.lab.studies.costs import Sides
from nmt.lab.studies.plan import Plan, Unit
from nmt.lab.studies.results import LONG, Results
from nmt.recipe.types import Recipe

Log = Callable[[str], None]
CORE, CAPACITY = "core", "capacity"
POSITIONS_AT = (4, 8)
"""Sizes at which quality by position is measured."""


class Outputs:
    """The outputs of one finished run with one beam, counted once for every packing."""

    def __init__(self, results: Results, unit: Unit, beam: int, packs: tuple[int, ...], target: str) -> None:
        self.results, self.unit, self.beam, self.packs, self.target = results, unit, beam, packs, target

    def pack(self, size: int) -> list[str]:
        """What the model made of packs of this size."""
        return self.results.output(self.unit, f"test.pack{size}", self.beam)

    def join(self, size: int) -> list[str]:
        """What it made of the sentences one by one, joined."""
        return concatenated.join(self.pack(1), size)

    @cached_property
    def sides(self) -> dict[int, Sides]:
        """The counts of both, by size."""
        return {
            size: Sides(self._counts(self.join(size), size), self._counts(self.pack(size), size)) for size in self.packs
        }

    def _counts(self, lines: list[str], size: int) -> Counts:
        return bootstrap.counts(lines, self.results.test(f"test.pack{size}").references, target=self.target)


def analyse(plan: Plan, results: Results, log: Log) -> dict[str, Any]:
    """Everything that the report shows, for the runs that are finished."""
    target = plan.shared.data.target
    finished = [unit for unit in plan.units if results.finished(unit)]
    units = [unit for unit in finished if not plan.systems[unit.system].long]
    outputs: dict[tuple[int, str, int], Outputs] = {}
    for beam in plan.settings.beams:
        for unit in units:
            outputs[beam, unit.system, unit.seed] = Outputs(results, unit, beam, tuple(results.study["packs"]), target)
    log(f"analysing {len(units)} of {len(plan.units)} runs")
    first = results.test("test.pack1").references
    return {
        "study": plan.name,
        "baseline": plan.settings.baseline,
        "conditions": _conditions(plan, results, finished),
        "signature": metrics.score_bleu(first, first, target=target, intervals=False).signature,
        "systems": _systems(plan, results, units),
        "costs": list(_costs(outputs, results)),
        "effects": list(_effects(plan, outputs)),
        "capacity": list(_capacities(plan, outputs)),
        "positions": list(_positions(results, outputs, target)),
        "long": [_by_length(plan, results, unit, target) for unit in finished if plan.systems[unit.system].long],
        "examples": {
            unit.system: example
            for unit in units
            if unit.seed == _first(plan, unit) and (example := results.result(unit)["example"])
        },
    }


def _first(plan: Plan, unit: Unit) -> int:
    return plan.systems[unit.system].seeds[0]


def _conditions(plan: Plan, results: Results, units: list[Unit]) -> dict[str, Any]:
    data, training = plan.shared.data, plan.shared.training
    return {
        "corpus": corpus_name(plan.shared),
        "fallback": results.study["fallback"],
        "languages": f"{data.source}-{data.target}",
        "test sentences": len(results.test("test.pack1").source),
        "trained on packs of up to": data.concatenation,
        "epochs in which packs grow": training.concatenation_growth or None,
        "vocabulary": plan.shared.vocabulary.size,
        "updates": training.updates,
        "batch positions": training.batch_tokens,
        "packs": results.study["packs"],
        "beams": results.study["beams"],
        "length penalty": plan.shared.search.length_penalty,
        "resamples": metrics.RESAMPLES,
        "missing runs": [unit.name for unit in plan.units if unit not in units],
    }


def corpus_name(recipe: Recipe) -> str:
    """The corpus as it can be told elsewhere: a data set's name, the last part of a way on this machine, or `files`."""
    corpus = recipe.data.corpus
    return "files" if corpus is None else Path(corpus).name if is_local(corpus) else corpus


def _systems(plan: Plan, results: Results, units: list[Unit]) -> dict[str, Any]:
    """By name: title, panel and size, and for each seed what training came to."""
    kept = (
        "updates",
        "best_update",
        "target_pieces",
        "precision",
        "training_seconds",
        "translating_seconds",
        "weights_sha256",
    )
    found: dict[str, Any] = {}
    for unit in units:
        system, result = plan.systems[unit.system], results.result(unit)
        about = {
            "title": system.title,
            "panel": system.panel,
            "parameters": result["parameters"],
            "model": result["recipe"]["model"],
            "seeds": {},
        }
        found.setdefault(unit.system, about)["seeds"][unit.seed] = {key: result[key] for key in kept}
    return found


def _costs(outputs: Mapping[tuple[int, str, int], Outputs], results: Results) -> Iterator[dict[str, Any]]:
    """What packing costs each run, at each size and beam."""
    for (beam, system, seed), found in outputs.items():
        capped = results.result(found.unit)["capped"]
        for size, sides in found.sides.items():
            cost = costs.cost(*sides).as_json()
            yield {
                "system": system,
                "seed": seed,
                "beam": beam,
                "k": size,
                **cost,
                "capped": capped[f"test.pack{size}.beam{beam}.txt"],
            }


def _effects(plan: Plan, outputs: Mapping[tuple[int, str, int], Outputs]) -> Iterator[dict[str, Any]]:
    """How much more packing costs each system than the baseline, over the seeds that both have."""
    base = plan.settings.baseline
    for beam in plan.settings.beams:
        for system in plan.systems:
            seeds = [
                seed
                for seed in plan.systems[system].seeds
                if {(beam, system, seed), (beam, base, seed)} <= outputs.keys()
            ]
            for size in plan.settings.packs if seeds and system != base else ():
                of, against = (
                    {seed: outputs[beam, name, seed].sides[size] for seed in seeds} for name in (system, base)
                )
                yield {"of": system, "against": base, "beam": beam, "k": size, **costs.effect(of, against).as_json()}


def _capacities(plan: Plan, outputs: Mapping[tuple[int, str, int], Outputs]) -> Iterator[dict[str, Any]]:
    for (beam, system, seed), found in outputs.items():
        slot = found.results.result(found.unit)["recipe"]["model"].get(
            "bottleneck"
        )  # a matched model's is not in the plan
        yield {
            "system": system,
            "panel": plan.systems[system].panel,
            "seed": seed,
            "beam": beam,
            "slot": slot,
            **costs.capacity(found.sides).as_json(),
        }


def _positions(
    results: Results, outputs: Mapping[tuple[int, str, int], Outputs], target: str
) -> Iterator[dict[str, Any]]:
    """chrF2 by position in the pack, of packs and of joins cut in the same way; with the widest beam."""
    widest = max(beam for beam, _, _ in outputs) if outputs else 0
    references = results.test("test.pack1").references
    for (beam, system, seed), found in outputs.items():
        for size in POSITIONS_AT if beam == widest else ():
            if size in found.packs:
                sides = {
                    side: concatenated.by_position(getattr(found, side)(size), references, size, target=target)
                    for side in ("join", "pack")
                }
                values = {side: [each.chrf.value for each in places] for side, places in sides.items()}
                yield {"system": system, "seed": seed, "beam": beam, "k": size, **values}


def _by_length(plan: Plan, results: Results, unit: Unit, target: str) -> dict[str, Any]:
    """BLEU by natural length of the source, of a run that was trained on long sentences too; with the widest beam."""
    beam, test = max(plan.settings.beams), results.test(LONG)
    buckets = by_length(test.source, results.output(unit, LONG, beam), test.references, target=target)
    about = {"system": unit.system, "title": plan.systems[unit.system].title, "seed": unit.seed, "beam": beam}
    return {**about, "buckets": [bucket.as_json() for bucket in buckets]}
