from __future__ import annotations

from dataclasses import replace

import pytest

from nmt.lab.experiments.experiment import Verdict
from nmt.lab.experiments.explosion import THRESHOLD, Training, claim, judge, train

STABLE = Training("sgd", 1.5, True, 1, 1.0, 1e5, THRESHOLD, None, 1.0)


def pair(gain: float, optimizer: str = "sgd", *, diverged_at: int | None = None, growth: float = 1.0) -> list[Training]:
    """A training without clipping that ends so, and a stable one with clipping."""
    return [
        replace(STABLE, optimizer=optimizer, gain=gain, clipped=False, diverged_at=diverged_at, growth=growth),
        replace(STABLE, gain=gain),
    ]


@pytest.mark.parametrize(
    ("trainings", "verdict"),
    [
        (pair(1.5, diverged_at=20), "holds"),
        (pair(1.5) + pair(3.0, diverged_at=20), "holds under conditions"),
        (pair(1.5) + pair(3.0, growth=200.0), "holds under conditions"),
        (pair(1.5) + pair(3.0, growth=float("nan")), "holds under conditions"),
        (pair(1.5) + pair(3.0), "does not hold"),
        ([replace(each, diverged_at=9) for each in pair(1.5)], "does not hold"),  # clipping did not prevent it
        (
            [replace(each, largest_used=1.1) for each in pair(1.5, diverged_at=20)],
            "does not hold",
        ),  # clipping did not clip
    ],
)
def test_the_verdict_follows_what_clipping_prevents(trainings: list[Training], verdict: Verdict) -> None:
    assert judge(trainings) == verdict


def test_norms_are_clipped_to_the_threshold_and_weights_hardly_change() -> None:
    unclipped, clipped = (train("sgd", 3.0, clip, seed=1, updates=2) for clip in (False, True))
    assert unclipped.largest_used == pytest.approx(unclipped.largest_norm, rel=1e-5)
    assert clipped.largest_norm > THRESHOLD
    assert clipped.largest_used <= THRESHOLD + 1e-6
    assert clipped.growth == pytest.approx(1.0, abs=0.1)  # two steps of at most 0.1 against a norm of 24


def test_the_claim_counts_the_seeds_that_diverge() -> None:
    found = claim([*pair(1.5, diverged_at=20), *pair(1.5)], 200)
    assert (found.id, found.verdict) == ("B5", "does not hold")  # one seed of two
    assert "not clipped 1 of 2 seeds diverge" in found.number
    assert ", clipped 0 of 2 seeds diverge" in found.number
