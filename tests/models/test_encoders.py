from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nmt.models.cells import CELLS, Cell
from nmt.models.encoders import BagEncoder, RecurrentEncoder, reorder, reversed_positions

BATCH, WIDTH, HIDDEN = 3, 5, 7
INPUTS, LENGTHS = torch.randn(BATCH, 9, WIDTH, generator=torch.Generator().manual_seed(0)), torch.tensor([4, 9, 1])
MASK = torch.arange(9) < LENGTHS.unsqueeze(1)


def encoder_of(kind: str, layers: int, direction: str, *, residual: bool = False) -> RecurrentEncoder:
    torch.manual_seed(0)
    return RecurrentEncoder(kind, WIDTH, HIDDEN, layers, direction, residual, forget_bias=1.0, dropout=0.0).eval()


def copy_weights(cells: list[Cell], layer: nn.RNNBase) -> None:
    """Into each direction of each layer of torch's module, in torch's order."""
    for cell, names in zip(cells, layer._all_weights, strict=True):
        for mine, name in zip(cell.parameters(), names, strict=True):
            getattr(layer, name).data.copy_(mine)


def test_turning_reverses_the_real_part_and_keeps_padding_behind_it() -> None:
    mask = torch.tensor(
        [[True, True, True, False, False], [True, True, True, True, True], [True, False, False, False, False]]
    )
    sequence = torch.arange(15).view(3, 5, 1)
    order = reversed_positions(mask)
    assert reorder(sequence, order).squeeze(-1).tolist() == [[2, 1, 0, 4, 3], [9, 8, 7, 6, 5], [10, 14, 13, 12, 11]]
    assert torch.equal(reorder(reorder(sequence, order), order), sequence)


@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("kind", CELLS)
@torch.no_grad()
def test_the_encoder_equals_torchs_over_packed_sequences(kind: str, direction: str) -> None:
    encoder, both = encoder_of(kind, 2, direction), direction == "both"
    reference = CELLS[kind](WIDTH, HIDDEN, 2, batch_first=True, bidirectional=both)
    levels = zip(encoder.forwards, encoder.backwards, strict=True) if both else zip(encoder.forwards, strict=True)
    copy_weights([cell for level in levels for cell in level], reference)
    packed, final = reference(pack_padded_sequence(INPUTS, LENGTHS, batch_first=True, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed, batch_first=True)
    found = encoder(INPUTS, MASK)
    torch.testing.assert_close(found[MASK], expected[MASK], atol=1e-6, rtol=0.0)
    hidden = final[0] if kind == "lstm" else final
    final = torch.cat([*hidden[-2:]], -1) if both else hidden[-1]
    torch.testing.assert_close(encoder.final_states(found, MASK), final, atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("kind", CELLS)
@torch.no_grad()
def test_reading_backward_is_reading_the_reversed_source_forward(kind: str) -> None:
    forward, backward = encoder_of(kind, 2, "forward"), encoder_of(kind, 2, "backward")
    backward.load_state_dict(
        {name.replace("forwards", "backwards"): value for name, value in forward.state_dict().items()}
    )
    order = reversed_positions(MASK)
    states, mirrored = forward(reorder(INPUTS, order), MASK), backward(INPUTS, MASK)
    torch.testing.assert_close(reorder(states, order)[MASK], mirrored[MASK])
    torch.testing.assert_close(forward.final_states(states, MASK), backward.final_states(mirrored, MASK))


@torch.no_grad()
def test_a_residual_adds_a_layers_input_from_the_second_layer_up() -> None:
    encoder = encoder_of("gru", 3, "forward", residual=True)
    bottom, middle, top = encoder.forwards
    inputs, mask = INPUTS[:, :4], torch.ones(BATCH, 4, dtype=torch.bool)
    first = bottom.sequence(inputs)
    second = first + middle.sequence(first)
    torch.testing.assert_close(encoder(inputs, mask), second + top.sequence(second))


@torch.no_grad()
def test_a_bag_of_words_knows_nothing_of_order() -> None:
    torch.manual_seed(0)
    bag = BagEncoder(WIDTH, HIDDEN, dropout=0.0).eval()
    order = reversed_positions(MASK)
    final = bag.final_states(bag(INPUTS, MASK), MASK)
    torch.testing.assert_close(final, bag.final_states(bag(reorder(INPUTS, order), MASK), MASK))
    torch.testing.assert_close(final[0], torch.tanh(bag.map(INPUTS[0, :4])).mean(0))
