"""Small models for experiments, from the same classes as translators, and the names that ``--cells`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import nn

from nmt.models.cells import Cell
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import TranslationModel
from nmt.models.recurrent import RecurrentModel, Stack
from nmt.models.transformer import TransformerModel

HIDDEN, EMBEDDING = 64, 32


def recurrent(
    vocabulary: int,
    *,
    cell: str = "lstm",
    attention: str = "none",
    hidden: int = HIDDEN,
    embedding: int = EMBEDDING,
    direction: str = "forward",
    forget_bias: float = 1.0,
    layers: int = 1,
    residual: bool = False,
) -> RecurrentModel:
    """A recurrent model over one vocabulary, without dropout; encoder and decoder have the same layers and width."""
    stack: Stack = {"layers": layers, "hidden": hidden, "residual": residual}
    return RecurrentModel(
        source=vocabulary,
        target=vocabulary,
        joint=True,
        cell=cell,
        attention=attention,
        embedding=embedding,
        attention_size=hidden,
        bottleneck=None,
        encoder={**stack, "direction": direction},
        decoder=stack,
        forget_bias=forget_bias,
        dropout=0.0,
        tied=False,
    )


def transformer(vocabulary: int, *, width: int = HIDDEN, layers: int = 2) -> TransformerModel:
    """A Transformer over one vocabulary, without dropout."""
    return TransformerModel(
        source=vocabulary,
        target=vocabulary,
        joint=True,
        width=width,
        heads=4,
        feed_forward=4 * width,
        encoder={"layers": layers},
        decoder={"layers": layers},
        dropout=0.0,
        attention_dropout=0.0,
        tied=False,
    )


class Architecture(NamedTuple):
    """A recurrent model of one forward layer."""

    cell: str = "lstm"
    attention: str = "none"
    forget_bias: float = 1.0
    torch_weights: bool = False
    """Initial weights as in torch's layers."""


RECURRENT = {
    "tanh": Architecture("tanh"),
    "tanh-torch": Architecture("tanh", torch_weights=True),
    "gru": Architecture("gru"),
    "lstm-0": Architecture(forget_bias=0.0),
    "lstm-1": Architecture(forget_bias=1.0),
    "lstm-5": Architecture(forget_bias=5.0),
    "lstm-torch": Architecture(torch_weights=True),
    "attention": Architecture(attention="bahdanau"),
}
"""The number after lstm is its forget bias; the encoder of attention is lstm-1."""
ALIASES = {"lstm": "lstm-1"}
NAMES = (*RECURRENT, "transformer", *ALIASES)
INITIAL = (
    "recurrent matrices begin orthogonal, input weights Glorot, biases 0 but for the forget gate's; "
    "tanh-torch and lstm-torch begin as torch's layers do, weights and biases uniform in +-1/sqrt(hidden)"
)
"""The initial weights, as a condition of outcomes."""


def resolve(names: Sequence[str]) -> tuple[str, ...]:
    """The names without aliases, each once."""
    return tuple(dict.fromkeys(ALIASES.get(name, name) for name in names))


def architecture(name: str, *, vocabulary: int, seed: int, numbers: bool = False) -> TranslationModel:
    """A model by name. Its initial weights depend on the seed alone.

    With ``numbers`` the source is pairs of numbers ``(batch, source, 2)`` instead of token ids, embedded by a linear
    map.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _model(name, vocabulary)
        if numbers:
            model.embed_source = nn.Linear(2, EMBEDDING if name in RECURRENT else HIDDEN)
    return model


def recurrent_architecture(name: str, *, vocabulary: int, seed: int) -> RecurrentModel:
    """`architecture` for the names in `RECURRENT`."""
    return cast("RecurrentModel", architecture(name, vocabulary=vocabulary, seed=seed))


def reading_cells(model: RecurrentModel) -> Sequence[Cell]:
    """The forward cells of the encoder, one for each layer."""
    return cast("RecurrentEncoder", model.encoder).forwards


def reading_cell(model: RecurrentModel) -> Cell:
    """The only cell of an encoder of one forward layer."""
    (cell,) = reading_cells(model)
    return cell


def _model(name: str, vocabulary: int) -> TranslationModel:
    if name not in RECURRENT:
        return transformer(vocabulary, layers=1)
    chosen = RECURRENT[name]
    model = recurrent(vocabulary, cell=chosen.cell, attention=chosen.attention, forget_bias=chosen.forget_bias)
    for parameter in reading_cell(model).parameters() if chosen.torch_weights else ():
        nn.init.uniform_(parameter, -(HIDDEN**-0.5), HIDDEN**-0.5)
    return model
