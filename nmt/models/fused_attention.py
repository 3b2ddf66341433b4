"""Fast Bahdanau attention: scores by a sigmoid, and an LSTM over a whole target with a backward pass written by hand.

`attend` equals `Attention.forward` for one step. torch's tanh takes ten times as long on a CPU as its sigmoid, and the
tanh of the energies, for every slot at every step, was the most costly operation of all; so tanh(x) = 2 sigmoid(2x) - 1
is used.

`attend_target` equals `RecurrentModel.step` unrolled, and is the only loop of training and most of its time. Unrolled,
automatic differentiation adds up a gradient as large as all slots, and one as large as all keys, for every target
token; here slots, weights and biases get theirs in one product after the loop, and only what passes from step to step
is computed inside it.
"""

from __future__ import annotations

from functools import singledispatch
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nmt.models.attention import Attention, by_memory_row, weigh
from nmt.models.attentions.bahdanau import BahdanauAttention
from nmt.models.protocol import Memory


@singledispatch
def attend(attention: Attention, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """As ``attention(query, memory)``, by the fastest arithmetic there is for its class."""
    found: tuple[Tensor, Tensor] = attention(query, memory)
    return found


@attend.register
def _(attention: BahdanauAttention, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
    """v . tanh(x) = 2 v . sigmoid(2x) - sum(v), in fp32: to round the energies would take longer than their product."""
    queries = by_memory_row(attention.query(query), memory).unsqueeze(2).float()
    halves = (queries + memory.keys[0].float().unsqueeze(1)).mul_(2).sigmoid_()  # (batch, beam, slot, attention)
    with torch.autocast(halves.device.type, enabled=False):
        scores = attention.score(halves).squeeze(-1).mul(2).sub(attention.score.weight.sum())
    return weigh(scores, memory)


class Tables(NamedTuple):
    """Values of every step for the backward pass, ``(target, batch, ...)``."""

    hidden: Tensor
    """h before the step."""
    cell: Tensor
    """c before each step, and after the last."""
    gates: Tensor
    """Input gate, forget gate, candidate and output gate after their activation functions, side by side."""
    halves: Tensor
    """sigmoid(2 (W query + U slot)), ``(target, batch, slot, attention)``."""
    weights: Tensor
    """``(target, batch, slot)``."""


def attend_target(
    projected: Tensor,
    state: Tensor,
    slots: Tensor,
    keys: Tensor,
    mask: Tensor,
    *,
    query: Tensor,
    score: Tensor,
    context: Tensor,
    recurrent: Tensor,
    bias: Tensor,
) -> tuple[Tensor, Tensor]:
    """Outputs h ``(batch, target, hidden)`` and contexts ``(batch, target, width of a slot)`` under teacher forcing.

    projected: the tokens' share of the gates ``(batch, target, 4 x hidden)``; state: [h; c] before the first step;
    slots, keys and mask: the memory. The weights: of the query ``(attention, hidden)``, of the score ``(attention,)``,
    of the context's share of the gates ``(4 x hidden, width)``, and of the recurrence ``(4 x hidden, hidden)`` with its
    bias. Computed in the precision of ``projected``, sums from step to step in fp32.
    """
    given = (projected, state, slots, keys, mask, query, score, context, recurrent, bias)
    outputs, contexts = _Loop.apply(*given)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return outputs, contexts


class _Loop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *given: Tensor) -> tuple[Tensor, Tensor]:
        """Takes what `attend_target` takes, in its order."""
        projected, state, slots, keys, mask, query, score, context, recurrent, bias = given
        batch, steps, hidden = len(projected), projected.shape[1], recurrent.shape[1]
        dtype, wide = projected.dtype, _wide(projected)
        hide = torch.zeros(mask.shape, device=mask.device, dtype=wide).masked_fill_(~mask, float("-inf"))
        slots, keys = slots.to(dtype), 2 * keys.to(wide)
        from_hidden, from_context = torch.cat([query, recurrent]).to(dtype).t(), context.to(dtype).t()
        inputs = projected.to(wide).transpose(0, 1) + bias.to(wide)  # (target, batch, 4 x hidden)
        weigh = 2 * score.to(wide)
        tables = _empty(steps, hidden, keys, dtype)
        contexts = slots.new_empty(steps, batch, slots.shape[-1])
        outputs = projected.new_empty(steps, batch, hidden)
        h, tables.cell[0] = state[:, :hidden].to(dtype), state[:, hidden:].to(wide)
        for step in range(steps):
            tables.hidden[step] = h
            products = h @ from_hidden
            halves = torch.add(
                keys, products[:, None, : len(query)].to(wide), alpha=2, out=tables.halves[step]
            ).sigmoid_()
            scores = torch.mv(halves.view(-1, len(query)), weigh).view(mask.shape)
            weights = torch.softmax(scores + hide, -1, out=tables.weights[step])
            torch.bmm(weights.to(dtype).unsqueeze(1), slots, out=contexts[step].unsqueeze(1))
            gates = inputs[step] + products[:, len(query) :] + contexts[step] @ from_context
            h = _advance(gates, tables.cell[step], tables.gates[step], tables.cell[step + 1]).to(dtype)
            outputs[step] = h
        ctx.save_for_backward(slots, query, score, context, recurrent, contexts, *tables)
        return outputs.transpose(0, 1), contexts.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_outputs: Tensor, d_contexts: Tensor) -> tuple[Tensor | None, ...]:
        slots, query, score, context, recurrent, contexts, *saved = ctx.saved_tensors
        tables, dtype, wide, attention = Tables(*saved), slots.dtype, _wide(slots), len(query)
        steps, batch, hidden = tables.hidden.shape
        to_context, to_hidden = context.to(dtype), torch.cat([query, recurrent]).to(dtype)
        # gradients of the products of the hidden state before each step: [query; gates]
        d_products = slots.new_empty(steps, batch, attention + 4 * hidden)
        d_context = d_contexts.transpose(0, 1).to(dtype, copy=True)
        d_scores = torch.empty_like(tables.weights)
        slopes = torch.zeros_like(tables.halves[0])  # summed over steps
        d_hidden, d_cell = torch.zeros_like(tables.cell[0]), torch.zeros_like(tables.cell[0])
        for step in reversed(range(steps)):
            d_hidden = d_hidden + d_outputs[:, step]
            d_gates, d_cell = _retreat(d_hidden, d_cell, tables.gates[step], tables.cell[step], tables.cell[step + 1])
            d_products[step, :, attention:] = d_gates
            d_context[step] += d_products[step, :, attention:] @ to_context
            d_weights = torch.bmm(d_context[step].unsqueeze(1), slots.transpose(1, 2)).squeeze(1).to(wide)
            weights = tables.weights[step]
            d_score = torch.mul(weights, d_weights - (weights * d_weights).sum(-1, keepdim=True), out=d_scores[step])
            halves = tables.halves[step]
            slope = torch.addcmul(halves, halves, halves, value=-1)  # d tanh(x) = 4 sigmoid(2x) (1 - sigmoid(2x))
            slopes.addcmul_(slope, d_score.unsqueeze(-1))
            d_products[step, :, :attention] = torch.bmm(d_score.unsqueeze(1), slope).squeeze(1) * (4 * score)
            d_hidden = (d_products[step] @ to_hidden).to(wide)
        d_keys = slopes * (4 * score)
        d_gates, d_weight = (
            d_products[..., attention:],
            torch.mm(d_products.flatten(0, 1).t(), tables.hidden.flatten(0, 1)),
        )
        return (
            d_gates.transpose(0, 1),
            torch.cat([d_hidden, d_cell], -1),
            torch.bmm(tables.weights.permute(1, 2, 0).to(dtype), d_context.transpose(0, 1)),
            d_keys,
            None,
            d_weight[:attention].to(wide),
            2 * torch.mv(tables.halves.flatten(0, 2).t(), d_scores.flatten()),
            torch.mm(d_gates.flatten(0, 1).t(), contexts.flatten(0, 1)).to(wide),
            d_weight[attention:].to(wide),
            d_gates.to(wide).sum((0, 1)),
        )


