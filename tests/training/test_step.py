from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from nmt.training.objective import Loss
from nmt.training.step import TrainingStep, Update, train_on


def parameter() -> nn.Parameter:
    return nn.Parameter(torch.tensor([3.0, 4.0]))


def squares(weight: nn.Parameter, tokens: int = 1) -> Loss:
    """Half the sum of squares for each token, whose gradient is the weight itself."""
    loss = tokens * 0.5 * weight.square().sum()
    return Loss(loss, loss, tokens)


def step(weight: nn.Parameter, clip: float | None = None) -> TrainingStep:
    return TrainingStep(torch.optim.SGD([weight], lr=0.0), clip)


def test_the_gradient_is_that_of_the_mean_over_all_tokens() -> None:
    weight = parameter()
    done = step(weight)([squares(weight, 1), squares(weight, 3)], 4, 0.5)
    assert weight.tolist() == [1.5, 2.0]
    assert done == Update(loss=50.0, nll=50.0, tokens=4, norm=5.0, applied=True)
    assert weight.grad is None


def test_a_gradient_above_the_limit_is_scaled_to_it() -> None:
    weight = parameter()
    assert step(weight, clip=1.0)([squares(weight)], 1, 1.0).norm == pytest.approx(5.0)
    assert (parameter() - weight).norm().item() == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("factor", [math.inf, math.nan])
def test_an_update_whose_loss_is_not_finite_leaves_the_weights_and_the_next_gradient_alone(factor: float) -> None:
    weight = parameter()
    each = step(weight)
    loss = squares(weight)
    assert not each([loss._replace(loss=loss.loss * factor)], 1, 1.0).applied
    assert weight.tolist() == [3.0, 4.0]
    assert each([squares(weight)], 1, 1.0) == Update(12.5, 12.5, 1, 5.0, True)


def test_a_loss_is_computed_after_the_backward_pass_of_the_one_before() -> None:
    weight = parameter()
    gradients: list[object] = []

    def losses() -> Iterator[Loss]:
        for _ in range(2):
            gradients.append(None if weight.grad is None else weight.grad.tolist())
            yield squares(weight)

    step(weight)(losses(), 2, 0.0)
    assert gradients == [None, [1.5, 2.0]]


def test_training_follows_the_schedule_until_it_is_stopped() -> None:
    weight, norms = parameter(), list[float]()

    def stop(update: int, done: Update) -> bool:
        norms.append(done.norm)
        return update == 3

    train_on(range(9), lambda _: squares(weight), step(weight), lambda update: 1 - 1 / (update + 1), stop)
    assert norms == pytest.approx([5.0, 2.5, 2.5 / 3])
