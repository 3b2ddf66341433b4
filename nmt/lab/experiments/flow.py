"""What a gradient is worth after each step on its way back from the end of what was read to its beginning.

The loss looks at the last state alone, as a decoder does that is given a thought vector. A Transformer has no such chain: there the gradient
with respect to the embedded pieces is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nmt.data.batches import Batch
from nmt.lab.experiments.architectures import encoder
from nmt.lab.experiments.traces import trace, unroll
from nmt.models.cells import Cell
from nmt.models.protocol import Memory, TranslationModel
from nmt.models.recurrent import RecurrentModel


@dataclass(frozen=True)
class Highway:
    """The way through an LSTM's cell: the norm of dL/dc_t for each step, mean over examples, and the forget gates on it.

    On the last step the loss reads h, so that nothing comes by the cell: the way is from the last step but one to the first.
    """

    norms: list[float]
    forget: float
    """The mean forget gate over examples, steps and units."""
    gates: float
    """The product of the forget gates on the way, mean over examples and units: what comes through if nothing else acts on the cell."""

    @property
    def predicted(self) -> float:
        """The same if every forget gate had the mean size: f^steps."""
        return float(self.forget ** (len(self.norms) - 2))

    @property
    def decay(self) -> float:
        """What comes back to the first step of the gradient, by the cell and by the gates that read h."""
        return self.norms[0] / self.norms[-2]


@dataclass(frozen=True)
class Flow:
    """Norms of gradients with respect to step 1, 2, ..., mean over examples: of the hidden state, and of h and c together."""

    hidden: list[float]
    state: list[float]
    highway: Highway | None

    @property
    def ratio(self) -> float:
        """What comes back to the first step of what the last one gets."""
        return self.hidden[0] / self.hidden[-1]


def flow(model: TranslationModel, batch: Batch) -> Flow:
    """The norms for a batch, in the precision of the model's weights."""
    if not isinstance(model, RecurrentModel):
        norms = _means(_embedded(model, batch))
        return Flow(norms, norms, None)
    cell, embedded = encoder(model).forwards[0], model.embed_source(batch.source)
    states = unroll(cell, embedded)[1:]
    slots = cell.output(states[-1]).unsqueeze(1)
    loss = _loss(model, Memory(slots, batch.source_mask[:, :1], model.attention.keys(slots)), batch)
    returned = torch.stack(torch.autograd.grad(loss, states), 1)  # (batch, time, state)
    highway = _highway(cell, embedded, returned[..., cell.hidden :]) if cell.kind == "lstm" else None
    return Flow(_means(cell.output(returned)), _means(returned), highway)


@torch.no_grad()
def _highway(cell: Cell, embedded: Tensor, returned: Tensor) -> Highway:
    forget = trace(cell, embedded).forget
    return Highway(_means(returned), forget.mean().item(), forget[:, 1:-1].prod(1).mean().item())


def _embedded(model: TranslationModel, batch: Batch) -> Tensor:
    """The gradient with respect to the embedded source, ``(batch, time, width)``."""
    embedded: list[Tensor] = []
    hook = model.embed_source.register_forward_hook(lambda module, inputs, output: embedded.append(output))  # type: ignore[union-attr]
    loss = _loss(model, model.encode(batch.source, batch.source_mask), batch)
    hook.remove()
    return torch.autograd.grad(loss, embedded)[0]


def _loss(model: TranslationModel, memory: Memory, batch: Batch) -> Tensor:
    """The loss of the first target piece, summed over examples, so that each example's gradient is its own."""
    logits = model.decode(batch.previous[:, :1], memory)
    return functional.cross_entropy(logits[:, 0], batch.expected[:, 0], reduction="sum")


def _means(gradients: Tensor) -> list[float]:
    """``(batch, time, width)`` to one norm a step, mean over examples."""
    norms: list[float] = gradients.norm(dim=-1).mean(0).tolist()
    return norms
