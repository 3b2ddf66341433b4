"""Cleaning of training pairs: which are left out, and why. Evaluation pairs are never changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import compress, islice

import numpy as np

from nmt.data.pairs import Pair, Pairs

REASONS = {
    "empty": "empty",
    "long": "over-long",
    "ratio": "by length ratio",
    "overlap": "of the test set",
    "duplicates": "duplicates",
}
BLOCK = 1 << 16
"""Pairs whose hashes are compared at once with those before."""


class Cleaning:
    """Filters training pairs in order, and counts what it read and left out, by the first of `REASONS` that applies."""

    def __init__(
        self, test: Pairs | None, *, max_words: int, max_ratio: float | None, duplicates: str, overlap: str
    ) -> None:
        self.max_words, self.max_ratio = max_words, max_ratio
        self.sources = frozenset(test.source) if test and overlap != "keep" else frozenset[str]()
        self.targets = frozenset(test.target) if test and overlap == "either" else frozenset[str]()
        self.seen = Seen() if duplicates == "drop" else None
        self.left_out: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.read = self.replaced = 0

    def kept(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The pairs of a stream to train on."""
        fit = self._fit(pairs)
        while block := list(islice(fit, BLOCK)):
            fresh = self.seen.add(block) if self.seen else np.ones(len(block), bool)
            self.left_out["duplicates"] += len(block) - int(fresh.sum())
            yield from compress(block, fresh.tolist())

    def _fit(self, pairs: Iterable[Pair]) -> Iterator[Pair]:
        for pair in pairs:
            self.read += 1
            self.replaced += pair.replaced
            tested = pair.source in self.sources or pair.target in self.targets
            reason = _unfit(pair.source, pair.target, self.max_words, self.max_ratio) or ("overlap" if tested else None)
            if reason:
                self.left_out[reason] += 1
            else:
                yield pair


class Seen:
    """The 64-bit hashes of pairs seen so far. Among ten million, two different pairs collide with a chance of 3e-6."""

    def __init__(self) -> None:
        self._hashes = np.empty(0, np.uint64)  # rising

    def add(self, pairs: list[Pair]) -> np.ndarray:
        """Adds pairs; returns a mask of those that are new."""
        hashes = np.frombuffer(b"".join(map(_hash, pairs)), np.uint64)
        fresh = np.zeros(len(pairs), bool)
        fresh[np.unique(hashes, return_index=True)[1]] = True
        places = np.searchsorted(self._hashes, hashes)
        if len(self._hashes):
            fresh &= self._hashes[np.minimum(places, len(self._hashes) - 1)] != hashes
        self._hashes = np.sort(np.concatenate([self._hashes, hashes[fresh]]), kind="stable")
        return fresh


def report(counts: dict[str, int], kept: int) -> str:
    """A line on how many pairs were kept and left out."""
    left_out = ", ".join(f"{counts[reason]:,} {words}" for reason, words in REASONS.items())
    return f"training pairs: {kept:,} of {kept + sum(counts.values()):,} kept; left out: {left_out}"


def _hash(pair: Pair) -> bytes:
    return blake2b(f"{len(pair.source)} {pair.source}{pair.target}".encode(), digest_size=8).digest()


def _unfit(source: str, target: str, max_words: int, max_ratio: float | None) -> str | None:
    fewer, more = sorted((len(source.split()), len(target.split())))
    if fewer == 0:
        return "empty"
    if more > max_words:
        return "long"
    return "ratio" if max_ratio is not None and more > max_ratio * fewer + 5 else None
