"""Rounds the weights of a model that only translates."""

from __future__ import annotations

import torch
from torch import nn

from nmt.models.device import autocast
from nmt.models.protocol import TranslationModel


def freeze(model: TranslationModel, device: torch.device, precision: str) -> None:
    """Makes steps cheaper, in place, for a model that is not trained any more and computes in this precision. The results are the same."""
    if precision == "bf16":
        round_products(model)
    with torch.no_grad(), autocast(device, precision):
        model.tabulate()


def round_products(model: nn.Module) -> None:
    """Rounds once, in place, the weights that `autocast` would round in every step, for a model that is not trained on. The results are the
    same; embeddings and norms stay in fp32, so a matrix that serves as embedding too becomes one of its own."""
    for module in model.modules():
        if isinstance(module, nn.RNNBase):
            module.to(torch.bfloat16)
        elif isinstance(module, nn.Linear) and module.out_features > 1:  # a reader takes its single scores in fp32
            for name, parameter in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False))
