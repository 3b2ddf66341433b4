"""Contrasts: a gate where something happens against the same gate elsewhere in the same stories."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from nmt.lab.experiments.intervals import Interval, auc, bootstrap


class Contrast(NamedTuple):
    """A gate at an event and elsewhere, at the filler words of the same stories or at another event; the area is that of single positions."""

    there: float
    elsewhere: float
    difference: Interval
    auc: float


def contrast(values: np.ndarray, kinds: np.ndarray, kind: str, other: str = "filler") -> Contrast:
    """Values ``(story, time)`` at one kind of position against another, over the stories that have both."""
    at, rest = kinds == kind, kinds == other
    told = at.any(1) & rest.any(1)
    there, elsewhere = ((values * where).sum(1)[told] / where.sum(1)[told] for where in (at, rest))
    return Contrast(
        float(there.mean()), float(elsewhere.mean()), bootstrap(there - elsewhere), auc(values[at], values[rest])
    )


def closing_unit(gate: np.ndarray, kinds: np.ndarray, kind: str, other: str) -> tuple[int, Contrast]:
    """The unit of a gate ``(story, time, hidden)`` that is furthest closed at one kind of position against another: chosen on half of the
    stories, so that its choice proves nothing, and measured on the others."""
    half = len(gate) // 2
    means = [gate[:half][kinds[:half] == each].mean(0) for each in (kind, other)]
    unit = int((means[0] - means[1]).argmin())
    return unit, contrast(gate[half:, :, unit], kinds[half:], kind, other)
