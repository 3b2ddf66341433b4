"""How many floating-point operations a model takes, by formula: two for each multiplication of a matrix product, and nothing else.

What is not a matrix product (tanh, softmax, dropout, the optimiser) is left out, so a share of the machine's rate never reaches 1.
Lengths are in tokens, EOS counted.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from nmt.models.attention import attention_class
from nmt.models.cells import PROJECTIONS
from nmt.models.inference.recurrent import LARGEST_TABLE
from nmt.models.protocol import Sizes


class Operations(ABC):
    """Of one sentence, for a model of these sizes over a vocabulary."""

    def __init__(self, sizes: Sizes, vocabulary: int) -> None:
        self.sizes, self.vocabulary = sizes, vocabulary

    @abstractmethod
    def encoding(self, source: int) -> int:
        """Of `encode`."""

    @abstractmethod
    def decoding(self, source: int, target: int, *, stepwise: bool = False) -> int:
        """Of a target with its initial state, as a whole or step by step."""

    @abstractmethod
    def search(self, source: int, target: int, beam: int) -> int:
        """Of finding one translation with the model for inference, `encode` included."""

    def update(self, source: int, target: int) -> int:
        """Of training on a pair; backward takes twice what forward does: a product for the gradient of either factor."""
        return 3 * (self.encoding(source) + self.decoding(source, target))


class RecurrentOperations(Operations):
    """Of `RecurrentModel`. Private methods count multiplications, of which each is two operations."""

    def __init__(self, sizes: Sizes, vocabulary: int) -> None:
        super().__init__(sizes, vocabulary)
        self.encoder, self.decoder, self.embedding = sizes["encoder"], sizes["decoder"], int(sizes["embedding"])
        self.attention = attention_class(sizes["attention"], sizes["thought_vector"])
        self.hidden, self.layers = int(self.decoder["hidden"]), int(self.decoder["layers"])
        self.projections = PROJECTIONS[sizes["cell"]]
        self.width = int(self.encoder["hidden"]) * (2 if self.encoder["direction"] in ("both", "none") else 1)
        self.slot = int(sizes["bottleneck"] or self.width)
        self.context = self.attention.context_width(self.slot)
        self.shares = self.layers * self.projections * self.hidden + self.embedding

    def encoding(self, source: int) -> int:
        if self.encoder["direction"] == "none":
            states = source * self.embedding * self.width
        else:
            inputs = [self.embedding] + [self.width] * (self.encoder["layers"] - 1)
            directions = 2 if self.encoder["direction"] == "both" else 1
            states = source * directions * sum(self._cell(each, self.encoder["hidden"]) for each in inputs)
        if self.attention.one_slot:
            bottleneck = self.sizes["bottleneck"]
            return int(2 * (states + (self.width * bottleneck if bottleneck else 0)))
        return int(2 * (states + source * self.attention.key_products(self.width, self.sizes["attention_size"])))

    def decoding(self, source: int, target: int, *, stepwise: bool = False) -> int:
        """A context that never changes is read once by the readout of a whole target, and by the fused layer at every position."""
        summed = self._summed(source)
        read = target * self.context * (summed + self.shares)
        if self.attention.constant and not stepwise:
            read -= self.context * self.embedding * (target - 1)
        return int(2 * (self._initial_state() + target * self._without_context(source) + read))

    def search(self, source: int, target: int, beam: int) -> int:
        summed = self._summed(source)
        slots = summed or 1
        own = target * (self._without_context(source) - self._tabulated())
        if slots >= self.context:
            once, each = 0, own + target * self.context * (summed + self.shares)
        else:
            once, each = slots * self.context * self.shares, own + target * summed * self.shares
        return self.encoding(source) + int(2 * (self._initial_state() + once + beam * each))

    def _without_context(self, source: int) -> int:
        """Of a position, all that multiplies no context."""
        cells = sum(self._cell(each, self.hidden) for each in [self.embedding] + [self.hidden] * (self.layers - 1))
        scores = self.attention.score_products(self.hidden, self.sizes["attention_size"], self._summed(source))
        return int(cells + scores + (self.hidden + self.embedding + self.vocabulary) * self.embedding)

    def _tabulated(self) -> int:
        """Of a position, what inference reads from its table."""
        gates = self.projections * self.hidden
        return self.embedding * gates if self.vocabulary * gates <= LARGEST_TABLE else 0

    def _initial_state(self) -> int:
        return self.layers * self.slot * self.hidden * (2 if self.sizes["cell"] == "lstm" else 1)

    def _summed(self, source: int) -> int:
        """Slots that are weighed and summed; none of a thought vector."""
        return 0 if self.attention.one_slot else source

    def _cell(self, inputs: int, hidden: int) -> int:
        return self.projections * hidden * (inputs + hidden)


class TransformerOperations(Operations):
    """Of `TransformerModel`."""

    def encoding(self, source: int) -> int:
        width, feed_forward = self.sizes["width"], self.sizes["feed_forward"]
        layer = source * (4 * width * width + 2 * width * feed_forward) + 2 * source * source * width
        keys = source * self.sizes["decoder"]["layers"] * 2 * width * width
        return int(2 * (self.sizes["encoder"]["layers"] * layer + keys))

    def decoding(self, source: int, target: int, *, stepwise: bool = False) -> int:
        """Step by step, a position is not compared with those after it; a mask over a whole target hides them and saves nothing."""
        width, feed_forward = self.sizes["width"], self.sizes["feed_forward"]
        compared = target * (target + 1) // 2 if stepwise else target * target
        layer = target * (6 * width * width + 2 * width * feed_forward) + 2 * width * (compared + target * source)
        return int(2 * (self.sizes["decoder"]["layers"] * layer + target * width * self.vocabulary))

    def search(self, source: int, target: int, beam: int) -> int:
        return self.encoding(source) + beam * self.decoding(source, target, stepwise=True)
