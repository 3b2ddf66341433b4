from __future__ import annotations

import numpy as np
import pytest

from nmt.lab.experiments.intervals import auc, bootstrap, wilson


def test_wilsons_bounds_solve_the_equation_of_the_score() -> None:
    found = wilson(81, 263)
    for bound in (found.low, found.high):
        assert abs(found.value - bound) == pytest.approx(1.959964 * (bound * (1 - bound) / 263) ** 0.5)


@pytest.mark.parametrize(("right", "low", "high"), [(0, 0.0, 0.12), (30, 0.88, 1.0)])
def test_wilsons_interval_has_a_width_where_all_or_none_are_right(right: int, low: float, high: float) -> None:
    found = wilson(right, 30)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.01)


def test_a_bootstrap_of_many_examples_approaches_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, 400)
    found, error = bootstrap(values), values.std() / 20
    assert found.value == values.mean()
    assert (found.low, found.high) == pytest.approx(
        (found.value - 1.96 * error, found.value + 1.96 * error), abs=0.1 * error
    )


def test_auc_counts_the_pairs_in_order_and_half_of_the_ties() -> None:
    group, others = np.random.default_rng(1).integers(5, size=30), np.random.default_rng(2).integers(4, size=20)
    pairs = [(a > b) + (a == b) / 2 for a in group for b in others]
    assert auc(group, others) == pytest.approx(np.mean(pairs))
