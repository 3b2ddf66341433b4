"""Our Transformer in the layout of CTranslate2, a C++ engine for inference: names of weights and settings.

Set explicitly are our position table (its own has sines and cosines in halves and begins at 1), the epsilon of the
norms, and that attention weights are the mean over the heads of the last layer, as in `TransformerModel.step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from nmt.data.vocabulary import BOS, EOS, UNK
from nmt.models.embeddings import sinusoids
from nmt.models.transformer import DecoderLayer, EncoderLayer, FeedForward, TransformerModel

FEWEST_POSITIONS = 1024
"""Rows of an exported table of positions, if the run's own limits do not ask for more."""


def specification(model: TransformerModel, source: Sequence[str], target: Sequence[str], positions: int) -> Any:
    """A checked `ctranslate2.specs.TransformerSpec` with the model's weights, for up to ``positions`` pieces on either
    side.

    ``source`` and ``target`` are the vocabularies' pieces in the order of their token ids.
    """
    from ctranslate2.specs import TransformerSpec

    layers = (len(model.encoder.layers), len(model.decoder))
    spec = TransformerSpec.from_config(
        layers, model.heads, pre_norm=True, alignment_layer=-1, alignment_heads=model.heads
    )
    table = _array(sinusoids(positions, model.width))
    for side, embedding, norm in (
        (spec.encoder, spec.encoder.embeddings[0], model.norm_encoder),
        (spec.decoder, spec.decoder.embeddings, model.norm_decoder),
    ):
        side.position_encodings.encodings = table
        embedding.weight = _array((model.embed_source if side is spec.encoder else model.embed_target).weight)
        _fill_norm(side.layer_norm, norm)
    for filled, layer in zip(spec.encoder.layer, model.encoder.layers, strict=True):
        _fill_encoder_layer(filled, layer)
    for filled, decoding in zip(spec.decoder.layer, model.decoder, strict=True):
        _fill_decoder_layer(filled, decoding)
    _fill_linear(spec.decoder.projection, model.output)
    _configure(spec, model, source, target)
    spec.validate()
    return spec


def _configure(spec: Any, model: TransformerModel, source: Sequence[str], target: Sequence[str]) -> None:
    spec.config.layer_norm_epsilon = model.norm_encoder.eps
    spec.config.add_source_eos = True
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = target[UNK], target[BOS], target[EOS]
    spec.config.decoder_start_token = target[BOS]
    spec.register_source_vocabulary(list(source))
    spec.register_target_vocabulary(list(target))


def _fill_encoder_layer(filled: Any, layer: EncoderLayer) -> None:
    _fill_attention(filled.self_attention, layer.norm_self, layer.attention.project, layer.attention.out)
    _fill_feed_forward(filled.ffn, layer.norm_feed, layer.feed)


def _fill_decoder_layer(filled: Any, layer: DecoderLayer) -> None:
    _fill_attention(filled.self_attention, layer.norm_self, layer.attention.project, layer.attention.out)
    _fill_attention(filled.attention, layer.norm_cross, layer.cross.query, layer.cross.project, layer.cross.out)
    _fill_feed_forward(filled.ffn, layer.norm_feed, layer.feed)


def _fill_attention(filled: Any, norm: nn.LayerNorm, *linears: nn.Linear) -> None:
    _fill_norm(filled.layer_norm, norm)
    for each, linear in zip(filled.linear, linears, strict=True):
        _fill_linear(each, linear)


def _fill_feed_forward(filled: Any, norm: nn.LayerNorm, feed: FeedForward) -> None:
    _fill_norm(filled.layer_norm, norm)
    _fill_linear(filled.linear_0, feed.inner)
    _fill_linear(filled.linear_1, feed.out)


def _fill_norm(filled: Any, norm: nn.LayerNorm) -> None:
    filled.gamma, filled.beta = _array(norm.weight), _array(norm.bias)


def _fill_linear(filled: Any, linear: nn.Linear) -> None:
    filled.weight, filled.bias = _array(linear.weight), _array(linear.bias)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().float().cpu().numpy()
