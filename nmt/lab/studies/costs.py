"""What packing sentences costs, by how much more it costs one system than another, and how many sentences a system can carry at once.

The join is what a model makes of the sentences one by one, put together; the pack is what it makes of them at once. Both are scored against
the same packed references, and only packs of k with packs of k: joining adds n-grams across sentences, so BLEU changes with k by itself.
Intervals and p-values are over the test sentences; what a training seed changes is the spread over seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf, lcm
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np

from nmt.errors import UserError
from nmt.evaluation import bootstrap
from nmt.evaluation.bootstrap import Counts, Values

HALF = 0.5
"""The share of the join's BLEU by which `k50` is defined."""
FEWEST = 20
"""With fewer blocks of sentences than this to draw from, the ends of an interval are a matter of single blocks: none is given."""


class Sides(NamedTuple):
    """One trained model at one k: `bootstrap.counts` of the join and of the pack, ``(pack, 10)`` each."""

    join: Counts
    pack: Counts


@dataclass(frozen=True, kw_only=True)
class Cost:
    """BLEU of the join and of the pack; ``low`` and ``high`` bound the 95 % interval of `value`, their difference, over packs."""

    packs: int
    join: float
    pack: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """BLEU that packing costs; negative where the pack is better."""
        return self.join - self.pack

    @property
    def kept(self) -> float | None:
        """The pack's share of the join's BLEU; None where there was nothing to keep."""
        return _share(self.join, self.pack)

    def as_json(self) -> dict[str, Any]:
        """The fields and what follows from them, ready for JSON."""
        return {**asdict(self), "value": self.value, "kept": self.kept}


@dataclass(frozen=True, kw_only=True)
class SeedEffect:
    """The effect in one pair of trained models, with its 95 % interval and two-sided p-value (`p_value`) over packs."""

    seed: int
    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A number over seeds. ``deviation`` is the standard deviation of a sample (n - 1), None for a single one."""

    count: int
    mean: float
    smallest: float
    largest: float
    deviation: float | None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """How much more packing costs one system than another: in each seed, and over seeds."""

    packs: int
    seeds: tuple[SeedEffect, ...]

    @property
    def over_seeds(self) -> Spread:
        """Of the effects themselves, whatever their intervals."""
        return spread([seed.value for seed in self.seeds])

    def as_json(self) -> dict[str, Any]:
        """The fields and `over_seeds`, ready for JSON."""
        return {**asdict(self), "over_seeds": asdict(self.over_seeds)}


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A k50. ``value`` is None beyond the largest k measured, and an upper bound if half is lost at the smallest: ``label`` is 3.4, > 8 or < 2."""

    value: float | None
    label: str


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """The share kept at each size, and k50 with the bounds of its 95 % interval.

    ``blocks`` is how many runs of sentences the interval was drawn from; it has no bounds if they are fewer than `FEWEST`, and there is
    no k50 if the join itself scores 0.
    """

    sizes: tuple[int, ...]
    kept: tuple[float | None, ...]
    k50: Crossing | None
    low: Crossing | None
    high: Crossing | None
    blocks: int

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def cost(join: Counts, pack: Counts) -> Cost:
    """What packing costs one trained model at one k."""
    _check(join, pack)
    low, high = bootstrap.interval(_resampled_cost(join, pack).tolist())
    return Cost(packs=len(pack), join=bootstrap.corpus_bleu(join), pack=bootstrap.corpus_bleu(pack), low=low, high=high)


def effect(of: Mapping[int, Sides], against: Mapping[int, Sides]) -> Effect:
    """The cost of packing for one system minus that for another at the same k, seed by seed, such as the thought vector against attention.

    Paired bootstrap over packs: in each resample the join and the pack of both models are made of the same packs.
    """
    if not of or of.keys() != against.keys():
        raise UserError(f"an effect takes the same seeds of both systems, found {sorted(of)} and {sorted(against)}")
    _check(*(side for system in (of, against) for sides in system.values() for side in sides))
    packs = len(next(iter(of.values())).pack)
    return Effect(packs=packs, seeds=tuple(_effect(seed, of[seed], against[seed]) for seed in sorted(of)))


def _effect(seed: int, of: Sides, against: Sides) -> SeedEffect:
    costs = [bootstrap.corpus_bleu(sides.join) - bootstrap.corpus_bleu(sides.pack) for sides in (of, against)]
    value, resampled = costs[0] - costs[1], _resampled_cost(*of) - _resampled_cost(*against)
    low, high = bootstrap.interval(resampled.tolist())
    return SeedEffect(seed=seed, value=value, low=low, high=high, p_value=p_value(value, resampled))


