"""The Transformer (Vaswani et al. 2017, arXiv:1706.03762) with normalisation before each sublayer.

Matrices are divided as in CTranslate2's specification: queries, keys and values of self-attention in one, keys and
values of cross-attention in another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from nmt.models.dropout import Dropout
from nmt.models.embeddings import TokenEmbedding, sinusoids
from nmt.models.protocol import Description, Memory, Sizes, Step, TranslationModel


class Cache(NamedTuple):
    """Decoding state: each layer's keys and values of the target so far, ``(batch, head, time, width)``."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, Dropout(dropout)
        self.project = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def split(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each ``(batch, head, time, width of a head)``."""
        queries, keys, values = (split_heads(part, self.heads) for part in self.project(inputs).chunk(3, -1))
        return queries, keys, values

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        output: Tensor = self.out(join_heads(attend(queries, keys, values, mask, self.dropout)))
        return output


class CrossAttention(nn.Module):
    """Multi-head attention of the target to the slots of memory, whose keys and values `encode` computes once."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, Dropout(dropout)
        self.query = nn.Linear(width, width)
        self.project = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)

    def keys(self, slots: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values ``(batch, head, slot, width of a head)``, contiguous, as every step reads them."""
        keys, values = (split_heads(part, self.heads).contiguous() for part in self.project(slots).chunk(2, -1))
        return keys, values

    def forward(self, inputs: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        read = attend(split_heads(self.query(inputs), self.heads), keys, values, mask, self.dropout)
        output: Tensor = self.out(join_heads(read))
        return output

    def with_weights(self, inputs: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """As `forward`, and the mean over heads of the attention weights, ``(batch, position, slot)``."""
        weights = attention_weights(split_heads(self.query(inputs), self.heads), keys, mask)
        output: Tensor = self.out(join_heads(self.dropout(weights) @ values))
        return output, weights.float().mean(1)


class FeedForward(nn.Module):
    """Two linear maps with a ReLU between them, at each position."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.out, self.dropout = nn.Linear(width, inner), nn.Linear(inner, width), Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.out(self.dropout(functional.relu(self.inner(inputs))))
        return output


class EncoderLayer(nn.Module):
    """Self-attention, then feed-forward, each with a residual around norm and sublayer."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.norm_self, self.attention = nn.LayerNorm(width), SelfAttention(width, heads, attention_dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        inputs = inputs + self.dropout(self.attention(*self.attention.split(self.norm_self(inputs)), mask))
        inputs = inputs + self.dropout(self.feed(self.norm_feed(inputs)))
        return inputs


class TransformerEncoder(nn.Module):
    """Encoder layers in turn: embedded source ``(batch, source, width)`` to states of the same shape."""

    def __init__(
        self, layers: int, width: int, heads: int, inner: int, dropout: float, attention_dropout: float
    ) -> None:
        super().__init__()
        self.layers = cast(
            "Sequence[EncoderLayer]",
            nn.ModuleList(EncoderLayer(width, heads, inner, dropout, attention_dropout) for _ in range(layers)),
        )

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        states, attended = embedded, mask[:, None, None, :]  # (batch, head, query, slot)
        for layer in self.layers:
            states = layer(states, attended)
        return states


class DecoderLayer(nn.Module):
    """Self-attention over the target so far, attention to memory, feed-forward."""

    def __init__(self, width: int, heads: int, inner: int, dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.norm_self, self.attention = nn.LayerNorm(width), SelfAttention(width, heads, attention_dropout)
        self.norm_cross, self.cross = nn.LayerNorm(width), CrossAttention(width, heads, attention_dropout)
        self.norm_feed, self.feed = nn.LayerNorm(width), FeedForward(width, inner, dropout)
        self.dropout = Dropout(dropout)

    def read_memory(self, inputs: Tensor, own: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """The layer after its self-attention, whose output is ``own``: ``(batch, target, width)``."""
        inputs = inputs + self.dropout(own)
        return self._finish(inputs, self.cross(self.norm_cross(inputs), keys, values, mask))

    def read_with_weights(
        self, inputs: Tensor, own: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The same, and the weights of the slots ``(batch, position, slot)``."""
        inputs = inputs + self.dropout(own)
        read, weights = self.cross.with_weights(self.norm_cross(inputs), keys, values, mask)
        return self._finish(inputs, read), weights

    def _finish(self, inputs: Tensor, read: Tensor) -> Tensor:
        inputs = inputs + self.dropout(read)
        inputs = inputs + self.dropout(self.feed(self.norm_feed(inputs)))
        return inputs


class TransformerModel(TranslationModel):
    """Encoder and decoder stacks over tied embeddings and sinusoidal positions.

    source, target: vocabulary sizes; width, feed_forward: widths; `encoder` and `decoder` give the layers.
    """

    exporter = "nmt.export.layout:specification"
    attention_scope = "last layer, mean over heads"
    positions: Tensor

    def __init__(
        self,
        *,
        source: int,
        target: int,
        joint: bool,
        width: int,
        heads: int,
        feed_forward: int,
        encoder: dict[str, int],
        decoder: dict[str, int],
        dropout: float,
        attention_dropout: float,
        tied: bool,
    ) -> None:
        super().__init__()
        if width % heads or width % 2:
            raise ValueError(
                f"model.heads: expected a divisor of model.width ({width}, which must be even), found {heads}"
            )
        self.width, self.heads = width, heads
        self.embed_target = TokenEmbedding(target, width)
        self.embed_source = self.embed_target if tied and joint else TokenEmbedding(source, width)
        sizes = (width, heads, feed_forward, dropout, attention_dropout)
        self.encoder = TransformerEncoder(encoder["layers"], *sizes)
        self.decoder = cast(
            "Sequence[DecoderLayer]", nn.ModuleList(DecoderLayer(*sizes) for _ in range(decoder["layers"]))
        )
        self.norm_encoder, self.norm_decoder = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = Dropout(dropout)
        self.output = nn.Linear(width, target)
        self.register_buffer("positions", sinusoids(1024, width), persistent=False)
        self._initialise()
        if tied:
            self.output.weight = self.embed_target.weight

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    @classmethod
    def describe(cls, sizes: Sizes) -> Description:
        """A Transformer, which CTranslate2 has."""
        return Description("Transformer", exporter=cls.exporter)

    @classmethod
    def search_bytes(cls, sizes: Sizes, source: int, target: int, beam: int) -> int:
        """Attention of the source to itself, and caches of all hypotheses, old, new and reordered."""
        width, heads, inner = int(sizes["width"]), int(sizes["heads"]), int(sizes["feed_forward"])
        layers = int(sizes["decoder"]["layers"])
        encoder = 5 * heads * source**2 + source * (8 * width + 2 * inner)
        memory = source * width * (1 + 2 * layers)
        caches = 3 * beam * target * width * 2 * layers
        step = beam * (3 * heads * (source + target) + 12 * width + 2 * inner)
        return 4 * (encoder + memory + caches + step)

    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """A slot per source token; keys are the cross-attention keys and values of the decoder layers in turn."""
        slots = self.norm_encoder(self.encoder(self._embed(self.embed_source, source, 0), mask))
        return Memory(slots, mask, tuple(part for layer in self.decoder for part in layer.cross.keys(slots)))

    def initial_state(self, memory: Memory) -> Cache:
        """Empty caches: time 0."""
        empty = memory.slots.new_zeros(len(memory.slots), self.heads, 0, self.width // self.heads)
        return Cache((empty,) * len(self.decoder), (empty,) * len(self.decoder))

    def step(self, previous: Tensor, state: Cache, memory: Memory) -> Step:
        """Appends one position to the caches and attends; the weights are those of the last layer, mean over heads.

        Beams that share a row of memory attend to it as positions of one sequence do: ``(batch, beam, width)``.
        """
        rows, sentences = len(previous), len(memory.mask)
        inputs = self._embed(self.embed_target, previous.unsqueeze(1), state.keys[0].shape[2]).view(
            sentences, -1, self.width
        )
        mask = memory.mask[:, None, None, :]
        all_keys, all_values, weights = [], [], memory.slots
        for level, layer in enumerate(self.decoder):
            queries, keys, values = layer.attention.split(layer.norm_self(inputs).view(rows, 1, self.width))
            all_keys.append(torch.cat([state.keys[level].to(keys.dtype), keys], 2))
            all_values.append(torch.cat([state.values[level].to(values.dtype), values], 2))
            own = layer.attention(queries, all_keys[-1], all_values[-1], None).view_as(inputs)
            source = (*memory.keys[2 * level : 2 * level + 2], mask)
            if level < len(self.decoder) - 1:
                inputs = layer.read_memory(inputs, own, *source)
            else:
                inputs, weights = layer.read_with_weights(inputs, own, *source)
        logits = self.output(self.norm_decoder(inputs)).flatten(0, 1)
        return Step(logits, Cache(tuple(all_keys), tuple(all_values)), weights.flatten(0, 1))

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """The whole target in one pass under a causal mask."""
        inputs = self._embed(self.embed_target, target, 0)
        mask = memory.mask[:, None, None, :]
        causal = torch.ones(target.shape[1], target.shape[1], dtype=torch.bool, device=target.device).tril()
        for level, layer in enumerate(self.decoder):
            own = layer.attention(*layer.attention.split(layer.norm_self(inputs)), causal)
            keys, values = memory.keys[2 * level : 2 * level + 2]
            inputs = layer.read_memory(inputs, own, keys, values, mask)
        logits: Tensor = self.output(self.norm_decoder(inputs))
        return logits

    def _embed(self, embed: TokenEmbedding, tokens: Tensor, start: int) -> Tensor:
        """Tokens and positions from ``start`` on: ``(batch, time) -> (batch, time, width)``."""
        end = start + tokens.shape[1]
        table = self.positions if end <= len(self.positions) else sinusoids(end, self.width).to(self.positions)
        embedded: Tensor = self.dropout(embed(tokens) + table[start:end])
        return embedded


def attend(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, dropout: Dropout) -> Tensor:
    """Scaled dot-product attention (equation 1), ``(batch, head, query, width of a head)``.

    The mask is True where a key may be attended.

    On a CPU the two products are written out: at the lengths of sentences torch's fused kernel is slower, by a factor
    of six for its backward pass in bf16.
    """
    if queries.device.type == "cpu":
        weights: Tensor = dropout(attention_weights(queries, keys, mask))
        return weights @ values
    probability = dropout.probability if dropout.training else 0.0
    return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, dropout_p=probability)


def attention_weights(queries: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
    """softmax(Q K' / sqrt(width)) ``(batch, head, query, key)``, exactly 0 where the mask is False."""
    scores = (queries / math.sqrt(keys.shape[-1])) @ keys.transpose(-1, -2)
    weights = (scores if mask is None else scores.masked_fill(~mask, float("-inf"))).softmax(-1)
    return weights.to(keys.dtype)


def split_heads(inputs: Tensor, heads: int) -> Tensor:
    """``(batch, time, width) -> (batch, head, time, width of a head)``."""
    return torch.unflatten(inputs, -1, (heads, -1)).transpose(1, 2)


def join_heads(inputs: Tensor) -> Tensor:
    """``(batch, head, time, width of a head) -> (batch, time, width)``."""
    return inputs.transpose(1, 2).flatten(2)
