"""Packs: sentences joined by a space into one, which lengthens the source and leaves its content alone.

Training draws packs of random sizes in every epoch (concatenation augmentation: Kondo et al. 2021, arXiv:2104.08478); test sets are packed
a fixed number of sentences at a time, so that every size holds the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from nmt.data.pairs import Pairs
from nmt.data.ragged import RaggedArray


def fixed(count: int, size: int) -> list[range]:
    """Rows 0, 1, 2, ... ``size`` at a time; the last pack takes what is left."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def drawn(count: int, most: int, seed: Sequence[int]) -> RaggedArray:
    """The shuffled rows in packs of k, each k drawn evenly from 1 to ``most``: a function of the seed alone. The last pack may be cut short."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(count)
    ends = np.cumsum(generator.integers(1, most, size=count, endpoint=True))
    return RaggedArray(rows, np.concatenate([[0], ends[ends < count], [count]]))


def most(epoch: int, pack: int, growth: int) -> int:
    """The largest pack of an epoch, counted from 0: from one sentence in the first to ``pack`` after ``growth`` epochs, by even steps."""
    return pack if epoch >= growth else 1 + (pack - 1) * epoch // growth


def join(pairs: Pairs, packs: Iterable[Sequence[int] | np.ndarray]) -> Pairs:
    """A pair for each pack: its sources joined by one space, and its targets."""
    return Pairs(list(joined(pairs.source, packs)), list(joined(pairs.target, packs)), pairs.replaced)


def joined(lines: Sequence[str], packs: Iterable[Sequence[int] | np.ndarray]) -> Iterator[str]:
    """The lines of each pack, joined by one space; a blank line adds nothing."""
    for pack in packs:
        yield " ".join(lines[row].strip() for row in pack if lines[row].strip())
