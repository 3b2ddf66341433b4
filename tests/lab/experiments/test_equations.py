from __future__ import annotations

import pytest
import torch

from nmt.lab.experiments import equations
from nmt.lab.experiments.alignment import VOCABULARY, Reading
from nmt.lab.experiments.equations import (
    EXPERIMENT,
    Check,
    Relation,
    alignments,
    change_by_noise,
    claims,
    memory_numbers,
    noise_between_ends,
    power_of_a_tenth,
)
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.learning import recurrent

READING = Reading(sums=1e-7, padding=0.0, aligned=1.0, right=1.0)


@pytest.mark.parametrize(
    ("relation", "bound", "holds"),
    [
        ("=", 2, True),
        ("=", 3, False),
        ("at most", 2, True),
        ("at least", 3, False),
        ("above", 2, False),
        ("below", 3, True),
    ],
)
def test_a_number_is_held_against_its_bound(relation: Relation, bound: float, holds: bool) -> None:
    assert Check("A4", "two", 2, relation, bound).holds is holds


def test_a_number_that_is_none_holds_nothing() -> None:
    assert not Check("A4", "broken", float("nan"), "=", float("nan")).holds


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [((0.0, 0.0), "holds"), ((0.0, 1.0), "holds under conditions"), ((1.0, 2.0), "does not hold")],
)
def test_the_verdict_is_whether_all_rows_are_as_expected_or_some_or_none(
    measured: tuple[float, float], verdict: Verdict
) -> None:
    (found,) = claims([Check("E1", "change", value, "=", 0.0) for value in measured])
    assert (found.id, found.verdict) == ("E1", verdict)
    assert found.number.count("expected = 0") == sum(value != 0 for value in measured)


def test_the_product_of_fifty_tenths_vanishes_in_single_precision_only() -> None:
    single, double = power_of_a_tenth()
    assert single.holds
    assert double.measured == pytest.approx(1e-50)
    assert [claim.verdict for claim in claims([single, double])] == ["holds under conditions"]


def test_noise_leaves_the_last_forward_and_the_first_backward_half() -> None:
    states = torch.arange(24.0).view(1, 3, 8)
    kept = noise_between_ends(states) == states
    assert kept[0].int().tolist() == [[0, 0, 0, 0, 1, 1, 1, 1], [0] * 8, [1, 1, 1, 1, 0, 0, 0, 0]]


@torch.no_grad()
def test_the_audit_would_notice_a_thought_vector_that_leaks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = recurrent(VOCABULARY, direction="both").eval()
    assert change_by_noise(model) == 0.0
    monkeypatch.setattr(model.encoder, "final_states", lambda states, mask: states.mean(1))
    assert change_by_noise(model) > 1e-3


@torch.no_grad()
def test_the_audit_leaves_no_noise_behind() -> None:
    model = recurrent(VOCABULARY, attention="bahdanau", direction="both").eval()
    given = (torch.full((1, 5), 6), torch.ones(1, 5, dtype=torch.bool), torch.full((1, 2), 6))
    before = model(*given)
    assert change_by_noise(model) > 1e-3
    assert torch.equal(model(*given), before)


@torch.no_grad()
def test_the_memory_of_attention_grows_with_the_source() -> None:
    """So a memory that does not grow is the thought vector's own doing."""
    short, long = (memory_numbers(recurrent(VOCABULARY, attention="bahdanau"), length) for length in (3, 30))
    assert long == 10 * short


def test_alignment_is_the_mean_over_seeds_and_sums_are_the_worst_of_all() -> None:
    sums, padding, aligned = alignments([READING, READING._replace(sums=2e-6, aligned=0.99)])
    assert (sums.measured, sums.holds) == (2e-6, False)
    assert (padding.measured, padding.holds) == (0.0, True)
    assert aligned.measured == pytest.approx(99.5)
    assert "99.0 to 100.0" in aligned.what


def test_the_experiment_answers_each_claim_and_all_that_needs_no_training_is_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    monkeypatch.setattr(equations, "LENGTHS", (3, 30, 60))
    outcome = EXPERIMENT(Options(seeds=2, updates=2), said.append)
    verdicts = {claim.id: claim.verdict for claim in outcome.claims}
    assert list(verdicts) == ["A4", "B1", "B4", "B10", "C1", "D2", "E1", "E3", "E6"]
    assert {id for id, verdict in verdicts.items() if verdict != "holds"} == {
        "B4",
        "E3",
    }  # E3 has not learned anything yet
    assert [row[0] for row in outcome.rows] == sorted(
        [row[0] for row in outcome.rows], key=lambda id: (str(id)[0], int(str(id)[1:]))
    )
    assert len(said) == 3
