from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from nmt.models.attention import FixedThoughtVector, InitialStateOnly
from nmt.models.attentions.bahdanau import BahdanauAttention
from nmt.models.attentions.dot import DotAttention
from nmt.models.protocol import Memory, Step
from nmt.models.recurrent import DirectedStack, RecurrentModel, Stack

HIDDEN, WIDTH, ATTENTION = 4, 4, 3
LENGTHS = [5, 2, 1]


def memory_for(attention: BahdanauAttention | DotAttention) -> Memory:
    slots = torch.randn(len(LENGTHS), max(LENGTHS), WIDTH, generator=torch.Generator().manual_seed(0))
    return Memory(slots, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1), attention.keys(slots))


def dot(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def assert_read(found: tuple[Tensor, Tensor], row: int, slots: list[list[float]], scores: list[float]) -> None:
    """The context and weights of a row against a softmax and a weighted sum written with numbers."""
    total = math.fsum(math.exp(score) for score in scores)
    weights = [math.exp(score) / total for score in scores]
    context = [
        math.fsum(weight * slot[place] for weight, slot in zip(weights, slots, strict=True)) for place in range(WIDTH)
    ]
    torch.testing.assert_close(found[0][row], torch.tensor(context))
    torch.testing.assert_close(found[1][row, : len(weights)], torch.tensor(weights))
    assert not found[1][row, len(weights) :].any()


@torch.no_grad()
def test_bahdanau_attention_equals_the_papers_equations_slot_by_slot() -> None:
    torch.manual_seed(1)
    attention, query = BahdanauAttention(HIDDEN, WIDTH, ATTENTION), torch.randn(len(LENGTHS), HIDDEN)
    memory = memory_for(attention)
    found = attention(query, memory)
    v, w, u, bias = (
        attention.score.weight[0].tolist(),
        attention.query.weight.tolist(),
        attention.key.weight.tolist(),
        attention.key.bias.tolist(),
    )
    for row, length in enumerate(LENGTHS):
        slots, state = memory.slots[row, :length].tolist(), query[row].tolist()
        scores = [
            math.fsum(v[i] * math.tanh(bias[i] + dot(w[i], state) + dot(u[i], slot)) for i in range(ATTENTION))
            for slot in slots
        ]
        assert_read(found, row, slots, scores)


@torch.no_grad()
def test_dot_attention_equals_the_papers_equations_slot_by_slot() -> None:
    torch.manual_seed(1)
    attention, query = DotAttention(HIDDEN, WIDTH, ATTENTION), torch.randn(len(LENGTHS), HIDDEN)
    memory = memory_for(attention)
    found = attention(query, memory)
    for row, length in enumerate(LENGTHS):
        slots = memory.slots[row, :length].tolist()
        assert_read(found, row, slots, [dot(query[row].tolist(), slot) for slot in slots])


@pytest.mark.parametrize("kind", [BahdanauAttention, DotAttention])
@torch.no_grad()
def test_attention_over_one_slot_equals_the_fixed_context(kind: type[BahdanauAttention | DotAttention]) -> None:
    attention, slots, query = kind(HIDDEN, WIDTH, ATTENTION), torch.randn(2, 1, WIDTH), torch.randn(2, HIDDEN)
    memory = Memory(slots, torch.ones(2, 1, dtype=torch.bool), attention.keys(slots))
    for found, expected in zip(
        attention(query, memory), FixedThoughtVector(HIDDEN, WIDTH, ATTENTION)(query, memory), strict=True
    ):
        assert torch.equal(found, expected)


def model(attention: str, layers: int) -> RecurrentModel:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "source": 9,
        "target": 9,
        "joint": False,
        "embedding": 5,
        "attention_size": 3,
        "bottleneck": None,
        "tied": True,
    }
    encoder: DirectedStack = {"layers": 1, "hidden": 2, "direction": "both", "residual": False}
    decoder: Stack = {"layers": layers, "hidden": 4, "residual": True}
    return RecurrentModel(
        cell="gru", attention=attention, encoder=encoder, decoder=decoder, forget_bias=1.0, dropout=0.0, **sizes
    )


@torch.no_grad()
def test_a_step_of_the_decoder_follows_the_papers_equations() -> None:
    found = model("bahdanau", layers=1)
    memory = found.encode(torch.randint(9, (2, 6)), torch.ones(2, 6, dtype=torch.bool))
    previous = torch.tensor([3, 7])
    y = math.sqrt(5) * found.embed_target.weight[previous]
    before = torch.tanh(found.bridge[0](torch.cat([memory.slots[:, -1, :2], memory.slots[:, 0, 2:]], -1)))
    context, weights = found.attention(before, memory)
    cell = torch.nn.GRUCell(5 + WIDTH, HIDDEN)
    for mine, theirs in zip(cell.parameters(), found.cells[0].parameters(), strict=True):
        mine.copy_(theirs)
    after = cell(torch.cat([y, context], -1), before)
    logits = torch.tanh(found.readout(torch.cat([after, y, context], -1))) @ found.embed_target.weight.T
    step = found.step(previous, found.initial_state(memory), memory)
    torch.testing.assert_close(step, Step(logits, after.unsqueeze(1), weights), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize("attention", ["bahdanau", "dot"])
@torch.no_grad()
def test_a_model_that_attends_to_one_slot_equals_the_model_with_the_thought_vector(attention: str) -> None:
    fixed, attending = model("none", layers=2), model(attention, layers=2)
    attending.load_state_dict(fixed.state_dict(), strict=False)
    source, target = torch.randint(9, (2, 6)), torch.randint(9, (2, 4))
    memory = fixed.encode(source, torch.ones(2, 6, dtype=torch.bool))
    seen = memory._replace(keys=attending.attention.keys(memory.slots))
    torch.testing.assert_close(attending.decode(target, seen), fixed.decode(target, memory), atol=1e-5, rtol=0.0)


@torch.no_grad()
def test_a_reader_that_reads_nothing_has_an_empty_context_and_no_weights() -> None:
    memory = Memory(torch.randn(2, 1, WIDTH), torch.ones(2, 1, dtype=torch.bool))
    context, weights = InitialStateOnly(HIDDEN, WIDTH, ATTENTION)(torch.randn(2, HIDDEN), memory)
    assert context.shape == (2, 0)
    assert weights.tolist() == [[0], [0]]


@torch.no_grad()
def test_scores_that_overflow_an_exponential_still_give_weights() -> None:
    attention = DotAttention(HIDDEN, WIDTH, ATTENTION)
    _, weights = attention(torch.full((len(LENGTHS), HIDDEN), 1e4), memory_for(attention))
    torch.testing.assert_close(weights.sum(1), torch.ones(len(LENGTHS)))


def test_dot_attention_says_which_width_it_needs() -> None:
    with pytest.raises(ValueError, match=r"model.decoder.hidden: .* expected 6 units as in a slot, found 4"):
        DotAttention(4, 6, ATTENTION)
