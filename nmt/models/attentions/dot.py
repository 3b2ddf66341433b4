"""`model.attention: dot`, the dot product of query and slot."""

from __future__ import annotations

from torch import Tensor

from nmt.models.attention import Attention, by_memory_row, weigh
from nmt.models.protocol import Memory


class DotAttention(Attention):
    """Weighs the slots by their dot product with the query (Luong et al. 2015, arXiv:1508.04025, equation 8).

    The wiring is Bahdanau's, to change one thing at a time: the query is the state before the step and the context
    feeds the cell, where Luong queries with the state after it.
    """

    title = "dot-product attention"

    def __init__(self, hidden: int, slot: int, size: int) -> None:
        super().__init__()
        if hidden != slot:
            raise ValueError(
                "model.decoder.hidden: attention dot compares query and slot directly, "
                f"expected {slot} units as in a slot, found {hidden}"
            )
        self.context = slot

    def keys(self, slots: Tensor) -> tuple[Tensor, ...]:
        """The slots themselves."""
        return (slots,)

    def forward(self, query: Tensor, memory: Memory) -> tuple[Tensor, Tensor]:
        """Weights of masked slots are exactly 0; every row needs a real slot."""
        return weigh(by_memory_row(query, memory) @ memory.keys[0].transpose(1, 2), memory)


ATTENTION = DotAttention
