"""How much memory a search may take, so that the recipe of a stranger cannot fill it.

Beam, longest output, longest source and batch are each within bounds, but memory is in proportion to their product. So
what a sentence takes is estimated from all of them before it is searched: longer sentences are translated in parts,
batches have fewer sentences, and a beam for which even a short sentence takes too much is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from nmt.errors import UserError
from nmt.models.registry import family_class
from nmt.runs.files import WEIGHTS
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings

BASE, FACTOR = 512 << 20, 64
"""A search may take `BASE` bytes, and `FACTOR` for each byte of the run's weights."""
SHORTEST_LIMIT = 32
"""Tokens that a sentence may always have without being translated in parts, however short those of training were."""
POINTERS, COPIES = 60, 3
"""Bytes of back-pointers for each step and hypothesis; tensors ``(hypothesis, vocabulary)`` in fp32 at a time."""
KEPT = 8
"""Copies of the attention weights of the n-best: by step, together, without padding, in the translation, and the same
for other parts of the line."""


class ModelBytes(Protocol):
    """See `TranslationModel.search_bytes`."""

    def __call__(self, source: int, target: int, beam: int) -> int: ...


@dataclass(frozen=True)
class SearchMemory:
    """Estimates for one model, and the limit. Sources are counted with their end."""

    model: ModelBytes
    vocabulary: int
    """Tokens of the target vocabulary."""
    limit: int
    """Bytes that a search may take."""
    batches: bool = True
    """Whether this limits batches, too; not where the user names their size."""

    @classmethod
    def of(cls, run: Run, *, batches: bool = True) -> SearchMemory:
        """Those of a run."""
        sizes = run.recipe.model.model_dump()
        model = partial(family_class(sizes["family"]).search_bytes, sizes)
        return cls(model, len(run.vocabularies[1]), BASE + FACTOR * run.files.size(WEIGHTS), batches)

    def sentence(self, source: int, search: SearchSettings) -> int:
        """Bytes that the search of one sentence takes at most."""
        target = search.longest(source)
        kept = target * source * 4 * (search.beam + KEPT * search.nbest) if search.keep_weights else 0
        own = target * search.beam * POINTERS + COPIES * search.beam * self.vocabulary * 4
        return own + kept + self.model(source, target, search.beam)

    def rows(self, source: int, search: SearchSettings) -> int:
        """Sentences that may be searched together."""
        return max(1, self.limit // self.sentence(source, search))

    def longest_source(self, trained: int, search: SearchSettings) -> int:
        """Tokens, without the end, of the longest sentence that is translated whole: as long as any of training, if
        memory allows it, and at least `SHORTEST_LIMIT`."""
        low, high = SHORTEST_LIMIT, max(trained, SHORTEST_LIMIT)
        while low < high:
            middle = (low + high + 1) // 2
            if self.sentence(middle + 1, search) <= self.limit:
                low = middle
            else:
                high = middle - 1
        return low

    def check(self, search: SearchSettings) -> None:
        """Refuses a search that takes too much memory for a short sentence."""
        needed = self.sentence(SHORTEST_LIMIT + 1, search)
        if needed > self.limit:
            raise UserError(
                f"search: a beam of {search.beam} with outputs of up to {search.longest(SHORTEST_LIMIT + 1):,} tokens "
                f"takes {needed / 2**30:.1f} GiB for a sentence of {SHORTEST_LIMIT} tokens, expected at most "
                f"{self.limit / 2**30:.1f} for weights of this size\n"
                "choose a smaller beam, or smaller search.max_ratio and search.max_extra in the recipe"
            )
