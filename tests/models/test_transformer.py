from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from nmt.models.dropout import Dropout
from nmt.models.embeddings import TokenEmbedding, sinusoids
from nmt.models.protocol import TranslationModel
from nmt.models.transformer import DecoderLayer, EncoderLayer, TransformerModel, attend

BATCH, TIME, SLOTS, WIDTH, HEADS, INNER = 3, 6, 5, 8, 2, 12
MASK = torch.arange(SLOTS) < torch.tensor([5, 2, 3]).unsqueeze(1)
CAUSAL = torch.ones(TIME, TIME, dtype=torch.bool).tril()


def shaken(module: nn.Module) -> None:
    """Moves every parameter from its start, so that a bias or a norm left out is seen."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))


def copy_weights(pairs: list[tuple[nn.Module, nn.Module]]) -> None:
    for reference, ours in pairs:
        reference.load_state_dict(ours.state_dict())


def copy_self_attention(reference: nn.MultiheadAttention, layer: EncoderLayer | DecoderLayer) -> None:
    reference.in_proj_weight.data.copy_(layer.attention.project.weight)
    reference.in_proj_bias.data.copy_(layer.attention.project.bias)
    copy_weights([(reference.out_proj, layer.attention.out)])


@torch.no_grad()
def test_an_encoder_layer_equals_torchs() -> None:
    layer = EncoderLayer(WIDTH, HEADS, INNER, 0.0, 0.0)
    reference = nn.TransformerEncoderLayer(WIDTH, HEADS, INNER, 0.0, batch_first=True, norm_first=True)
    shaken(layer)
    copy_self_attention(reference.self_attn, layer)
    copy_weights([(reference.linear1, layer.feed.inner), (reference.linear2, layer.feed.out)])
    copy_weights([(reference.norm1, layer.norm_self), (reference.norm2, layer.norm_feed)])
    inputs = torch.randn(BATCH, SLOTS, WIDTH)
    expected = reference(inputs, src_key_padding_mask=~MASK)
    torch.testing.assert_close(layer(inputs, MASK[:, None, None, :]), expected, atol=1e-5, rtol=0.0)


@torch.no_grad()
def test_a_decoder_layer_equals_torchs() -> None:
    layer = DecoderLayer(WIDTH, HEADS, INNER, 0.0, 0.0)
    reference = nn.TransformerDecoderLayer(WIDTH, HEADS, INNER, 0.0, batch_first=True, norm_first=True)
    shaken(layer)
    copy_self_attention(reference.self_attn, layer)
    reference.multihead_attn.in_proj_weight.data.copy_(
        torch.cat([layer.cross.query.weight, layer.cross.project.weight])
    )
    reference.multihead_attn.in_proj_bias.data.copy_(torch.cat([layer.cross.query.bias, layer.cross.project.bias]))
    copy_weights(
        [
            (reference.multihead_attn.out_proj, layer.cross.out),
            (reference.linear1, layer.feed.inner),
            (reference.linear2, layer.feed.out),
        ]
    )
    copy_weights(
        [(reference.norm1, layer.norm_self), (reference.norm2, layer.norm_cross), (reference.norm3, layer.norm_feed)]
    )
    inputs, slots = torch.randn(BATCH, TIME, WIDTH), torch.randn(BATCH, SLOTS, WIDTH)
    own = layer.attention(*layer.attention.split(layer.norm_self(inputs)), CAUSAL)
    found = layer.read_memory(inputs, own, *layer.cross.keys(slots), MASK[:, None, None, :])
    expected = reference(inputs, slots, tgt_mask=~CAUSAL, memory_key_padding_mask=~MASK)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("mask", [None, CAUSAL, MASK[:, None, None, :]], ids=["whole", "causal", "padded"])
@torch.no_grad()
def test_attention_written_out_equals_torchs_fused_one(mask: torch.Tensor | None) -> None:
    keys, values = torch.randn(2, BATCH, HEADS, TIME if mask is CAUSAL else SLOTS, 4)
    queries = torch.randn(BATCH, HEADS, TIME, 4)
    expected = functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    torch.testing.assert_close(attend(queries, keys, values, mask, Dropout(0.0)), expected, atol=1e-6, rtol=0.0)


def test_positions_are_the_papers_sines_and_cosines() -> None:
    positions = range(0, 1024, 31)
    expected = [
        [wave(position / 10000 ** (2 * i / WIDTH)) for i in range(WIDTH // 2) for wave in (math.sin, math.cos)]
        for position in positions
    ]
    # An angle of up to 1024 has an error of 1024 * 2^-24 in single precision, and the wave passes it on.
    torch.testing.assert_close(
        sinusoids(1024, WIDTH)[::31][: len(expected)], torch.tensor(expected), atol=3e-4, rtol=0.0
    )


def tiny(layers: int = 1) -> TransformerModel:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "width": 4,
        "heads": 2,
        "feed_forward": 4,
        "encoder": {"layers": 1},
        "decoder": {"layers": layers},
    }
    return TransformerModel(
        source=9, target=9, joint=True, tied=True, dropout=0.0, attention_dropout=0.0, **sizes
    ).eval()


@torch.no_grad()
def test_the_weights_of_a_step_are_those_that_the_last_layer_attends_with() -> None:
    model = tiny(layers=2)
    shaken(model)
    memory = model.encode(torch.randint(9, (BATCH, SLOTS)), MASK)
    cross = model.decoder[-1].cross
    given: list[torch.Tensor] = []
    cross.query.register_forward_pre_hook(lambda _, inputs: given.extend(inputs))
    step = model.step(torch.tensor([1, 2, 3]), model.initial_state(memory), memory)
    (inputs,), (keys, values), mask = given, memory.keys[2:], MASK[:, None, None, :]
    read, weights = cross.with_weights(inputs, keys, values, mask)
    torch.testing.assert_close(read, cross(inputs, keys, values, mask), atol=1e-6, rtol=0.0)
    torch.testing.assert_close(step.weights, weights.squeeze(1), atol=1e-6, rtol=0.0)
    each = torch.eye(SLOTS).expand(
        BATCH, model.heads, -1, -1
    )  # attending to slots that are themselves gives the weights
    attended = attend(
        cross.query(inputs).view(BATCH, 1, model.heads, -1).transpose(1, 2), keys, each, mask, Dropout(0.0)
    )
    torch.testing.assert_close(weights, attended.mean(1), atol=1e-6, rtol=0.0)


@torch.no_grad()
def test_a_text_longer_than_the_table_of_positions_is_read_and_written() -> None:
    model, tokens = tiny().double(), torch.randint(9, (1, 1030))
    memory = model.encode(tokens, torch.ones_like(tokens, dtype=torch.bool))
    torch.testing.assert_close(
        model.decode(tokens, memory), TranslationModel.decode(model, tokens, memory), atol=1e-10, rtol=0.0
    )
    assert torch.equal(sinusoids(1030, 4)[:1024], sinusoids(1024, 4))


@torch.no_grad()
def test_tied_matrices_are_one_and_counted_once() -> None:
    model = tiny()
    names = [name for name, _ in model.named_parameters() if "embed" in name or name.startswith("output")]
    assert names == ["embed_target.weight", "output.bias"]


@torch.no_grad()
def test_embeddings_are_scaled_to_deviation_1() -> None:
    torch.manual_seed(0)
    vectors = TokenEmbedding(1000, 64)(torch.arange(1000))
    assert abs(float(vectors.std()) - 1) < 0.02  # of 64,000 normal numbers: the deviation's own is 0.003
