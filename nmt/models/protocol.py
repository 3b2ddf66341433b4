"""The one interface of all model families: three verbs, and memory and state as values.

`encode` turns a source into a `Memory`, `initial_state` turns a memory into a state, `step` reads one target piece and predicts the next.
A decoder therefore is a function of (memory, target prefix) and of nothing else: if memory has one slot, the thought vector is all it
can know of the source. Search, experiments and export are written against these verbs and never ask which family they serve.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor, nn

State: TypeAlias = Any
"""A (nested) tuple of tensors whose axis 0 is the batch. Only the family that made it looks inside."""

Tree = TypeVar("Tree")


class Memory(NamedTuple):
    """All that a decoder learns about the source. The batch is axis 0 of every tensor in it.

    slots: ``(batch, slot, width)``; one slot is the thought vector, one slot per source piece is attention.
    mask: ``(batch, slot)``, True where a slot is real and may be read.
    keys: what attention computes once from the slots, such as the projected keys of attention; empty where nothing is.
    values: what steps read instead of the slots after `TranslationModel.prepared`, ``(batch, slot, value)``; empty before.
    """

    slots: Tensor
    mask: Tensor
    keys: tuple[Tensor, ...] = ()
    values: tuple[Tensor, ...] = ()

    @property
    def readable(self) -> Tensor:
        """What readers weigh and sum up."""
        return self.values[0] if self.values else self.slots


class Step(NamedTuple):
    """One decoding position: unnormalised logits ``(batch, vocabulary)``, the next state, and the weights ``(batch, slot)``.

    A row of weights sums to 1, or to 0 for a decoder that reads memory in its initial state only.
    """

    logits: Tensor
    state: State
    weights: Tensor


class DecodingProtocol(Protocol):
    """What search needs of a model; an ensemble or a scripted fake satisfies it as well as a `TranslationModel`."""

    def encode(self, source: Tensor, mask: Tensor) -> Any: ...

    def initial_state(self, memory: Any) -> State: ...

    def step(self, previous: Tensor, state: State, memory: Any) -> Step: ...


class TranslationModel(nn.Module, ABC):
    """A model family: the three verbs, and the teacher-forced pass written with them."""

    shares_memory: ClassVar[bool] = True
    """Whether a row of memory can serve several rows of a state, see `step`; for what does not say so, search makes a row for each."""

    @abstractmethod
    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """Reads token ids ``(batch, source)`` whose real positions are True in ``mask``."""

    def prepared(self, memory: Memory) -> Memory:
        """The memory with more of what steps would compute from it again and again, for whoever takes many; steps from it are the same."""
        return memory

    def tabulate(self) -> None:
        """Computes once what every step computes from weights alone, for a model that is not trained any more; steps are the same."""

    @abstractmethod
    def initial_state(self, memory: Memory) -> State:
        """The state before the first target piece, a function of memory alone."""

    @abstractmethod
    def step(self, previous: Tensor, state: State, memory: Memory) -> Step:
        """Reads the previous target ids ``(batch,)`` and predicts the next ones. Nothing is kept in the module.

        Memory may have fewer rows than there are ids: each then serves as many of them in a row, so that beams need no copies of it.
        """

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """Logits ``(batch, target, vocabulary)`` under teacher forcing for the decoder's inputs ``(batch, target)``.

        This default unrolls `step` and is the definition; a family may override it with something faster that is tested equal.
        """
        state = self.initial_state(memory)
        logits = []
        for previous in target.unbind(1):
            step = self.step(previous, state, memory)
            logits.append(step.logits)
            state = step.state
        return torch.stack(logits, 1)

    def forward(self, source: Tensor, mask: Tensor, target: Tensor) -> Tensor:
        """`encode`, then `decode`: logits ``(batch, target, vocabulary)``."""
        return self.decode(target, self.encode(source, mask))


def select(tree: Tree, rows: Tensor) -> Tree:
    """The given rows ``(new batch,)`` of every tensor in a memory or state: reorders a beam, drops what has finished."""
    selected: Tree = _map(tree, lambda tensor: tensor.index_select(0, rows))
    return selected


def repeat(tree: Tree, times: int) -> Tree:
    """Every row of every tensor ``times`` times in a row: a memory or state for a beam."""
    repeated: Tree = _map(tree, lambda tensor: tensor.repeat_interleave(times, 0))
    return repeated


def size_in_bytes(tree: Any) -> int:
    """Bytes held by all tensors of a memory or state."""
    if isinstance(tree, Tensor):
        return tree.numel() * tree.element_size()
    return sum(size_in_bytes(part) for part in tree)


def _map(tree: Any, change: Any) -> Any:
    if isinstance(tree, Tensor):
        return change(tree)
    parts = [_map(part, change) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
