"""Concatenation of sentences by a space into one example, which lengthens the source and leaves its content as it is.

Training draws groups of random sizes in every epoch (Kondo et al. 2021, arXiv:2104.08478). Test sets are concatenated a
fixed number of sentences at a time, so that every size holds the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from nmt.data.pairs import Pairs
from nmt.data.ragged import RaggedArray


def random_groups(count: int, largest: int, seed: Sequence[int]) -> RaggedArray:
    """The shuffled rows in groups of k, each k uniform from 1 to ``largest``; the last group may be smaller."""
    generator = np.random.default_rng(seed)
    rows = generator.permutation(count)
    ends = np.cumsum(generator.integers(1, largest, size=count, endpoint=True))
    return RaggedArray(rows, np.concatenate([[0], ends[ends < count], [count]]))


def largest_group(epoch: int, largest: int, growth: int) -> int:
    """The largest group of an epoch, counted from 0: grows evenly from 1 to ``largest`` over ``growth`` epochs."""
    return largest if epoch >= growth else 1 + (largest - 1) * epoch // growth


def concatenate(pairs: Pairs, groups: Iterable[Sequence[int] | np.ndarray]) -> Pairs:
    """One pair per group."""
    source, target = (list(concatenate_lines(side, groups)) for side in (pairs.source, pairs.target))
    return Pairs(source, target, pairs.replaced)


def concatenate_lines(lines: Sequence[str], groups: Iterable[Sequence[int] | np.ndarray]) -> Iterator[str]:
    """The lines of each group, separated by one space; blank lines are skipped."""
    for group in groups:
        yield " ".join(lines[row].strip() for row in group if lines[row].strip())
