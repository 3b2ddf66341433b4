"""The cost of concatenation: BLEU of sentences translated one by one, less BLEU of k of them translated at once.

Both sides are scored against the same concatenated references, and only equal k are compared: concatenation adds
n-grams across sentences, so BLEU changes with k by itself. Intervals and p-values are over test sentences; the spread
over seeds shows the effect of training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import inf, lcm
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.evaluation import bootstrap
from nmt.evaluation.bootstrap import Counts, Values

HALF = 0.5
"""The share of BLEU kept that defines `k50`."""
FEWEST = 20
"""With fewer blocks of sentences to draw from, the ends of an interval depend on single blocks, and none is given."""


class Sides(NamedTuple):
    """One trained model at one k: `bootstrap.counts` of both sides, ``(concatenated sentences, 10)`` each."""

    one_by_one: Counts
    concatenated: Counts


@dataclass(frozen=True, kw_only=True)
class Cost:
    """BLEU of both sides; ``low`` and ``high`` bound the 95 % interval of `value` over ``items`` of the test set."""

    items: int
    one_by_one: float
    concatenated: float
    low: float
    high: float

    @property
    def value(self) -> float:
        """BLEU lost; negative where concatenation gains."""
        return self.one_by_one - self.concatenated

    @property
    def kept(self) -> float | None:
        """The share of BLEU kept; None where one by one scores 0."""
        return _share(self.one_by_one, self.concatenated)

    def as_json(self) -> JsonObject:
        """The fields, `value` and `kept`, ready for JSON."""
        return {**asdict(self), "value": self.value, "kept": self.kept}


@dataclass(frozen=True, kw_only=True)
class SeedEffect:
    """The effect in one pair of trained models, with its 95 % interval and two-sided `p_value` over test items."""

    seed: int
    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A number over seeds. ``deviation`` is the standard deviation of a sample (n - 1), None for a single seed."""

    count: int
    mean: float
    smallest: float
    largest: float
    deviation: float | None


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The cost of one system minus that of another: in each seed, and over seeds."""

    items: int
    seeds: tuple[SeedEffect, ...]

    @property
    def over_seeds(self) -> Spread:
        """The spread of the effects, without their intervals."""
        return spread([seed.value for seed in self.seeds])

    def as_json(self) -> JsonObject:
        """The fields and `over_seeds`, ready for JSON."""
        return {**asdict(self), "over_seeds": asdict(self.over_seeds)}


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """A k50, labelled 3.4, > 8 (None, beyond the largest k) or < 2 (half is lost at the smallest k already)."""

    value: float | None
    label: str


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """The share kept at each size, and k50 with the bounds of its 95 % interval.

    The interval is drawn from ``blocks`` of sentences, and is missing if they are fewer than `FEWEST`; there is no k50
    if one by one scores 0.
    """

    sizes: tuple[int, ...]
    kept: tuple[float | None, ...]
    k50: Crossing | None
    low: Crossing | None
    high: Crossing | None
    blocks: int

    def as_json(self) -> JsonObject:
        """The fields, ready for JSON."""
        return asdict(self)


def cost(one_by_one: Counts, concatenated: Counts) -> Cost:
    """The cost of concatenation in one trained model at one k."""
    _check(one_by_one, concatenated)
    low, high = bootstrap.interval(_resampled_cost(one_by_one, concatenated).tolist())
    scores = [bootstrap.corpus_bleu(side) for side in (one_by_one, concatenated)]
    return Cost(items=len(concatenated), one_by_one=scores[0], concatenated=scores[1], low=low, high=high)


def effect(of: Mapping[int, Sides], against: Mapping[int, Sides]) -> Effect:
    """The cost of one system minus that of another at the same k, seed by seed.

    Paired bootstrap: in each resample both sides of both models hold the same items.
    """
    if not of or of.keys() != against.keys():
        raise UserError(f"an effect takes the same seeds of both systems, found {sorted(of)} and {sorted(against)}")
    _check(*(side for system in (of, against) for sides in system.values() for side in sides))
    items = len(next(iter(of.values())).concatenated)
    return Effect(items=items, seeds=tuple(_effect(seed, of[seed], against[seed]) for seed in sorted(of)))


def _effect(seed: int, of: Sides, against: Sides) -> SeedEffect:
    costs = [
        bootstrap.corpus_bleu(sides.one_by_one) - bootstrap.corpus_bleu(sides.concatenated) for sides in (of, against)
    ]
    value, resampled = costs[0] - costs[1], _resampled_cost(*of) - _resampled_cost(*against)
    low, high = bootstrap.interval(resampled.tolist())
    return SeedEffect(seed=seed, value=value, low=low, high=high, p_value=bootstrap.p_value(value, resampled))


def spread(values: Sequence[float]) -> Spread:
    """Mean, range and standard deviation of a number over seeds."""
    deviation = stdev(values) if len(values) > 1 else None
    return Spread(count=len(values), mean=fmean(values), smallest=min(values), largest=max(values), deviation=deviation)


def k50(sizes: Sequence[int], kept: Sequence[float]) -> Crossing:
    """The k at which half of the BLEU is kept, interpolated linearly where the share first falls to half.

    At k = 1 the share is 1 by definition.
    """
    return _crossing(sizes, _position(sizes, kept))


def capacity(sides: Mapping[int, Sides]) -> Capacity:
    """The shares that one trained model keeps at each k, and its k50.

    All sizes hold the same sentences, so the interval is drawn from blocks of sentences that every size divides: blocks
    of 24 sentences for k = 1, 2, 3, 4, 6, 8.
    """
    sizes = sorted(sides)
    kept = [1.0 if size == 1 else _share(*map(bootstrap.corpus_bleu, sides[size])) for size in sizes]
    known = [share for share in kept if share is not None]
    blocked = _blocked(sides)
    blocks = len(blocked[sizes[0]].concatenated)
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


def _share(one_by_one: float, concatenated: float) -> float | None:
    return concatenated / one_by_one if one_by_one else None


def _blocked(sides: Mapping[int, Sides]) -> dict[int, Sides]:
    """The counts of blocks of sentences, the same number in every size."""
    whole = lcm(*sides)
    blocked = {size: Sides(*(_summed(side, whole // size) for side in sides[size])) for size in sorted(sides)}
    if len({len(side) for both in blocked.values() for side in both}) != 1:
        sizes = ", ".join(map(str, blocked))
        raise UserError(f"k = {sizes} hold different numbers of sentences: k50 needs the same sentences in every size")
    return blocked


def _summed(counted: Counts, items: int) -> Counts:
    """Sums of this many items at a time; the last takes the rest."""
    sums: Counts = np.add.reduceat(counted, np.arange(0, len(counted), items))
    return sums


def _bounds(blocked: Mapping[int, Sides]) -> tuple[Crossing, Crossing]:
    one_by_one, concatenated = (
        np.stack([bootstrap.bleu(bootstrap.resampled(both[side])) for both in blocked.values()], axis=1)
        for side in (0, 1)
    )
    # a resample in which one by one scores 0 keeps nothing
    kept = np.divide(concatenated, one_by_one, out=np.zeros_like(concatenated), where=one_by_one > 0)
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


def _resampled_cost(one_by_one: Counts, concatenated: Counts) -> Values:
    return bootstrap.bleu(bootstrap.resampled(one_by_one)) - bootstrap.bleu(bootstrap.resampled(concatenated))


def _check(*sides: Counts) -> None:
    """Refuses sides scored against other references, as far as the reference lengths show it."""
    lengths = [side[:, 1].tolist() for side in sides]
    if any(found != lengths[0] for found in lengths):
        raise UserError(
            "outputs were scored against different references: a cost needs the same concatenated sentences"
        )
