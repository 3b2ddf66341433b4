from __future__ import annotations

import pytest

from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.flow import Flow, Highway
from nmt.lab.experiments.gradients import (
    EXPERIMENT,
    STEPS,
    Life,
    highway,
    judge_highway,
    judge_vanishing,
    mean,
    vanishing,
)


def life(ratio: float, forget: float | None = None) -> Life:
    """A model whose gradient keeps so much of itself, before training and after, with such a forget gate."""
    way = Highway([ratio, *[1.0] * (STEPS - 2), 0.0], forget, forget**48) if forget else None
    flow = Flow([ratio, *[1.0] * (STEPS - 1)], [ratio, *[1.0] * (STEPS - 1)], way)
    return Life(flow, flow, flow, flow, 1.0)


@pytest.mark.parametrize(
    ("ratios", "verdict"),
    [
        ({"tanh": 1e-9, "lstm-1": 0.1, "lstm-5": 0.7}, "holds"),
        ({"tanh": 1e-9, "lstm-0": 1e-9, "lstm-5": 0.7}, "holds under conditions"),
        ({"tanh": 1e-9, "lstm-0": 1e-9}, "does not hold"),
        ({"tanh": 0.5, "lstm-1": 0.5}, "does not hold"),
        ({"gru": 1e-9, "transformer": 0.5, "lstm-1": 0.5}, None),
    ],
)
def test_gradients_vanish_where_nothing_comes_back(ratios: dict[str, float], verdict: Verdict | None) -> None:
    assert judge_vanishing(ratios) == verdict


@pytest.mark.parametrize(
    ("forget", "verdict"),
    [
        ({"lstm-5": 0.9999}, "holds"),
        ({"lstm-0": 0.5, "lstm-5": 0.9999}, "holds under conditions"),
        ({"lstm-5": 0.999}, "does not hold"),  # 0.37 is left after 1000 steps
    ],
)
def test_a_highway_is_as_unhindered_as_its_forget_gate(forget: dict[str, float], verdict: Verdict) -> None:
    assert judge_highway(forget) == verdict


@pytest.mark.parametrize(
    ("lstm", "words"),
    [(1e-12, "lstm-torch loses at least as much as tanh-torch"), (1e-6, "lstm-torch loses less than tanh-torch")],
)
def test_the_words_about_a_fresh_lstm_follow_the_numbers(lstm: float, words: str) -> None:
    (claim,) = vanishing({"tanh-torch": [life(1e-9)], "lstm-torch": [life(lstm, 0.5)]})
    assert words in claim.number


def test_the_highway_is_foretold_by_the_mean_forget_gate() -> None:
    (claim,) = highway({"tanh": [life(1e-9)], "lstm-5": [life(0.8, 0.99)]})
    assert "f^t is lstm-5 0.62" in claim.number  # 0.99^48
    assert "keeps lstm-5 0.8" in claim.number
    assert highway({"tanh": [life(1e-9)]}) == []


def test_a_mean_of_ratios_is_geometric_and_survives_underflow() -> None:
    assert mean([1e-2, 1e-6]) == pytest.approx(1e-4)
    assert mean([0.0, 1e-6]) == 0.0


def test_the_experiment_reports_every_cell_and_three_claims() -> None:
    told: list[str] = []
    outcome = EXPERIMENT(Options(cells=("tanh", "lstm", "transformer"), seeds=1, updates=1), told.append)
    assert [row[0] for row in outcome.rows] == ["tanh", "lstm-1", "transformer"]
    assert [claim.id for claim in outcome.claims] == ["B3", "C2", "B5"]
    assert len(told) == 3 + 8  # each model, and two optimizers with two gains, clipped and not
    assert outcome.figure is not None
    before, after = outcome.figure().axes
    assert len(before.lines) == len(after.lines) == 3
    assert [len(life["start"]["hidden"]) for life in outcome.details["models"]["lstm-1"]] == [STEPS]
