"""Weights as safetensors: tensors by name and nothing that could run."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load as load_bytes, load_file, save
from torch import Tensor, nn


def packed(model: nn.Module, about: dict[str, str] | None = None) -> bytes:
    """All parameters by name, tied ones once, with ``about`` in the header."""
    return save({name: tensor.detach().contiguous().cpu() for name, tensor in model.named_parameters()}, about)


def unpacked(data: bytes) -> dict[str, Tensor]:
    """The tensors by name of `packed` bytes."""
    return load_bytes(data)


def load(model: nn.Module, path: Path) -> None:
    """Loads weights from a file; names and shapes must be the model's."""
    put(model, load_file(path))


def put(model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Copies weights by name into a model that has exactly these parameters."""
    parameters = dict(model.named_parameters())
    if odd := sorted(weights.keys() ^ parameters.keys()):
        raise ValueError(f"weights of another model: {', '.join(odd[:3])} on one side only")
    for name, parameter in parameters.items():
        if weights[name].shape != parameter.shape:
            raise ValueError(
                f"weights of another model: {name} is {tuple(weights[name].shape)}, expected {tuple(parameter.shape)}"
            )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])
