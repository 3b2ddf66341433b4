"""Which source pieces a translation rests on, for every family: each is left out in turn, and what that costs is measured.

value_ij = log p(y_i | y_<i, x) - log p(y_i | y_<i, x without x_j), in nats, under teacher forcing: the translation stays what it was
(erasure: Li, Monroe and Jurafsky 2016, arXiv:1612.08220; theirs is relative to log p, ours absolute, so that values add up to that of the
translation). The piece is removed, not replaced by the unknown piece: the vocabulary falls back on bytes, so no training sentence held
that piece and its embedding is still noise. What stands behind a removed piece moves up by one place, which is part of what is measured.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nmt.interpret.matrix import Margin, Matrix, labels
from nmt.interpret.subject import Subject, forced

NOTICEABLE, LOST = 0.05, 5.0
"""Nats: the least that has the strongest shade, so that rounding is not shown as a pattern where nothing matters, and the most: a piece whose
probability fell 150-fold is lost, and what else it could lose would only make all other cells pale."""


def matrix(subject: Subject) -> Matrix:
    """The falls in log-probability ``(target, source)``; the end of the source stays, since no model has read a source without it."""
    found = falls(subject)
    most = float(found.max())
    return Matrix(
        rows=labels(subject.target_pieces),
        columns=labels(subject.source_pieces[:-1]),
        values=found.tolist(),
        scale="fall of log p without the piece (nats" + (f"; {LOST:g} and more are alike)" if most > LOST else ")"),
        beside=Margin("log p", subject.scores),
        below=Margin("sum", found.sum(0).tolist()),
        top=min(max(most, NOTICEABLE), LOST),
        notes=("A piece that became more probable has a value below 0 and is not shaded.",)
        if bool((found < -NOTICEABLE).any())
        else (),
    )


def falls(subject: Subject) -> Tensor:
    """``(target, source)``, without the end of the source."""
    tokens = subject.source_tokens
    whole = torch.tensor([tokens], device=subject.device)
    left_out = torch.tensor(
        [[*tokens[:place], *tokens[place + 1 :]] for place in range(len(tokens) - 1)], device=subject.device
    )
    rows = max(1, subject.batch_tokens // len(tokens))
    scores = torch.cat([forced(subject.model, part, subject.target_tokens) for part in torch.split(left_out, rows)])
    return (forced(subject.model, whole, subject.target_tokens) - scores).T  # (source, target) -> (target, source)
