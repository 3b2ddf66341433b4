"""Numbers of 16 bits where the hardware multiplies in them: products in bf16, all else in fp32, by torch's autocast."""

from __future__ import annotations

import torch
from torch import nn

from nmt.models.protocol import TranslationModel


def resolved(wanted: str, device: torch.device) -> str:
    """``auto`` becomes bf16 where the hardware multiplies in it, and fp32 elsewhere."""
    return wanted if wanted != "auto" else "bf16" if computes_bf16(device) else "fp32"


def computes_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bf16, instead of imitating them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # torch offers no public question for CPUs
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """bf16 where it is safe, or plain fp32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


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