def _wide(tensor: Tensor) -> torch.dtype:
    """The precision of sums: fp32, or fp64 for a model in fp64."""
    return torch.promote_types(tensor.dtype, torch.float32)


def _empty(steps: int, hidden: int, keys: Tensor, dtype: torch.dtype) -> Tables:
    """Uninitialised tables."""
    batch, slots, attention = keys.shape
    return Tables(
        keys.new_empty(steps, batch, hidden, dtype=dtype),
        keys.new_empty(steps + 1, batch, hidden),
        keys.new_empty(steps, batch, 4 * hidden),
        keys.new_empty(steps, batch, slots, attention),
        keys.new_empty(steps, batch, slots),
    )


def _advance(gates: Tensor, before: Tensor, kept: Tensor, after: Tensor) -> Tensor:
    """An LSTM step from the gates' sums ``(batch, 4 x hidden)`` and the cell state before: writes the gates to ``kept``
    and the cell state to ``after``, and returns h."""
    torch.sigmoid(gates, out=kept)
    input_gate, forget_gate, candidate, output_gate = kept.chunk(4, -1)
    torch.tanh(gates.chunk(4, -1)[2], out=candidate)
    torch.mul(forget_gate, before, out=after).addcmul_(input_gate, candidate)
    return output_gate * torch.tanh(after)


def _retreat(d_hidden: Tensor, d_cell: Tensor, kept: Tensor, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of the gates' sums and of the cell state before, from those of h and of the cell state after."""
    input_gate, forget_gate, candidate, output_gate = kept.chunk(4, -1)
    squashed = torch.tanh(after)
    d_cell = torch.addcmul(d_cell, d_hidden * output_gate, 1 - squashed * squashed)
    d_kept = torch.cat([d_cell * candidate, d_cell * before, d_cell * input_gate, d_hidden * squashed], -1)
    slope = kept * (1 - kept)
    slope.chunk(4, -1)[2].copy_(1 - candidate * candidate)
    return d_kept * slope, d_cell * forget_gate