def p_value(observed: float, resampled: Values) -> float:
    """How often resampling alone moves a difference by as much as it is: (1 + #{|resampled - observed| >= |observed|}) / (1 + resamples).

    Two-sided. Resamples vary about what was observed as observations vary about the truth, so moved by what was observed they stand for a
    truth of 0. The 1 counts the observation itself: p is never 0 (Davison and Hinkley 1997, chapter 4).
    """
    return (1 + int(np.count_nonzero(np.abs(resampled - observed) >= abs(observed)))) / (1 + len(resampled))


def spread(values: Sequence[float]) -> Spread:
    """Mean, range and standard deviation of a number over seeds."""
    deviation = stdev(values) if len(values) > 1 else None
    return Spread(count=len(values), mean=fmean(values), smallest=min(values), largest=max(values), deviation=deviation)


def k50(sizes: Sequence[int], kept: Sequence[float]) -> Crossing:
    """The k at which the pack keeps half of the join's BLEU, interpolated linearly where the share first falls to that.

    At k = 1 all is kept by definition: nothing is packed.
    """
    return _crossing(sizes, _position(sizes, kept))


def capacity(packings: Mapping[int, Sides]) -> Capacity:
    """The shares that one trained model keeps at each k, and its k50.

    Packs of several sizes hold the same sentences, so for the interval blocks of sentences are drawn that are whole packs in every size:
    of 24 sentences for k = 1, 2, 3, 4, 6, 8.
    """
    sizes = sorted(packings)
    kept = [1.0 if size == 1 else _share(*map(bootstrap.corpus_bleu, packings[size])) for size in sizes]
    known = [share for share in kept if share is not None]
    blocked = _blocked(packings)
    blocks = len(blocked[sizes[0]].pack)
    complete = len(known) == len(sizes)
    low, high = _bounds(blocked) if complete and blocks >= FEWEST else (None, None)
    return Capacity(
        sizes=tuple(sizes),
        kept=tuple(kept),
        k50=k50(sizes, known) if complete else None,
        low=low,
        high=high,
        blocks=blocks,
    )


def _share(join: float, pack: float) -> float | None:
    return pack / join if join else None


def _blocked(packings: Mapping[int, Sides]) -> dict[int, Sides]:
    """The counts of blocks of sentences, as many in every size."""
    whole = lcm(*packings)
    blocked = {size: Sides(*(_summed(side, whole // size) for side in packings[size])) for size in sorted(packings)}
    if len({len(side) for sides in blocked.values() for side in sides}) != 1:
        raise UserError(
            f"packs of {', '.join(map(str, blocked))} hold different numbers of sentences: k50 takes the same ones in every size"
        )
    return blocked


def _summed(counted: Counts, packs: int) -> Counts:
    """Sums of this many packs at a time; the last takes what is left."""
    sums: Counts = np.add.reduceat(counted, np.arange(0, len(counted), packs))
    return sums


def _bounds(blocked: Mapping[int, Sides]) -> tuple[Crossing, Crossing]:
    join, pack = (
        np.stack([bootstrap.bleu(bootstrap.resampled(sides[side])) for sides in blocked.values()], axis=1)
        for side in (0, 1)
    )
    # a resample in which not even the join matches anything keeps nothing
    kept = np.divide(pack, join, out=np.zeros_like(pack), where=join > 0)
    sizes = list(blocked)
    low, high = bootstrap.interval(_position(sizes, shares) for shares in kept.tolist())
    return _crossing(sizes, low), _crossing(sizes, high)


def _position(sizes: Sequence[int], kept: Sequence[float]) -> float:
    """Where the share falls to half: the smallest size if it is there already, infinity if it never does."""
    points = sorted((size, 1.0 if size == 1 else share) for size, share in zip(sizes, kept, strict=True))
    if points[0][1] <= HALF:
        return points[0][0]
    for (before, more), (after, less) in pairwise(points):
        if less <= HALF:
            return before + (after - before) * (more - HALF) / (more - less)
    return inf


def _crossing(sizes: Sequence[int], position: float) -> Crossing:
    if position == inf:
        return Crossing(value=None, label=f"> {max(sizes)}")
    return Crossing(value=position, label=f"< {min(sizes)}" if position == min(sizes) else f"{position:.1f}")


def _resampled_cost(join: Counts, pack: Counts) -> Values:
    return bootstrap.bleu(bootstrap.resampled(join)) - bootstrap.bleu(bootstrap.resampled(pack))


def _check(*sides: Counts) -> None:
    """Refuses to compare what was scored against other references, as far as their lengths tell."""
    lengths = [side[:, 1].tolist() for side in sides]
    if any(found != lengths[0] for found in lengths):
        raise UserError(
            "the outputs compared were scored against other references: a cost takes the same sentences in the same packs"
        )
