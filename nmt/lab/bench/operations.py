"""How many floating-point operations a model takes, by formula: two for each multiplication of a matrix product, and nothing else.

What is not a matrix product (tanh, softmax, dropout, the optimiser) is left out, so a share of the machine's rate never reaches 1. Lengths are in
pieces with the end counted. Backward takes twice what forward does: a product for the gradient of either factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nmt.models.cells import PROJECTIONS
from nmt.models.inference.recurrent import LARGEST_TABLE

Sizes = Mapping[str, Any]
"""The `model` section of a recipe, as plain values."""


def update(sizes: Sizes, vocabulary: int, source: int, target: int) -> int:
    """Of training on one sentence pair, forward and backward."""
    return 3 * (encoding(sizes, source) + decoding(sizes, vocabulary, source, target))


def translation(sizes: Sizes, vocabulary: int, source: int, target: int, beam: int) -> int:
    """Of finding one translation, step by step, by a model for inference."""
    if sizes["family"] == "transformer":
        return encoding(sizes, source) + beam * decoding(sizes, vocabulary, source, target, stepwise=True)
    once, each = _recurrent_search(sizes, vocabulary, source, target)
    return encoding(sizes, source) + once + beam * each


def encoding(sizes: Sizes, source: int) -> int:
    """Of `encode` for one sentence: encoder, and the keys of attention."""
    return (
        _transformer_encoding(sizes, source) if sizes["family"] == "transformer" else _recurrent_encoding(sizes, source)
    )


def decoding(sizes: Sizes, vocabulary: int, source: int, target: int, *, stepwise: bool = False) -> int:
    """Of a target of one sentence, its initial state included. ``stepwise``, a position is not compared with those after it."""
    if sizes["family"] == "transformer":
        return _transformer_decoding(sizes, vocabulary, source, target, stepwise)
    return _recurrent_decoding(sizes, vocabulary, source, target, stepwise)


def _recurrent_encoding(sizes: Sizes, source: int) -> int:
    encoder, width = sizes["encoder"], _encoder_width(sizes)
    if encoder["direction"] == "none":
        states = source * sizes["embedding"] * width
    else:
        inputs = [sizes["embedding"]] + [width] * (encoder["layers"] - 1)
        directions = 2 if encoder["direction"] == "both" else 1
        states = source * directions * sum(_cell(sizes, each, encoder["hidden"]) for each in inputs)
    if not _summed(sizes, source):
        return int(2 * (states + (width * sizes["bottleneck"] if sizes["bottleneck"] else 0)))
    return int(2 * (states + (source * width * sizes["attention_size"] if sizes["attention"] == "bahdanau" else 0)))


def _recurrent_decoding(sizes: Sizes, vocabulary: int, source: int, target: int, stepwise: bool) -> int:
    """A context that never changes is read once by the readout of a whole target, and by the fused layer at every position."""
    context, summed = _context(sizes), _summed(sizes, source)
    constant = not summed and not stepwise
    read = target * context * (summed + _shares(sizes)) - (
        context * sizes["embedding"] * (target - 1) if constant else 0
    )
    return int(2 * (_initial_state(sizes) + target * _without_context(sizes, vocabulary, source) + read))


def _recurrent_search(sizes: Sizes, vocabulary: int, source: int, target: int) -> tuple[int, int]:
    """Of preparing a memory, and of each hypothesis."""
    context, shares, summed = _context(sizes), _shares(sizes), _summed(sizes, source)
    slots = summed or 1
    own = target * (_without_context(sizes, vocabulary, source) - _tabulated(sizes, vocabulary))
    if slots >= context:
        return int(2 * _initial_state(sizes)), int(2 * (own + target * context * (summed + shares)))
    return int(2 * (_initial_state(sizes) + slots * context * shares)), int(2 * (own + target * summed * shares))


def _without_context(sizes: Sizes, vocabulary: int, source: int) -> int:
    """Of a position, all that multiplies no context."""
    embedding, layers, hidden = sizes["embedding"], sizes["decoder"]["layers"], sizes["decoder"]["hidden"]
    cells = sum(_cell(sizes, each, hidden) for each in [embedding] + [hidden] * (layers - 1))
    scores = {"bahdanau": (hidden + source) * sizes["attention_size"], "dot": source * hidden}.get(
        sizes["attention"], 0
    )
    return int(cells + scores + (hidden + embedding + vocabulary) * embedding)


def _tabulated(sizes: Sizes, vocabulary: int) -> int:
    """Of a position, what a frozen model reads from a table."""
    gates = PROJECTIONS[sizes["cell"]] * sizes["decoder"]["hidden"]
    return int(sizes["embedding"] * gates if vocabulary * gates <= LARGEST_TABLE else 0)


def _initial_state(sizes: Sizes) -> int:
    decoder = sizes["decoder"]
    return int(decoder["layers"] * _slot(sizes) * decoder["hidden"] * (2 if sizes["cell"] == "lstm" else 1))


def _shares(sizes: Sizes) -> int:
    """Numbers that all layers and the readout take from one context."""
    return int(
        sizes["decoder"]["layers"] * PROJECTIONS[sizes["cell"]] * sizes["decoder"]["hidden"] + sizes["embedding"]
    )


def _slot(sizes: Sizes) -> int:
    return int(sizes["bottleneck"] or _encoder_width(sizes))


def _summed(sizes: Sizes, source: int) -> int:
    """Slots that are weighed and summed; none of a thought vector."""
    return 0 if sizes["attention"] == "none" else source


def _context(sizes: Sizes) -> int:
    return 0 if (sizes["attention"], sizes["thought_vector"]) == ("none", "initial_state") else _slot(sizes)


def _cell(sizes: Sizes, inputs: int, hidden: int) -> int:
    return int(PROJECTIONS[sizes["cell"]] * hidden * (inputs + hidden))


def _encoder_width(sizes: Sizes) -> int:
    return int(sizes["encoder"]["hidden"]) * (2 if sizes["encoder"]["direction"] in ("both", "none") else 1)


def _transformer_encoding(sizes: Sizes, source: int) -> int:
    width, layers = sizes["width"], sizes["encoder"]["layers"]
    layer = source * (4 * width * width + 2 * width * sizes["feed_forward"]) + 2 * source * source * width
    keys = source * sizes["decoder"]["layers"] * 2 * width * width
    return int(2 * (layers * layer + keys))


def _transformer_decoding(sizes: Sizes, vocabulary: int, source: int, target: int, stepwise: bool) -> int:
    width = sizes["width"]
    compared = (
        target * (target + 1) // 2 if stepwise else target * target
    )  # positions with positions; a mask hides, it does not save
    layer = target * (6 * width * width + 2 * width * sizes["feed_forward"]) + 2 * width * (compared + target * source)
    return int(2 * (sizes["decoder"]["layers"] * layer + target * width * vocabulary))
