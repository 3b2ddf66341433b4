from __future__ import annotations

import json
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch

from nmt.lab.experiments import parameters, reversal
from nmt.lab.experiments.experiment import Options
from nmt.lab.experiments.intervals import student
from nmt.lab.experiments.learning import FIRST_TOKEN
from nmt.lab.experiments.parameters import EXPERIMENT, STACKS, Results
from nmt.lab.experiments.reversal import Losses, Score, Shape, reversing, strings
from nmt.lab.plotting import style
from nmt.models.cells import Cell

SEEDS = (-0.1, 0.0, 0.1)


def measured(
    *,
    gru: float = 40.0,
    lstm: float = 40.0,
    speed: float = 1.1,
    gap: float = 0.5,
    trained: float = 0.5,
    second: float = 0.4,
    deep: float = 0.6,
    residual: float = 0.2,
) -> Results:
    """Three seeds of scores around these; with one layer the LSTM has loss 0.5, and tanh losses 0.5 and 0.7 and 1 s."""
    losses = {Shape("lstm"): 0.5, Shape("gru"): 0.5, Shape("tanh"): 0.9} | dict(
        zip((Shape("lstm", *stack) for stack in STACKS), (second, second, deep, residual), strict=True)
    )
    exact = {"lstm": lstm, "gru": gru, "tanh": 10.0}
    return Results(
        {
            shape: [Score(exact[shape.cell] + noise, loss + noise / 100) for noise in SEEDS]
            for shape, loss in losses.items()
        },
        {cell: [Losses(trained, trained + gap + noise / 100) for noise in SEEDS] for cell in ("lstm", "gru")}
        | {"tanh": [Losses(0.5, 0.7)] * 3},
        {
            hidden: {"lstm": [2.0, 2.1], "gru": [2.0 * speed, 2.1 * speed], "tanh": [1.0, 1.0]}
            for hidden in parameters.TIMED
        },
    )


def test_targets_are_the_sources_from_the_end_and_lengths_are_those_stated() -> None:
    drawn = strings(np.random.default_rng(1), 500)
    assert {len(each) for each in drawn} == set(range(reversal.SHORTEST, reversal.LONGEST + 1))
    assert {letter for each in drawn for letter in each} == set(range(FIRST_TOKEN, FIRST_TOKEN + reversal.LETTERS))
    batch = reversing(drawn)
    for source, mask, expected in zip(batch.source, batch.source_mask, batch.expected, strict=True):
        length = int(mask.sum()) - 1  # the end token stays at the end
        assert torch.equal(expected[:length], source[:length].flip(0))


def test_no_string_that_is_held_out_is_trained_on() -> None:
    first = strings(np.random.default_rng(1), 50)
    again = strings(np.random.default_rng(1), 50, without=frozenset(first[:20]))
    assert again[:30] == first[20:]
    assert not set(again) & set(first[:20])


def test_a_gru_layer_has_exactly_three_quarters_of_an_lstm_layers_parameters() -> None:
    """At 64/64 each gate has a matrix for the input, one for the state, and two biases."""
    gru, lstm = (parameters.layer_parameters(cell) for cell in ("gru", "lstm"))
    assert all(4 * gru[width] == 3 * lstm[width] for width in gru)
    assert (gru["64/64"], lstm["64/64"]) == (3 * (2 * 64 * 64 + 2 * 64), 4 * (2 * 64 * 64 + 2 * 64)) == (24960, 33280)


def test_recurrent_parameters_are_those_of_encoder_and_decoder_cells() -> None:
    one = parameters.recurrent_parameters(Shape("gru").model(1))
    encoder, decoder = Cell("gru", 32, 64), Cell("gru", 32 + 64, 64)
    assert one == sum(parameter.numel() for cell in (encoder, decoder) for parameter in cell.parameters())


def test_the_interval_is_students() -> None:
    """For 1, 2, 3 the deviation is 1 and the quantile with 2 degrees of freedom 4.303."""
    found = student([1.0, 2.0, 3.0])
    assert (found.value, found.high - found.value) == pytest.approx((2.0, 4.303 / 3**0.5))
    assert (student([1.0]).low, student([1.0]).high) == (-float("inf"), float("inf"))


