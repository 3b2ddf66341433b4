from __future__ import annotations

import numpy as np
import pytest
import torch

from nmt.data.batches import collate
from nmt.lab.experiments.alignment import (
    LONGEST,
    SHORTEST,
    VOCABULARY,
    attention_weights,
    copies,
    expected_slots,
    learned,
    read,
    strings,
)
from nmt.lab.experiments.learning import FIRST
from nmt.models.protocol import Memory, Step, TranslationModel

BATCH = collate([[4, 5, 6], [7, 8]], [[6, 5, 4], [8, 7]])


class Pointer(TranslationModel):
    """Attends to the slot of its table alone, and expects the first piece always."""

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


def test_strings_are_turned_round_and_end() -> None:
    batch = strings(np.random.default_rng(0), 50)
    for source, mask, expected in zip(batch.source, batch.source_mask, batch.expected, strict=True):
        pieces = source[mask].tolist()[:-1]
        assert SHORTEST <= len(pieces) <= LONGEST
        assert min(pieces) >= FIRST
        assert expected.tolist()[: len(pieces)] == pieces[::-1]


def test_each_piece_is_expected_where_it_stands_in_the_source() -> None:
    assert copies(BATCH).tolist() == [[True, True, True, False], [True, True, False, False]]
    assert expected_slots(BATCH)[copies(BATCH)].tolist() == [2, 1, 0, 1, 0]
    rows = torch.arange(2).unsqueeze(1).expand(2, 4)[copies(BATCH)]
    assert torch.equal(BATCH.source[rows, expected_slots(BATCH)[copies(BATCH)]], BATCH.expected[copies(BATCH)])


@pytest.mark.parametrize(
    ("slots", "aligned", "padding"),
    [
        ([[2, 1, 0, 3], [1, 0, 2, 2]], 1.0, 0.0),
        ([[2, 1, 0, 0], [0, 0, 0, 0]], 0.8, 0.0),  # where the end attends does not count
        ([[2, 1, 0, 3], [3, 0, 2, 2]], 0.8, 1.0),
    ],
)
def test_alignment_is_the_share_of_copied_pieces_that_attend_to_their_origin(
    slots: list[list[int]], aligned: float, padding: float
) -> None:
    found = read(Pointer(slots), BATCH)
    assert found.aligned == pytest.approx(aligned)
    assert (found.padding, found.sums, found.right) == (padding, 0.0, 0.0)


def test_weights_are_read_at_every_target_position() -> None:
    weights = attention_weights(Pointer([[2, 1, 0, 3], [1, 0, 2, 2]]), BATCH)
    assert weights.argmax(-1).tolist() == [[2, 1, 0, 3], [1, 0, 2, 2]]


def test_a_seed_gives_the_same_reading_twice() -> None:
    assert learned(1, 2) == learned(1, 2)
