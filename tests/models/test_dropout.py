from __future__ import annotations

import pytest
import torch

from nmt.models.dropout import Dropout

COUNT = 1 << 18
ONES = torch.ones(COUNT)


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
def test_the_kept_share_and_the_mean_are_right(probability: float) -> None:
    """Of 262,144 draws the kept share has a deviation below 0.001 and the mean, at 0.9, of 0.006; a byte rounds a
    probability by at most 0.002. So the margins are over five deviations, which chance passes once in millions, and the
    seed is fixed."""
    torch.manual_seed(0)
    dropped = Dropout(probability)(ONES)
    assert abs(float((dropped != 0).float().mean()) - (1 - probability)) < 0.007
    assert abs(float(dropped.mean()) - 1) < 0.03
    assert len(dropped.unique()) == 2


def test_the_eight_bytes_of_a_draw_decide_alike() -> None:
    """Each place has 32,768 draws, a deviation of 0.0028: the margin is five of them."""
    torch.manual_seed(0)
    shares = (Dropout(0.5)(ONES) != 0).float().view(-1, 8).mean(0)
    assert (shares - 0.5).abs().max() < 0.014


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    kept = (Dropout(0.5)(ONES) != 0).float() - 0.5
    for distance in range(1, 17):
        correlation = 4 * (kept[distance:] * kept[:-distance]).mean()
        assert abs(float(correlation)) < 0.01  # five deviations of 1/512


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (2, 3, 7), (0, 4)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_any_shape_and_precision_stays_what_it_is(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    inputs = torch.ones(shape, dtype=dtype)
    dropped = Dropout(0.25)(inputs)
    assert (dropped.shape, dropped.dtype) == (inputs.shape, inputs.dtype)


def test_the_gradient_goes_where_the_activation_went() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(1000, requires_grad=True)
    dropped = Dropout(0.3)(inputs)
    dropped.sum().backward()
    assert inputs.grad is not None
    torch.testing.assert_close(inputs.grad * inputs, dropped)


def test_evaluation_and_probability_0_change_nothing() -> None:
    assert Dropout(0.5).eval()(ONES) is ONES
    assert Dropout(0.0)(ONES) is ONES


def test_the_same_seed_drops_the_same() -> None:
    torch.manual_seed(5)
    first, second = Dropout(0.5)(ONES), Dropout(0.5)(ONES)
    assert not torch.equal(first, second)
    torch.manual_seed(5)
    assert torch.equal(Dropout(0.5)(ONES), first)


def test_a_restored_generator_drops_what_would_have_come_next() -> None:
    torch.manual_seed(5)
    Dropout(0.5)(ONES)
    state = torch.get_rng_state()
    expected = Dropout(0.5)(ONES)
    torch.manual_seed(6)
    torch.set_rng_state(state)
    assert torch.equal(Dropout(0.5)(ONES), expected)


def test_a_probability_next_to_1_still_keeps_something() -> None:
    torch.manual_seed(0)
    dropped = Dropout(0.9999)(ONES)
    assert dropped.isfinite().all()
    assert dropped.any()


@pytest.mark.parametrize("probability", [-0.1, 1.0, float("nan")])
def test_a_number_that_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"model\.dropout: expected a probability of at least 0 and below 1"):
        Dropout(probability)