@pytest.mark.parametrize(
    ("results", "words", "verdict"),
    [
        (measured(), "the same within 2 points", "holds under conditions"),
        (measured(speed=0.6), "0.60 (0.60 to 0.60 in rounds", "holds under conditions"),
        (measured(gru=50.0), "the GRU is better", "does not hold"),
        (measured(gru=30.0), "the GRU is worse", "does not hold"),
        (measured(gru=0.0, lstm=0.0), "no significant difference", "not answered"),
    ],
)
def test_fewer_faster_and_as_accurate_are_judged_apart(results: Results, words: str, verdict: str) -> None:
    claim = parameters.claim_c6(results)
    assert claim.verdict == verdict
    assert words in claim.number
    assert "25.00 % fewer" in claim.number


def test_c6_holds_for_a_layer_that_is_smaller_and_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "layer_parameters", lambda cell: {"64/64": {"gru": 70, "lstm": 100}[cell]})
    assert parameters.claim_c6(measured(speed=0.6)).verdict == "holds"


@pytest.mark.parametrize(
    ("gap", "trained", "speed", "verdict"),
    [
        (0.5, 0.5, 1.1, "holds"),
        (0.5, 0.1, 1.1, "holds under conditions"),  # the gap is wider, and the held-out loss lower all the same
        (0.1, 0.7, 1.1, "holds under conditions"),
        (0.1, 0.7, 0.4, "does not hold"),
    ],
)
def test_gates_cost_time_and_overfit_only_if_both_are_measured(
    gap: float, trained: float, speed: float, verdict: str
) -> None:
    assert parameters.claim_c7(measured(gap=gap, trained=trained, speed=speed)).verdict == verdict


@pytest.mark.parametrize(
    ("second", "residual", "verdict"),
    [
        (0.4, 0.2, "holds"),
        (0.4, 0.7, "holds under conditions"),
        (0.6, 0.7, "does not hold"),
        (0.5, 0.6, "does not hold"),
    ],
)
def test_depth_and_residuals_are_judged_apart(second: float, residual: float, verdict: str) -> None:
    assert parameters.claim_d3(measured(second=second, residual=residual)).verdict == verdict


def test_scores_of_one_seed_support_no_claim() -> None:
    results = measured(second=0.1)
    first = Results(
        {key: each[:1] for key, each in results.scores.items()},
        {key: each[:1] for key, each in results.losses.items()},
        results.seconds,
    )
    assert parameters.claim_d3(first).verdict == "does not hold"
    assert "one seed" in parameters.claim_d3(first).number


def test_a_tiny_run_gives_a_row_for_every_model_and_only_the_claims_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TIMED": (64,), "ROUNDS": 1, "UPDATES": 1, "HELD_OUT": 20, "FEW": 8, "BATCH": 2}.items():
        monkeypatch.setattr(parameters, name, value)
    notices: list[str] = []
    outcome = EXPERIMENT(Options(cells=("gru", "lstm"), seeds=2, updates=1), notices.append)
    assert [row[0] for row in outcome.rows] == [
        shape.name for shape in (Shape("gru"), Shape("lstm"), *(Shape("gru", *stack) for stack in STACKS))
    ]
    assert [claim.id for claim in outcome.claims] == ["C6", "D3"]
    assert len(notices) == 2 * (6 + 2)
    scores = json.loads(json.dumps(outcome.as_json()))["details"]["scores"]["gru, 4 layers, residual"]
    assert outcome.rows[5][8] == pytest.approx(fmean(score["loss"] for score in scores))
    assert outcome.figure is not None
    assert "</svg>" in style.svg(outcome.figure())


def test_models_that_reverse_no_string_answer_no_claim() -> None:
    found = measured()
    unlearned = replace(found, scores={shape: [Score(0.4, 2.0)] * len(SEEDS) for shape in found.scores})
    for claim in (parameters.claim_c6, parameters.claim_c7, parameters.claim_d3):
        assert claim(unlearned).verdict == "not answered"
