"""What each target piece attended to."""

from __future__ import annotations

from nmt.errors import UserError
from nmt.interpret.matrix import Margin, Matrix, labels
from nmt.interpret.subject import Subject
from nmt.models.attention import ATTENTIONS
from nmt.models.protocol import DecodingProtocol
from nmt.models.recurrent import RecurrentModel
from nmt.models.transformer import TransformerModel


def present(subject: Subject) -> bool:
    """Whether memory had a slot for every source piece; a thought vector has one for all of them."""
    weights = subject.hypothesis.weights
    return weights is not None and weights.shape[1] == len(subject.source_tokens)


def matrix(subject: Subject) -> Matrix:
    """The weights of the slots, ``(target, source)``; each row sums to 1. Of a Transformer, those of the last layer, mean over heads."""
    weights = subject.hypothesis.weights
    if weights is None or not present(subject):
        raise UserError(f"this run has {_reader(subject.model)} and so no attention; use --kind occlusion")
    return Matrix(
        rows=labels(subject.target_pieces),
        columns=labels(subject.source_pieces),
        values=weights.tolist(),
        scale="attention weight"
        + (", last layer, mean over heads" if isinstance(subject.model, TransformerModel) else ""),
        beside=Margin("log p", subject.scores),
    )


def _reader(model: DecodingProtocol) -> str:
    if not isinstance(model, RecurrentModel):
        return "one slot of memory"
    return "reader " + next(name for name, reader in ATTENTIONS.items() if type(model.reader) is reader)
