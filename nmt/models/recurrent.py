"""The recurrent encoder-decoder: one class for every cell, depth and attention.

With one layer and `BahdanauAttention` it is the model of Bahdanau et al. 2015; with `FixedThoughtVector` the same model
but for the number of slots; with more layers the stack of GNMT (Wu et al. 2016, arXiv:1609.08144, section 3): attention
queries with the bottom layer and its context goes to every layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from nmt.models import fused_attention
from nmt.models.attention import attention_class
from nmt.models.attentions.bahdanau import BahdanauAttention
from nmt.models.cells import GATES, Cell
from nmt.models.dropout import Dropout
from nmt.models.embeddings import TokenEmbedding
from nmt.models.encoders import DIRECTIONS, BagEncoder, Encoder, RecurrentEncoder
from nmt.models.protocol import Description, Memory, Sizes, State, Step, TranslationModel


class Stack(TypedDict):
    """Sizes of the decoder."""

    layers: int
    hidden: int
    residual: bool


class DirectedStack(Stack):
    """Sizes of the encoder, and the direction it reads in."""

    direction: str


class RecurrentModel(TranslationModel):
    """A recurrent encoder, and a recurrent decoder with attention over the encoder's states or with the thought vector.

    source, target: vocabulary sizes; embedding, attention_size, bottleneck: widths; `encoder` and `decoder` give layers
    and hidden units, the encoder also the direction it reads in. With `tied`, one matrix embeds the target and scores
    it, and embeds the source too where the vocabulary is `joint`.
    """

    inference = "nmt.models.inference.recurrent:FrozenRecurrentModel"

    def __init__(
        self,
        *,
        source: int,
        target: int,
        joint: bool,
        cell: str,
        attention: str,
        embedding: int,
        attention_size: int,
        bottleneck: int | None,
        encoder: DirectedStack,
        decoder: Stack,
        forget_bias: float,
        dropout: float,
        tied: bool,
        thought_vector: str = "every_step",
    ) -> None:
        super().__init__()
        chosen = attention_class(attention, thought_vector)
        if bottleneck is not None and not chosen.one_slot:
            raise ValueError(
                f"model.bottleneck: attention {attention} keeps a slot for every source token; "
                "leave it out or take attention none"
            )
        hidden, layers = int(decoder["hidden"]), int(decoder["layers"])
        self.embed_target = TokenEmbedding(target, embedding)
        self.embed_source = self.embed_target if tied and joint else TokenEmbedding(source, embedding)
        self.encoder = _encoder(cell, embedding, forget_bias=forget_bias, dropout=dropout, **encoder)
        self.bottleneck = nn.Linear(self.encoder.width, bottleneck) if bottleneck else nn.Identity()
        width = bottleneck or self.encoder.width
        self.attention = chosen(hidden, width, attention_size)
        below = [embedding] + [hidden] * (layers - 1)
        self.cells = cast(
            "Sequence[Cell]",
            nn.ModuleList(Cell(cell, each + self.attention.context, hidden, forget_bias) for each in below),
        )
        self.bridge = cast(
            "Sequence[nn.Linear]", nn.ModuleList(nn.Linear(width, each.state_width) for each in self.cells)
        )
        self.residual = bool(decoder["residual"])
        self.readout = nn.Linear(hidden + embedding + self.attention.context, embedding)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(embedding, target)
        nn.init.zeros_(self.output.bias)
        if tied:
            self.output.weight = self.embed_target.weight

    @classmethod
    def describe(cls, sizes: Sizes) -> Description:
        """The cell and the attention; gates of an LSTM or GRU that reads the source in order."""
        attention = attention_class(sizes["attention"], sizes["thought_vector"])
        cell: str = sizes["cell"]
        gates = bool(GATES[cell]) and sizes["encoder"]["direction"] != "none"
        title = f"{'RNN' if cell == 'tanh' else cell.upper()}, {attention.title}"
        return Description(title, one_slot=attention.one_slot, gates=gates, recurrent=True)

    @classmethod
    def search_bytes(cls, sizes: Sizes, source: int, target: int, beam: int) -> int:
        """Gates and states of the source, slots with what they are projected to, and energies of attention."""
        embedding, attention, decoder = int(sizes["embedding"]), int(sizes["attention_size"]), sizes["decoder"]
        states, hidden = 2 * int(sizes["encoder"]["hidden"]), int(decoder["hidden"]) * int(decoder["layers"])
        read = source * (2 * embedding + 8 * states)
        memory = source * (2 * states + attention + embedding + 4 * hidden)
        attended = 2 * beam * source * (attention + 1)
        step = beam * (6 * 2 * hidden + 8 * hidden + 4 * embedding + 2 * states)
        return 4 * (read + memory + attended + step)

    def encoder_gates(self, source: Tensor) -> dict[str, Tensor]:
        return self.encoder.gates(self.embed_source(source))

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """One slot per source token, or one slot, the thought vector: ``(batch, 1, slot)`` for every source length."""
        states = self.encoder(self.dropout(self.embed_source(source)), mask)
        if self.attention.one_slot:
            states = self.bottleneck(self.encoder.final_states(states, mask)).unsqueeze(1)
            mask = mask.new_ones(len(mask), 1)
        return Memory(states, mask, self.attention.keys(states))

    def initial_state(self, memory: Memory) -> Tensor:
        """s_0 = tanh(W final states), ``(batch, layer, state)``; in Bahdanau et al., of the backward direction only."""
        final = self.encoder.final_states(memory.slots, memory.mask)
        return torch.stack([torch.tanh(bridge(final)) for bridge in self.bridge], 1)

    def step(self, previous: Tensor, state: State, memory: Memory) -> Step:
        """Attend with the state before, run the cells, read out: the order of Bahdanau et al., appendix A.2.2."""
        embedded = self.dropout(self.embed_target(previous))
        context, weights = self.attention(self.cells[0].output(state[:, 0]), memory)
        below, states = embedded, []
        for level, cell in enumerate(self.cells):
            states.append(cell.step(cell.project(torch.cat([below, context], -1)), state[:, level]))
            below = self.above(level, below, cell.output(states[-1]))
        return Step(self.logits(below, embedded, self.readout_share(context)), torch.stack(states, 1), weights)

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """Equals `step` unrolled; whatever does not depend on a state is computed for the whole target at once."""
        embedded = self.dropout(self.embed_target(target))
        state = self.initial_state(memory)
        if self.attention.constant:
            context = self.attention(embedded[:, 0], memory)[0].unsqueeze(1)
            below = self.above(0, embedded, self.cells[0].sequence(_join(embedded, context), state[:, 0]))
        else:
            below, context = self._attend(embedded, state[:, 0], memory)
        for level, cell in list(enumerate(self.cells))[1:]:
            below = self.above(level, below, cell.sequence(_join(below, context), state[:, level]))
        return self.logits(below, embedded, self.readout_share(context))

    def _attend(self, embedded: Tensor, state: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """The bottom layer's outputs ``(batch, target, hidden)`` and contexts ``(batch, target, context)``.

        The only loop over the target: each query is the state after the step before.
        """
        cell = self.cells[0]
        if isinstance(self.attention, BahdanauAttention) and cell.kind == "lstm":
            outputs, read = self._attend_by_hand(self.attention, cell, embedded, state, memory)
            return self.above(0, embedded, outputs), read
        states, contexts = [], []
        for projected in cell.project(embedded).unbind(1):
            context, _ = fused_attention.attend(self.attention, cell.output(state), memory)
            state = cell.step(projected + cell.project(context, embedded.shape[-1]), state)
            states.append(state)
            contexts.append(context)
        return self.above(0, embedded, cell.output(torch.stack(states, 1))), torch.stack(contexts, 1)

    def _attend_by_hand(
        self, attention: BahdanauAttention, cell: Cell, embedded: Tensor, state: Tensor, memory: Memory
    ) -> tuple[Tensor, Tensor]:
        """The same for an LSTM under Bahdanau attention, with a backward pass written by hand."""
        return fused_attention.attend_target(
            cell.project(embedded),
            state,
            memory.slots,
            memory.keys[0],
            memory.mask,
            query=attention.query.weight,
            score=attention.score.weight.squeeze(0),
            context=cell.layer.weight_ih_l0[:, embedded.shape[-1] :],
            recurrent=cell.layer.weight_hh_l0,
            bias=cell.layer.bias_hh_l0,
        )

    def above(self, level: int, below: Tensor, output: Tensor) -> Tensor:
        """The input of the next layer. A residual adds a layer's input without the context (GNMT), from layer 2 up."""
        above: Tensor = self.dropout(output + below if self.residual and level else output)
        return above

    def logits(self, output: Tensor, embedded: Tensor, share: Tensor) -> Tensor:
        """A deep output (Pascanu et al. 2014) of state, previous token and context, given as `readout_share`. It takes
        s_i, as the authors' code does; the paper's appendix prints s_{i-1}."""
        own = torch.cat([output, embedded], -1)
        readout = torch.tanh(linear(own, self.readout.weight[:, : own.shape[-1]], self.readout.bias) + share)
        logits: Tensor = self.output(self.dropout(readout))
        return logits

    def readout_share(self, context: Tensor) -> Tensor:
        """C c, the contexts' share of the readout, ``(..., context) -> (..., embedding)``."""
        return linear(context, self.readout.weight[:, self.readout.in_features - self.attention.context :])


def _encoder(
    cell: str,
    embedding: int,
    *,
    layers: int,
    hidden: int,
    direction: str,
    residual: bool,
    forget_bias: float,
    dropout: float,
) -> Encoder:
    """The encoder of that direction; the states of a bag of words are as wide as those of both directions."""
    if direction not in DIRECTIONS:
        raise ValueError(f"model.encoder.direction: expected one of {', '.join(DIRECTIONS)}, found {direction!r}")
    if direction == "none":
        return BagEncoder(embedding, 2 * hidden, dropout)
    return RecurrentEncoder(cell, embedding, hidden, layers, direction, residual, forget_bias, dropout)


def _join(below: Tensor, context: Tensor) -> Tensor:
    """Concatenated, ``(batch, target, ...)``; a constant context has one step and is repeated."""
    return torch.cat([below, context.to(below.dtype).expand(-1, below.shape[1], -1)], -1)
