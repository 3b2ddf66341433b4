"""95 % intervals of shares and means, and the area under the ROC curve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""
RESAMPLES = 2000
QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
"""The 97.5 % quantiles of Student's t for 1 to 9 degrees of freedom; with more, the last one gives a wider interval."""


class Interval(NamedTuple):
    """A value and the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(right: int, count: int) -> Interval:
    """The interval of a share by Wilson's score (1927), which stays within 0..1 and has a width at 0 and 1 too."""
    share, spread = right / count, Z * Z / count
    centre = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))


def bootstrap(values: Sequence[float] | np.ndarray, seed: int = 0) -> Interval:
    """The interval of the mean of independent examples by the percentile bootstrap (Efron 1979)."""
    given = np.asarray(values, float)
    picked = np.random.default_rng(seed).integers(len(given), size=(RESAMPLES, len(given)))
    low, high = np.percentile(given[picked].mean(1), [2.5, 97.5])
    return Interval(float(given.mean()), float(low), float(high))


def student(values: Sequence[float]) -> Interval:
    """The interval of the mean over seeds by Student's t; infinite for a single seed."""
    freedom = len(values) - 1
    half = QUANTILES[min(freedom, len(QUANTILES)) - 1] * stdev(values) / math.sqrt(len(values)) if freedom else math.inf
    return Interval(fmean(values), fmean(values) - half, fmean(values) + half)


def auc(group: np.ndarray, others: np.ndarray) -> float:
    """The probability that a value of the group exceeds one of the others, ties counted half."""
    ordered = np.sort(others)
    below, not_above = np.searchsorted(ordered, group, "left"), np.searchsorted(ordered, group, "right")
    return float((below + not_above).mean() / (2 * len(others)))
