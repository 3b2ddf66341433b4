"""The one interface of all model families: three verbs, and memory and state as values.

`encode` turns a source into a `Memory`, `initial_state` turns a memory into a state, `step` reads one target token and
predicts the next. A decoder therefore is a function of (memory, target prefix) and of nothing else: if memory has one
slot, the thought vector is all it can know of the source. Search, experiments and export are written against these
verbs and do not depend on the family.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar, cast

import torch
from torch import Tensor, nn

Sizes: TypeAlias = Mapping[str, Any]
"""The `model` section of a recipe as plain values, its family among them."""

State: TypeAlias = Any
"""A (nested) tuple of tensors whose axis 0 is the batch. Only the family that made it looks inside."""

Tree = TypeVar("Tree")


class Memory(NamedTuple):
    """All that a decoder learns about the source. The batch is axis 0 of every tensor in it.

    slots: ``(batch, slot, width)``; one slot is the thought vector, one slot per source token is attention.
    mask: ``(batch, slot)``, True where a slot is real and may be attended.
    keys: what attention computes once from the slots to score them; empty where nothing is.
    """

    slots: Tensor
    mask: Tensor
    keys: tuple[Tensor, ...] = ()


class Step(NamedTuple):
    """One decoding position: logits ``(batch, vocabulary)``, the next state, and attention weights ``(batch, slot)``.

    A row of weights sums to 1, or to 0 for a decoder that reads memory in its initial state only.
    """

    logits: Tensor
    state: State
    weights: Tensor


class DecodingProtocol(Protocol):
    """The three verbs, which are all that search needs: a `TranslationModel`, its inference model, an ensemble, a fake.

    Beams share memory: with k times as many rows of state as of memory, memory row i serves rows i*k to i*k + k - 1 of
    the state.
    """

    def encode(self, source: Tensor, mask: Tensor) -> Any: ...

    def initial_state(self, memory: Any) -> State: ...

    def step(self, previous: Tensor, state: State, memory: Any) -> Step: ...


@dataclass(frozen=True)
class Description:
    """What a model is to its users."""

    title: str
    """For people: `LSTM, attention`."""
    one_slot: bool = False
    """Whether memory is one slot, the thought vector."""
    gates: bool = False
    """Whether the encoder has gates to show."""
    recurrent: bool = False
    """Whether it reads and writes token by token, with a state whose size does not grow."""
    exporter: str | None = None
    """See `TranslationModel.exporter`."""

    @property
    def interpretations(self) -> tuple[str, ...]:
        """The methods of interpretation that apply, the best first."""
        return (*["attention"] * (not self.one_slot), "occlusion", *["gates"] * self.gates)


class TranslationModel(nn.Module, ABC):
    """A model family: the three verbs, and the teacher-forced pass written with them."""

    inference: ClassVar[str] = "nmt.models.inference.frozen:FrozenModel"
    """``module:Class`` of the inference model, constructed from model, device and precision."""

    exporter: ClassVar[str | None] = None
    """``module:function`` that converts the model for CTranslate2; None where that engine has no such model."""
    attention_scope: ClassVar[str] = ""
    """Of which layer and heads the weights of a step are, where there are several."""

    @classmethod
    def describe(cls, sizes: Sizes) -> Description:
        """What is known of a model from the `model` section of its recipe, as plain values, before it is built."""
        return Description(cls.__name__)

    @classmethod
    def search_bytes(cls, sizes: Sizes, source: int, target: int, beam: int) -> int:
        """Bytes that memory, state and a step take at most, in fp32, while one sentence is searched.

        The lengths are those of the source and of the longest target; 0 for a family that does not say.
        """
        return 0

    @abstractmethod
    def encode(self, source: Tensor, mask: Tensor) -> Memory:
        """Reads token ids ``(batch, source)`` whose real positions are True in ``mask``."""

    @abstractmethod
    def initial_state(self, memory: Memory) -> State:
        """The state before the first target token, a function of memory alone."""

    @abstractmethod
    def step(self, previous: Tensor, state: State, memory: Memory) -> Step:
        """Reads the previous target ids ``(batch,)`` and predicts the next ones. Nothing is kept in the module."""

    def decode(self, target: Tensor, memory: Memory) -> Tensor:
        """Logits ``(batch, target, vocabulary)`` under teacher forcing for the decoder's inputs ``(batch, target)``.

        This default unrolls `step` and is the definition; a family may override it with something faster that is tested
        equal.
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

    def encoder_gates(self, source: Tensor) -> dict[str, Tensor]:
        """The encoder's gates by name, ``(source, hidden)``, over one source; `ValueError` without any."""
        raise ValueError("this run's model is not recurrent and has no gates")

    def for_inference(self, device: torch.device, precision: str) -> DecodingProtocol:
        """The three verbs for search; what depends on the weights alone is computed here. Precision is fp32 or bf16.

        The model must be in evaluation mode. In fp32 weights are shared with it, so after an update make another.
        """
        found: DecodingProtocol = load_name(self.inference)(self, device, precision)
        return found


def load_name(name: str) -> Any:
    """What is named ``module:name``."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def select(tree: Tree, rows: Tensor) -> Tree:
    """The given rows ``(new batch,)`` of every tensor in a memory or state, to reorder beams or drop sentences."""
    return _map(tree, lambda tensor: tensor.index_select(0, rows))


def repeat(tree: Tree, times: int) -> Tree:
    """Every row of every tensor in a memory or state ``times`` times in a row."""
    return _map(tree, lambda tensor: tensor.repeat_interleave(times, 0))


def size_in_bytes(tree: Any) -> int:
    """Bytes held by all tensors of a memory or state."""
    if isinstance(tree, Tensor):
        return tree.numel() * tree.element_size()
    return sum(size_in_bytes(part) for part in tree)


def _map(tree: Tree, change: Callable[[Tensor], Tensor]) -> Tree:
    if isinstance(tree, Tensor):
        return cast("Tree", change(tree))
    parts = [_map(part, change) for part in cast("tuple[Any, ...]", tree)]
    return cast("Tree", type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts))
