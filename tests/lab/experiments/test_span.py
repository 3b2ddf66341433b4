from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from nmt.data.vocabulary import EOS
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN, DrawBatch
from nmt.lab.experiments.span import (
    BATCH,
    BLANK,
    COPIED,
    EXPERIMENT,
    LENGTHS,
    TASKS,
    VOCABULARY,
    Task,
    adding,
    copy,
    judge,
    recall,
    scores_by_length,
    share_explained,
    share_right,
    span,
)
from nmt.models.protocol import TranslationModel
from nmt.training.objective import objective


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def oracle(logits: torch.Tensor) -> TranslationModel:
    """A stand-in for a model that always gives these logits."""
    return cast("TranslationModel", lambda *given: logits)


def test_recall_asks_for_the_first_of_the_stated_number_of_tokens() -> None:
    batch = recall(6, 50)(generator())
    assert batch.source.shape == (50, 7)
    assert bool((batch.source[:, -1] == EOS).all())
    assert bool(((batch.source[:, :-1] >= FIRST_TOKEN) & (batch.source[:, :-1] < BLANK)).all())
    assert batch.expected.tolist() == [[first, EOS] for first in batch.source[:, 0].tolist()]


def test_what_recall_asks_for_cannot_be_told_from_the_tokens_after_it() -> None:
    batch = recall(3, 4000)(generator())
    same = (batch.source[:, 0] == batch.source[:, 1]).float().mean().item()
    assert same == pytest.approx(1 / 8, abs=0.03)  # five standard errors


def test_copy_asks_for_the_tokens_before_the_blanks() -> None:
    batch = copy(20, 30)(generator())
    assert batch.source.shape == (30, COPIED + 20 + 1)
    assert bool((batch.source[:, COPIED:-1] == BLANK).all())
    assert torch.equal(batch.expected[:, :-1], batch.source[:, :COPIED])


@pytest.mark.parametrize("time", [5, 10])
def test_adding_marks_one_number_in_each_half_and_expects_their_sum(time: int) -> None:
    batch = adding(time, 200)(generator())
    numbers, marks = batch.source.unbind(-1)
    assert batch.source.shape == (200, time, 2)
    assert bool((marks[:, : time // 2].sum(1) == 1).all() and (marks[:, time // 2 :].sum(1) == 1).all())
    torch.testing.assert_close((numbers * marks).sum(1, keepdim=True), batch.expected)


def test_the_error_of_always_answering_one_explains_nothing_and_a_tenth_of_it_explains_nine_tenths() -> None:
    batch = adding(10, 20_000)(generator())
    always_one, close = torch.ones(20_000, 1, 3), batch.expected.unsqueeze(-1) + (1 / 60) ** 0.5
    explained = [share_explained(oracle(answer), batch) for answer in (always_one, close)]
    assert explained == [pytest.approx(0.0, abs=0.03), pytest.approx(0.9, abs=1e-5)]


def test_tokens_are_scored_without_the_end_token() -> None:
    batch = recall(5, 4)(generator())
    answers = torch.tensor([[int(first), EOS] for first, _ in batch.expected])
    answers[0, 0] = BLANK  # one of four is wrong
    logits = torch.nn.functional.one_hot(answers, VOCABULARY).float()
    assert share_right(oracle(logits), batch) == 0.75


def test_longer_lengths_are_not_run_after_two_failures_in_a_row() -> None:
    trained: list[int] = []
    scripted = iter([1.0, 0.5, 0.95, 0.2, 0.1])

    def draw(time: int, size: int = BATCH) -> DrawBatch:
        trained.extend([time] if size == BATCH else [])
        return recall(time, 2)

    task = Task(draw, objective, lambda model, batch: next(scripted), "", 1.0)
    assert scores_by_length("tanh", task, 1, 1, lambda text: None) == [1.0, 0.5, 0.95, 0.2, 0.1, None]
    assert trained == [5, 10, 20, 50, 100]


def test_the_span_is_the_largest_length_that_is_remembered() -> None:
    assert span([1.0, 0.8, 0.9, 0.3, 0.2, None]) == 20
    assert span([0.89, 0.1, None, None, None, None]) == 0


@pytest.mark.parametrize(
    ("spans", "verdict"),
    [
        ({"tanh": [10, 20], "lstm-1": [100, 200]}, "holds"),
        ({"tanh": [5, 20], "lstm-1": [100, 200]}, "holds under conditions"),  # 5 is not 10 to 20
        ({"tanh": [10, 20], "lstm-0": [5, 5], "lstm-5": [100, 200]}, "holds under conditions"),
        ({"tanh": [10, 20], "lstm-1": [50, 100]}, "does not hold"),
        ({"tanh": [50, 10], "lstm-1": [200, 200]}, "does not hold"),
        ({"tanh": [0, 0], "lstm-1": [0, 5]}, "does not hold"),
        ({"tanh": [0, 0], "lstm-1": [0, 0]}, "not answered"),
        ({"gru": [200], "lstm-1": [200]}, None),
    ],
)
def test_the_verdict_follows_the_spans(spans: dict[str, list[int]], verdict: Verdict | None) -> None:
    assert judge(spans) == verdict


@pytest.mark.parametrize("task", TASKS)
def test_the_experiment_reports_every_model_and_length(task: str) -> None:
    told: list[str] = []
    outcome = EXPERIMENT(Options(cells=("tanh", "lstm"), seeds=2, updates=1, task=task), told.append)
    assert [row[0] for row in outcome.rows] == ["tanh", "lstm-1"]
    assert len(outcome.columns) == 2 + len(LENGTHS)
    assert len(told) == 2 * 2 * 2  # one update teaches nothing, so two lengths are run
    assert outcome.rows[0][-1] == "not run"
    assert outcome.claims[0].verdict == "not answered"
    assert "under 5" in outcome.claims[0].number
    assert outcome.figure is not None
    assert len(outcome.figure().axes[0].lines) == 3  # two models and the bar
