"""Floating-point operations of a model, counted by torch: two for each multiplication of a matrix product.

Everything else (tanh, softmax, dropout, the optimizer) is left out, so a share of the machine's rate stays below 1.
Lengths are in tokens, EOS included.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

from nmt.data.batches import collate, pad
from nmt.data.vocabulary import EOS, UNK
from nmt.models.protocol import DecodingProtocol, TranslationModel
from nmt.search import BeamSearch
from nmt.training.objective import objective


def count(work: Callable[[], object]) -> int:
    """Operations in ``work``, during which fused kernels, which torch's counter cannot see into, are switched off."""
    with (
        warnings.catch_warnings(action="ignore"),  # torch warns of TF32 when its kernels are switched off
        torch.backends.mkldnn.flags(enabled=False),
        torch.backends.cudnn.flags(enabled=False),
        FlopCounterMode(display=False) as counter,
    ):
        work()
    return int(counter.get_total_flops())


def of_update(model: TranslationModel, source: int, target: int, device: torch.device) -> int:
    """Of training on one sentence pair, forward and backward; leaves no gradients."""
    batch = collate([[UNK] * (source - 1)], [[UNK] * (target - 1)]).to(device)
    operations = count(lambda: objective(model, batch).loss.backward())  # type: ignore[no-untyped-call]  # torch's own
    model.zero_grad()
    return operations


def of_search(model: DecodingProtocol, search: BeamSearch, source: int, device: torch.device) -> int:
    """Of translating one sentence, the encoder included."""
    tokens, mask = (each.to(device) for each in pad([[*[UNK] * (source - 1), EOS]]))
    return count(lambda: search(model, tokens, mask))
