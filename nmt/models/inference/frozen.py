"""A model that only decodes: weights rounded once, and every verb in the chosen precision."""

from __future__ import annotations

import copy
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from nmt.models.device import autocast
from nmt.models.protocol import State, Step, TranslationModel

Model = TypeVar("Model", bound=TranslationModel)


class FrozenModel(Generic[Model]):
    """The three verbs of any family, by the model's own `encode`, `initial_state` and `step`.

    In bf16 it computes with a copy whose weights are rounded once, where `autocast` would round them in every step.
    """

    def __init__(self, model: Model, device: torch.device, precision: str) -> None:
        assert not model.training, "dropout would change translations"
        self.device, self.precision = device, precision
        self.model = (rounded(model) if precision == "bf16" else model).to(device)

    def autocast(self) -> AbstractContextManager[object]:
        """The precision in which the verbs compute."""
        return autocast(self.device, self.precision) if self.precision == "bf16" else nullcontext()

    def encode(self, source: Tensor, mask: Tensor) -> Any:
        """Reads token ids ``(batch, source)`` whose real positions are True in ``mask``."""
        with self.autocast():
            return self.model.encode(source, mask)

    def initial_state(self, memory: Any) -> State:
        """The state before the first target token."""
        with self.autocast():
            return self.model.initial_state(memory)

    def step(self, previous: Tensor, state: State, memory: Any) -> Step:
        """Reads the previous target ids ``(row,)`` and predicts the next ones."""
        with self.autocast():
            return self.model.step(previous, state, memory)


def rounded(model: Model) -> Model:
    """A copy with the weights of matrix products in bf16; steps of it under `autocast` are the same to the bit.

    Embeddings and norms stay in fp32, so a matrix that serves as embedding too becomes one of its own.
    """
    model = copy.deepcopy(model)
    for module in model.modules():
        if isinstance(module, nn.RNNBase):
            module.to(torch.bfloat16)
        elif isinstance(module, nn.Linear) and module.out_features > 1:  # a single output is a score, computed in fp32
            for name, parameter in list(module.named_parameters(recurse=False)):
                setattr(module, name, nn.Parameter(parameter.detach().to(torch.bfloat16), requires_grad=False))
    return model
