"""The architectures that experiments compare, by the names that ``--cells`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import nn

from nmt.lab.experiments.learning import recurrent, transformer
from nmt.models.encoders import RecurrentEncoder
from nmt.models.protocol import TranslationModel
from nmt.models.recurrent import RecurrentModel

HIDDEN, EMBEDDING = 64, 32
RECURRENT: dict[str, dict[str, Any]] = {
    "tanh": {"cell": "tanh"},
    "tanh-torch": {"cell": "tanh"},
    "gru": {"cell": "gru"},
    "lstm-0": {"forget_bias": 0.0},
    "lstm-1": {"forget_bias": 1.0},
    "lstm-5": {"forget_bias": 5.0},
    "lstm-torch": {},
    "attention": {"attention": "bahdanau"},
}
"""An LSTM is named with its forget bias; attention reads the states of an LSTM of bias 1."""
ALIASES = {"lstm": "lstm-1"}
NAMES = (*RECURRENT, "transformer", *ALIASES)
INITIAL = (
    "recurrent matrices begin orthogonal, input weights Glorot, biases 0 but for the forget gate's; "
    "tanh-torch and lstm-torch begin as torch's layers do, weights and biases uniform in +-1/sqrt(hidden)"
)


def resolve(names: Sequence[str]) -> tuple[str, ...]:
    """Each model once, aliases by the name they stand for."""
    return tuple(dict.fromkeys(ALIASES.get(name, name) for name in names))


def architecture(name: str, *, vocabulary: int, seed: int, numbers: bool = False) -> TranslationModel:
    """A small model by name, with weights that are a function of the seed alone; recurrent ones read forward, in one layer.

    With ``numbers``, its source is not token ids but pairs of numbers ``(batch, source, 2)``, mapped linearly to the width of embeddings.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = (
            transformer(vocabulary, width=HIDDEN, layers=1) if name == "transformer" else _recurrent(name, vocabulary)
        )
        if numbers:
            model.embed_source = nn.Linear(2, HIDDEN if name == "transformer" else EMBEDDING)
    return model


def encoder(model: TranslationModel) -> RecurrentEncoder:
    """The encoder of a recurrent model."""
    return cast("RecurrentEncoder", cast("RecurrentModel", model).encoder)


def _recurrent(name: str, vocabulary: int) -> TranslationModel:
    model = recurrent(vocabulary, hidden=HIDDEN, embedding=EMBEDDING, **RECURRENT[name])
    for cell in encoder(model).forwards if name.endswith("-torch") else ():
        for parameter in cell.parameters():
            nn.init.uniform_(parameter, -(HIDDEN**-0.5), HIDDEN**-0.5)
    return model
