from __future__ import annotations

import numpy as np
import pytest

from nmt.data.vocabulary import EOS
from nmt.lab.experiments import gaps
from nmt.lab.experiments.experiment import Options
from nmt.lab.experiments.gaps import (
    ASK,
    COUNTRIES,
    EXPERIMENT,
    FACT,
    FILLER,
    GAPS,
    IDENTIFIERS,
    KNOWN,
    MARK,
    SYMBOLS,
    TASKS,
    TRAINED,
    Measurement,
    Shares,
    claims,
    draw_batch,
    draw_gap,
    reach,
)

ALL: Shares = (1.0,) * 6
NEAR: Shares = (1.0, 1.0, 0.95, 0.5, 0.2, 0.0)
TRAINED_ONLY: Shares = (1.0, 1.0, 1.0, 0.9, 0.6, 0.1)
NONE: Shares = (0.0,) * 6


@pytest.mark.parametrize(("name", "tokens"), [("identifier", 3), ("fluent", 1)])
@pytest.mark.parametrize("gap", [0, 7])
def test_a_source_is_mark_fact_fillers_and_question(name: str, tokens: int, gap: int) -> None:
    batch = draw_batch(np.random.default_rng(1), TASKS[name], gap, 16, training=True)
    assert batch.source.shape == (16, 1 + tokens + gap + 1 + 1)
    assert {(row[0], *row[-2:]) for row in batch.source.tolist()} == {(MARK, ASK, EOS)}
    fillers = batch.source[:, 1 + tokens : 1 + tokens + gap]
    assert bool(((fillers >= FILLER) & (fillers < FACT)).all())
    assert int(batch.source.max()) < TASKS[name].vocabulary


def test_the_answer_to_an_identifier_is_that_identifier() -> None:
    batch = draw_batch(np.random.default_rng(1), TASKS["identifier"], 4, 16, training=False)
    assert batch.expected[:, :-1].tolist() == batch.source[:, 1:4].tolist()


def test_a_country_decides_its_own_language() -> None:
    batch = draw_batch(np.random.default_rng(1), TASKS["fluent"], 4, 400, training=False)
    pairs = {
        (country, language)
        for country, language in zip(batch.source[:, 1].tolist(), batch.expected[:, 0].tolist(), strict=True)
    }
    assert {country for country, _ in pairs} == set(range(FACT, FACT + COUNTRIES))
    assert {language for _, language in pairs} == set(range(FACT + COUNTRIES, FACT + 2 * COUNTRIES))
    assert len(pairs) == COUNTRIES


@pytest.mark.parametrize("training", [True, False])
def test_training_and_test_share_no_identifier(training: bool) -> None:
    symbols = (
        draw_batch(np.random.default_rng(1), TASKS["identifier"], 0, 500, training=training).expected[:, :3].numpy()
        - FACT
    )
    numbers = set(np.ravel_multi_index(tuple(symbols.T), (SYMBOLS,) * 3).tolist())
    assert numbers <= set(IDENTIFIERS[:KNOWN].tolist() if training else IDENTIFIERS[KNOWN:].tolist())


def test_gaps_of_training_reach_from_none_to_the_longest_and_half_are_short() -> None:
    generator = np.random.default_rng(1)
    drawn = [draw_gap(generator) for _ in range(3000)]
    assert set(drawn) == set(range(TRAINED + 1))
    assert 0.4 < np.mean(np.array(drawn) <= 3) < 0.6


@pytest.mark.parametrize(
    ("shares", "expected"),
    [(ALL, 100), (NEAR, 10), (TRAINED_ONLY, 20), (NONE, None), ((1.0, 0.5, 1.0, 1.0, 1.0, 1.0), 0)],
)
def test_a_gap_is_reached_only_if_all_shorter_ones_are(shares: Shares, expected: int | None) -> None:
    assert reach(shares) == expected


@pytest.mark.parametrize(
    ("plain", "gated", "expected"),
    [
        ([NEAR, NONE], [TRAINED_ONLY, ALL], "holds"),
        ([NEAR, NEAR], [NEAR, ALL], "holds under conditions"),
        ([TRAINED_ONLY], [ALL], "holds under conditions"),
        ([ALL], [ALL], "does not hold"),
        ([NEAR], [NONE], "does not hold"),
        ([NONE, NONE], [NONE, NONE], "not answered"),
    ],
)
def test_the_verdict_on_gates_follows_from_how_far_both_networks_reach(
    plain: list[Shares], gated: list[Shares], expected: str
) -> None:
    (claim,) = claims({"fluent": {"tanh": Measurement(1, plain), "lstm": Measurement(2, gated)}})
    assert (claim.id, claim.verdict) == ("B7", expected)


@pytest.mark.parametrize(
    ("lstm", "attention", "expected"),
    [
        ([ALL], [ALL], "holds"),
        ([NEAR], [ALL], "holds under conditions"),
        ([NONE, NONE], [TRAINED_ONLY, ALL], "holds under conditions"),
        ([NEAR, ALL], [ALL, NEAR], "does not hold"),
        ([NONE], [NEAR], "does not hold"),
        ([NONE], [NONE], "not answered"),
    ],
)
def test_the_verdict_on_copying_follows_from_the_longest_gap_of_each_model(
    lstm: list[Shares], attention: list[Shares], expected: str
) -> None:
    (claim,) = claims({"identifier": {"lstm": Measurement(1, lstm), "attention": Measurement(2, attention)}})
    assert (claim.id, claim.verdict) == ("B8", expected)


def test_no_claim_is_judged_without_the_models_that_it_compares() -> None:
    assert claims({"fluent": {"lstm": Measurement(1, [ALL])}}) == ()


def test_the_experiment_reports_every_model_at_every_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "EXAMPLES", 8)
    said = list[str]()
    outcome = EXPERIMENT(Options(cells=("tanh", "lstm"), seeds=2, updates=2), said.append)
    assert [row[:2] for row in outcome.rows] == [
        (task, cell) for task in ("identifier", "fluent") for cell in ("tanh", "lstm")
    ]
    assert np.shape(outcome.details["fluent"]["lstm"]["seeds"]) == (2, len(GAPS))
    assert [claim.id for claim in outcome.claims] == ["B7", "B8"]
    assert (len(said), outcome.conditions["updates"]) == (8, 2)
    assert outcome.figure is not None
    assert len(outcome.figure().axes) == 2


def test_one_task_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "EXAMPLES", 8)
    outcome = EXPERIMENT(Options(cells=("tanh",), seeds=1, updates=1, task="fluent"), lambda _: None)
    assert [row[0] for row in outcome.rows] == ["fluent"]
