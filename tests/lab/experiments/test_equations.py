from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.batches import collate
from nmt.lab.experiments import equations
from nmt.lab.experiments.architectures import recurrent
from nmt.lab.experiments.equations import (
    EXPERIMENT,
    LONGEST,
    SHORTEST,
    VOCABULARY,
    Alignment,
    Check,
    Relation,
    alignment_checks,
    attention_weights,
    change_by_noise,
    claims,
    copied_positions,
    copies,
    learned_alignment,
    measure_alignment,
    memory_numbers,
    noise_between_ends,
    power_of_a_tenth,
    reversed_strings,
)
from nmt.lab.experiments.experiment import Options, Verdict
from nmt.lab.experiments.learning import FIRST_TOKEN
from nmt.models.protocol import Memory, Step, TranslationModel

ALIGNMENT = Alignment(sums=1e-7, padding=0.0, aligned=1.0, right=1.0)


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
def test_a_check_compares_the_number_with_its_bound(relation: Relation, bound: float, holds: bool) -> None:
    assert Check("A4", "two", 2, relation, bound).holds is holds


def test_a_check_of_nan_does_not_hold() -> None:
    assert not Check("A4", "broken", float("nan"), "=", float("nan")).holds


@pytest.mark.parametrize(
    ("measured", "verdict"),
    [((0.0, 0.0), "holds"), ((0.0, 1.0), "holds under conditions"), ((1.0, 2.0), "does not hold")],
)
def test_a_claim_holds_if_all_its_checks_do_and_under_conditions_if_some_do(
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
def test_change_by_noise_detects_a_thought_vector_of_other_states(monkeypatch: pytest.MonkeyPatch) -> None:
    model = recurrent(VOCABULARY, direction="both").eval()
    assert change_by_noise(model) == 0.0
    monkeypatch.setattr(model.encoder, "final_states", lambda states, mask: states.mean(1))
    assert change_by_noise(model) > 1e-3


@torch.no_grad()
def test_change_by_noise_leaves_the_model_unchanged() -> None:
    model = recurrent(VOCABULARY, attention="bahdanau", direction="both").eval()
    given = (torch.full((1, 5), 6), torch.ones(1, 5, dtype=torch.bool), torch.full((1, 2), 6))
    before = model(*given)
    assert change_by_noise(model) > 1e-3
    assert torch.equal(model(*given), before)


@torch.no_grad()
def test_the_memory_of_attention_grows_with_the_source() -> None:
    """Hence a memory of constant size is a property of the thought vector."""
    short, long = (memory_numbers(recurrent(VOCABULARY, attention="bahdanau"), length) for length in (3, 30))
    assert long == 10 * short


def test_alignment_is_the_mean_over_seeds_and_sums_are_the_worst_of_all() -> None:
    sums, padding, aligned = alignment_checks([ALIGNMENT, ALIGNMENT._replace(sums=2e-6, aligned=0.99)])
    assert (sums.measured, sums.holds) == (2e-6, False)
    assert (padding.measured, padding.holds) == (0.0, True)
    assert aligned.measured == pytest.approx(99.5)
    assert "99.0 to 100.0" in aligned.what


def test_the_experiment_judges_each_claim_and_checks_without_training_hold(
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
    }  # E3 has not learned_alignment anything yet
    assert [row[0] for row in outcome.rows] == sorted(
        [row[0] for row in outcome.rows], key=lambda id: (str(id)[0], int(str(id)[1:]))
    )
    assert len(said) == 3


BATCH = collate([[4, 5, 6], [7, 8]], [[6, 5, 4], [8, 7]])


class Pointer(TranslationModel):
    """A stand-in for a model that attends to the slots of a table and always predicts the first token."""

    def __init__(self, slots: list[list[int]]) -> None:
        super().__init__()
        self.slots = torch.tensor(slots)

    def encode(self, source: torch.Tensor, mask: torch.Tensor) -> Memory:
        return Memory(source.unsqueeze(-1).float(), mask)

    def initial_state(self, memory: Memory) -> torch.Tensor:
        return torch.zeros(len(memory.slots), dtype=torch.long)

    def step(self, previous: torch.Tensor, state: torch.Tensor, memory: Memory) -> Step:
        weights = torch.nn.functional.one_hot(self.slots[torch.arange(len(state)), state], memory.mask.shape[1]).float()
        return Step(torch.zeros(len(state), VOCABULARY), state + 1, weights)


def test_targets_are_reversed_strings_with_an_end() -> None:
    batch = reversed_strings(np.random.default_rng(0), 50)
    for source, mask, expected in zip(batch.source, batch.source_mask, batch.expected, strict=True):
        tokens = source[mask].tolist()[:-1]
        assert SHORTEST <= len(tokens) <= LONGEST
        assert min(tokens) >= FIRST_TOKEN
        assert expected.tolist()[: len(tokens)] == tokens[::-1]


def test_each_token_is_expected_where_it_stands_in_the_source() -> None:
    assert copies(BATCH).tolist() == [[True, True, True, False], [True, True, False, False]]
    assert copied_positions(BATCH)[copies(BATCH)].tolist() == [2, 1, 0, 1, 0]
    rows = torch.arange(2).unsqueeze(1).expand(2, 4)[copies(BATCH)]
    assert torch.equal(BATCH.source[rows, copied_positions(BATCH)[copies(BATCH)]], BATCH.expected[copies(BATCH)])


@pytest.mark.parametrize(
    ("slots", "aligned", "padding"),
    [
        ([[2, 1, 0, 3], [1, 0, 2, 2]], 1.0, 0.0),
        ([[2, 1, 0, 0], [0, 0, 0, 0]], 0.8, 0.0),  # where the end attends does not count
        ([[2, 1, 0, 3], [3, 0, 2, 2]], 0.8, 1.0),
    ],
)
def test_alignment_is_the_share_of_copied_tokens_that_have_the_largest_weight_on_their_source(
    slots: list[list[int]], aligned: float, padding: float
) -> None:
    found = measure_alignment(Pointer(slots), BATCH)
    assert found.aligned == pytest.approx(aligned)
    assert (found.padding, found.sums, found.right) == (padding, 0.0, 0.0)


def test_weights_are_read_at_every_target_position() -> None:
    weights = attention_weights(Pointer([[2, 1, 0, 3], [1, 0, 2, 2]]), BATCH)
    assert weights.argmax(-1).tolist() == [[2, 1, 0, 3], [1, 0, 2, 2]]


def test_a_seed_gives_the_same_alignment_twice() -> None:
    assert learned_alignment(1, 2) == learned_alignment(1, 2)
