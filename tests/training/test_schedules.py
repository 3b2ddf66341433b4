from __future__ import annotations

import math
from itertools import pairwise

import pytest

from nmt.training.schedules import SCHEDULES, learning_rate

PEAK, WARMUP, TOTAL = 2e-3, 100, 1000


def rate(schedule: str, update: int, warmup: int = WARMUP, drops: int = 0) -> float:
    return learning_rate(schedule, update, peak=PEAK, warmup=warmup, total=TOTAL, factor=0.5, drops=drops)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_rises_in_equal_steps_to_the_peak(schedule: str) -> None:
    assert [rate(schedule, update) for update in (1, 25, 50, 100)] == pytest.approx(
        [PEAK / 100, PEAK / 4, PEAK / 2, PEAK]
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_never_rises_after_the_warm_up_and_never_jumps(schedule: str) -> None:
    rates = [rate(schedule, update) for update in range(WARMUP, TOTAL + 1)]
    assert all(0 <= before - after <= PEAK / 100 for before, after in pairwise(rates))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_without_warm_up_the_first_update_is_at_the_peak(schedule: str) -> None:
    assert rate(schedule, 1, warmup=0) == pytest.approx(PEAK, rel=1e-5)  # the cosine has taken one step of its 1000


def test_inverse_square_root_halves_when_the_updates_are_fourfold() -> None:
    assert rate("inverse_sqrt", 400) == pytest.approx(PEAK / 2)


def test_the_cosine_is_half_way_down_in_the_middle_and_0_at_the_end_and_after() -> None:
    assert rate("cosine", 550) == pytest.approx(PEAK / 2)
    assert rate("cosine", 325) == pytest.approx(PEAK * (1 + math.sqrt(0.5)) / 2)
    assert [rate("cosine", update) for update in (TOTAL, TOTAL + 50)] == [0, 0]


def test_the_plateau_is_multiplied_once_for_every_drop() -> None:
    assert [rate("plateau", 500, drops=drops) for drops in (0, 1, 3)] == pytest.approx([PEAK, PEAK / 2, PEAK / 8])


def test_drops_change_no_other_schedule() -> None:
    others = [schedule for schedule in SCHEDULES if schedule != "plateau"]
    assert [rate(schedule, 500, drops=3) for schedule in others] == [rate(schedule, 500) for schedule in others]


def test_the_constant_rate_stays() -> None:
    assert rate("constant", TOTAL) == PEAK


def test_warm_up_may_take_the_whole_training() -> None:
    assert rate("cosine", TOTAL, warmup=TOTAL) == PEAK


def test_an_unknown_schedule_is_named_with_what_was_expected() -> None:
    with pytest.raises(
        ValueError, match=r"training\.schedule: expected one of constant, inverse_sqrt, cosine, plateau, found 'linear'"
    ):
        rate("linear", 1)
