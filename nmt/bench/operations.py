"""How many floating-point operations a model takes, by formula: two for each multiplication of a matrix product, and nothing else.

What is not a matrix product (tanh, softmax, dropout, the optimiser) is left out, so a share of the machine's rate never reaches 1. Lengths are in
pieces with the end counted. Backward takes twice what forward does: a product for the gradient of either factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmt.models.cells import GATES

Sizes = Mapping[str, Any]
"""The `model` section of a recipe, as plain values."""


def update(sizes: Sizes, vocabulary: int, source: int, target: int) -> int:
    """Of training on one sentence pair, forward and backward."""
    return 3 * (encoding(sizes, source) + decoding(sizes, vocabulary, source, target))


def translation(sizes: Sizes, vocabulary: int, source: int, target: int, beam: int) -> int:
    """Of finding one translation, step by step."""
    return encoding(sizes, source) + beam * decoding(sizes, vocabulary, source, target, stepwise=True)


def encoding(sizes: Sizes, source: int) -> int:
    """Of `encode` for one sentence: encoder, and the keys that readers want."""
    return _transformer_encoding(sizes, source) if sizes["family"] == "transformer" else _recurrent_encoding(sizes, source)


def decoding(sizes: Sizes, vocabulary: int, source: int, target: int, *, stepwise: bool = False) -> int:
    """Of a target of one sentence, its initial state included. ``stepwise``, a position is not compared with those after it."""
    if sizes["family"] == "transformer":
        return _transformer_decoding(sizes, vocabulary, source, target, stepwise)
    return _recurrent_decoding(sizes, vocabulary, source, target)


def _recurrent_encoding(sizes: Sizes, source: int) -> int:
    encoder, width = sizes["encoder"], _encoder_width(sizes)
    if encoder["direction"] == "none":
        states = source * sizes["embedding"] * width
    else:
        inputs = [sizes["embedding"]] + [width] * (encoder["layers"] - 1)
        directions = 2 if encoder["direction"] == "both" else 1
        states = source * directions * sum(_cell(sizes, each, encoder["hidden"]) for each in inputs)
    if sizes["reader"] in ("none", "fixed"):
        return int(2 * (states + (width * sizes["slot"] if sizes["slot"] else 0)))
    return int(2 * (states + (source * width * sizes["attention"] if sizes["reader"] == "bahdanau" else 0)))


def _recurrent_decoding(sizes: Sizes, vocabulary: int, source: int, target: int) -> int:
    embedding, layers, hidden = sizes["embedding"], sizes["decoder"]["layers"], sizes["decoder"]["hidden"]
    slot = sizes["slot"] or _encoder_width(sizes)
    context = 0 if sizes["reader"] == "none" else slot
    inputs = [embedding] + [hidden] * (layers - 1)
    state = hidden * (2 if sizes["cell"] == "lstm" else 1)
    cells = sum(_cell(sizes, each + context, hidden) for each in inputs)
    read = {
        "bahdanau": hidden * sizes["attention"] + source * (sizes["attention"] + slot),
        "dot": source * (hidden + slot),
    }.get(sizes["reader"], 0)
    readout = (hidden + embedding + context) * embedding + embedding * vocabulary
    return int(2 * (layers * slot * state + target * (cells + read + readout)))


def _cell(sizes: Sizes, inputs: int, hidden: int) -> int:
    return int(GATES[sizes["cell"]] * hidden * (inputs + hidden))


def _encoder_width(sizes: Sizes) -> int:
    return int(sizes["encoder"]["hidden"]) * (2 if sizes["encoder"]["direction"] in ("both", "none") else 1)


def _transformer_encoding(sizes: Sizes, source: int) -> int:
    width, layers = sizes["width"], sizes["encoder"]["layers"]
    layer = source * (4 * width * width + 2 * width * sizes["feed_forward"]) + 2 * source * source * width
    keys = source * sizes["decoder"]["layers"] * 2 * width * width
    return int(2 * (layers * layer + keys))


def _transformer_decoding(sizes: Sizes, vocabulary: int, source: int, target: int, stepwise: bool) -> int:
    width = sizes["width"]
    compared = target * (target + 1) // 2 if stepwise else target * target  # positions with positions; a mask hides, it does not save
    layer = target * (6 * width * width + 2 * width * sizes["feed_forward"]) + 2 * width * (compared + target * source)
    return int(2 * (sizes["decoder"]["layers"] * layer + target * width * vocabulary))
