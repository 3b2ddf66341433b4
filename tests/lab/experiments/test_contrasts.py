from __future__ import annotations

import numpy as np
import pytest

from nmt.lab.experiments.contrasts import closing_unit, contrast

KINDS = np.array(
    [["filler", "dies", "filler", "name"], ["filler", "filler", "dies", "dies"], ["filler", "filler", "name", "name"]]
)


def test_a_contrast_compares_within_the_stories_that_have_the_event() -> None:
    values = np.array([[0.2, 0.9, 0.4, 5.0], [0.1, 0.3, 0.5, 0.7], [9.0, 9.0, 9.0, 9.0]])
    found = contrast(values, KINDS, "dies")
    assert (found.there, found.elsewhere) == pytest.approx(((0.9 + 0.6) / 2, (0.3 + 0.2) / 2))
    assert found.difference.value == pytest.approx((0.6 + 0.4) / 2)
    assert found.difference.low == pytest.approx(0.4)
    assert found.difference.high == pytest.approx(0.6)


def test_the_closing_unit_is_measured_on_stories_that_did_not_choose_it() -> None:
    kinds = np.repeat(KINDS[:1], 40, 0)
    gate = np.full((40, 4, 3), 0.5)
    gate[:20, 1, 2] = 0.0  # unit 2 closes at deaths in the first half alone
    unit, found = closing_unit(gate, kinds, "dies", "filler")
    assert unit == 2
    assert found.difference == (0.0, 0.0, 0.0)


def test_the_unit_that_closes_is_chosen_over_those_that_open_further() -> None:
    gate = np.full((40, 4, 3), 0.5)
    gate[:, 1] = 1.0, 0.5, 0.1
    unit, found = closing_unit(gate, np.repeat(KINDS[:1], 40, 0), "dies", "filler")
    assert (unit, found.auc) == (2, 0.0)
    assert found.difference.value == pytest.approx(-0.4)
