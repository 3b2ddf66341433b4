"""Every sentence translated alone and in a batch of random others, to see whether batching changes translations."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nmt.inference.translator import BatchTranslator, Translation

FEWEST, MOST = 2, 64
"""Sentences in a batch."""
TOGETHER = 1 << 40
"""A limit of source positions that no batch reaches, so all its sentences are padded to the longest."""


@dataclass(frozen=True)
class Pair:
    """A sentence translated alone and in a batch with ``beside`` other sentences."""

    alone: Translation
    together: Translation
    beside: int

    @property
    def same(self) -> bool:
        """Whether the text is the same."""
        return self.alone.text == self.together.text

    @property
    def difference(self) -> float:
        """Absolute difference of the scores in nats."""
        return abs(self.alone.score - self.together.score)


def pairs(translator: BatchTranslator, sentences: Sequence[str], seed: int = 1) -> Iterator[Pair]:
    """Translates every sentence alone and in a mixed batch; the translator's `batch_tokens` is restored at the end."""
    chance, order, before = random.Random(seed), list(range(len(sentences))), translator.batch_tokens
    chance.shuffle(order)
    try:
        while order:
            size = chance.randint(FEWEST, MOST)
            batch, order = [sentences[row] for row in order[:size]], order[size:]
            translator.batch_tokens = TOGETHER
            together = translator.translate(batch)
            translator.batch_tokens = 1
            for sentence, found in zip(batch, together, strict=True):
                yield Pair(translator.translate(sentence), found, len(batch) - 1)
    finally:
        translator.batch_tokens = before
