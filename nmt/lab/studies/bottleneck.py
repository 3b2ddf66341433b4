"""Computes the analysis of the bottleneck study from saved outputs; the same folder always gives the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property

from nmt.errors import Log
from nmt.evaluation import bootstrap, metrics
from nmt.evaluation.bootstrap import Counts
from nmt.evaluation.lengths import by_length
from nmt.lab.studies import concatenated, costs
from nmt.lab.studies.analysis import (
    Analysis,
    ByLength,
    Conditions,
    Positions,
    RunCapacity,
    RunCost,
    SeedRun,
    SystemEffect,
    SystemRuns,
)
from nmt.lab.studies.costs import Sides
from nmt.lab.studies.plan import Job, Plan
from nmt.lab.studies.results import LONG, Example, Results, concatenated_name, output_name
from nmt.models.registry import describe

POSITIONS_AT = (4, 8)
"""Sizes at which quality by position is measured."""


class Outputs:
    """The outputs of one finished run with one beam, counted once for every size."""

    def __init__(self, results: Results, job: Job, beam: int, sizes: Sequence[int], target: str) -> None:
        self.results, self.job, self.beam, self.sizes, self.target = results, job, beam, sizes, target

    def concatenated(self, size: int) -> list[str]:
        """Translations of ``size`` sentences at once."""
        return self.results.output(self.job, concatenated_name(size), self.beam)

    def one_by_one(self, size: int) -> list[str]:
        """Translations of single sentences, concatenated ``size`` at a time."""
        return concatenated.join(self.concatenated(1), size)

    @cached_property
    def sides(self) -> dict[int, Sides]:
        """The counts of both, by size."""
        return {
            size: Sides(self._counts(self.one_by_one(size), size), self._counts(self.concatenated(size), size))
            for size in self.sizes
        }

    def _counts(self, lines: list[str], size: int) -> Counts:
        references = self.results.test(concatenated_name(size)).references
        return bootstrap.counts(lines, references, target=self.target)


Grid = Mapping[tuple[int, str, int], Outputs]
"""Outputs by beam, system and seed."""


def analyse(plan: Plan, results: Results, evaluations: str, log: Log) -> Analysis:
    """The analysis of the finished runs; ``evaluations`` states how often the test set was scored."""
    target, sizes = plan.shared.data.target, results.study["concatenations"]
    finished = [job for job in plan.jobs if results.finished(job)]
    jobs = [job for job in finished if not plan.systems[job.system].long]
    log(f"analysing {len(jobs)} of {len(plan.jobs)} runs")
    grid = {
        (beam, job.system, job.seed): Outputs(results, job, beam, sizes, target)
        for beam in plan.settings.beams
        for job in jobs
    }
    first = results.test(concatenated_name(1)).references
    examples = _examples(plan, results, jobs)
    return Analysis(
        study=plan.name,
        compared_with=plan.settings.baseline,
        conditions=_conditions(plan, results, finished, evaluations),
        signature=metrics.score_bleu(first, first, target=target, intervals=False).signature,
        systems=_systems(plan, results, jobs),
        costs=list(_costs(grid, results)),
        effects=list(_effects(plan, grid)),
        capacities=list(_capacities(grid)),
        positions=list(_positions(results, grid, target)),
        long=[_by_length(plan, results, job, target) for job in finished if plan.systems[job.system].long],
        examples=examples,
        reference=_reference(results, examples.get(plan.settings.baseline), sizes),
    )


def _conditions(plan: Plan, results: Results, finished: Sequence[Job], evaluations: str) -> Conditions:
    return Conditions(
        **asdict(results.conditions(plan, finished, evaluations)),
        trained_on_up_to=plan.shared.data.concatenation,
        epochs_of_growth=plan.shared.training.concatenation_growth or None,
        concatenations=results.study["concatenations"],
        beams=results.study["beams"],
        length_penalty=plan.shared.search.length_penalty,
        resamples=metrics.RESAMPLES,
    )


def _systems(plan: Plan, results: Results, jobs: Sequence[Job]) -> dict[str, SystemRuns]:
    kept = [field.name for field in fields(SeedRun)]
    found: dict[str, SystemRuns] = {}
    for job in jobs:
        system, result = plan.systems[job.system], results.result(job)
        if job.system not in found:
            model = result.comparable["model"]
            found[job.system] = SystemRuns(
                title=system.title,
                group=system.group,
                parameters=result.parameters,
                concatenation=job.recipe.data.concatenation,
                one_slot=describe(model).one_slot,
                bottleneck=model.get("bottleneck"),
                direction=model.get("encoder", {}).get("direction"),
                model=model,
                seeds={},
            )
        found[job.system].seeds[job.seed] = SeedRun(**{name: getattr(result, name) for name in kept})
    return found


def _costs(grid: Grid, results: Results) -> Iterator[RunCost]:
    for (beam, system, seed), found in grid.items():
        capped = results.result(found.job).capped
        for size, sides in found.sides.items():
            count = capped[output_name(concatenated_name(size), beam)]
            cost = asdict(costs.cost(*sides))
            yield RunCost(**cost, system=system, seed=seed, beam=beam, k=size, capped=count)


def _effects(plan: Plan, grid: Grid) -> Iterator[SystemEffect]:
    """Over the seeds that a system and the baseline both have."""
    base = plan.settings.baseline
    for beam in plan.settings.beams:
        for name, system in plan.systems.items():
            seeds = [seed for seed in system.seeds if {(beam, name, seed), (beam, base, seed)} <= grid.keys()]
            for size in plan.settings.concatenations if seeds and name != base else ():
                of, against = ({seed: grid[beam, one, seed].sides[size] for seed in seeds} for one in (name, base))
                effect = costs.effect(of, against)
                yield SystemEffect(items=effect.items, seeds=effect.seeds, of=name, against=base, beam=beam, k=size)


def _capacities(grid: Grid) -> Iterator[RunCapacity]:
    for (beam, system, seed), found in grid.items():
        capacity = costs.capacity(found.sides)
        values = {field.name: getattr(capacity, field.name) for field in fields(capacity)}
        yield RunCapacity(**values, system=system, seed=seed, beam=beam)


def _positions(results: Results, grid: Grid, target: str) -> Iterator[Positions]:
    """With the widest beam; both sides are cut into sentences by the same alignment."""
    widest = max(beam for beam, _, _ in grid) if grid else 0
    references = results.test(concatenated_name(1)).references
    for (beam, system, seed), found in grid.items():
        for size in POSITIONS_AT if beam == widest else ():
            if size in found.sizes:
                one_by_one, together = (
                    [each.chrf.value for each in concatenated.by_position(lines, references, size, target=target)]
                    for lines in (found.one_by_one(size), found.concatenated(size))
                )
                yield Positions(
                    system=system, seed=seed, beam=beam, k=size, one_by_one=one_by_one, concatenated=together
                )


def _by_length(plan: Plan, results: Results, job: Job, target: str) -> ByLength:
    """With the widest beam."""
    beam, test = max(plan.settings.beams), results.test(LONG)
    buckets = by_length(test.source, results.output(job, LONG, beam), test.references, target=target)
    title = plan.systems[job.system].title
    return ByLength(system=job.system, title=title, seed=job.seed, beam=beam, buckets=buckets)


def _examples(plan: Plan, results: Results, jobs: Sequence[Job]) -> dict[str, Example]:
    """The example of each system's first seed; only the baseline's is drawn, so the others go without weights."""
    found: dict[str, Example] = {}
    for job in jobs:
        example = results.result(job).example
        if example is not None and job.seed == plan.systems[job.system].seeds[0]:
            weights = example.weights if job.system == plan.settings.baseline else None
            found[job.system] = Example(**{**asdict(example), "weights": weights})
    return found


def _reference(results: Results, example: Example | None, sizes: Sequence[int]) -> str | None:
    for size in sizes if example else ():
        test = results.test(concatenated_name(size))
        if example and example.source in test.source:
            return test.references[test.source.index(example.source)]
    return None
