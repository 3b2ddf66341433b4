"""Training pairs of an earlier corpus among those of a new one, so that what they teach is not forgotten."""

from __future__ import annotations

import random
from dataclasses import replace

from nmt.data.corpus import Corpus
from nmt.data.metadata import SplitRecord
from nmt.data.pairs import Pairs
from nmt.errors import UserError

SEED = 1
"""Seed of the draw, the same for all runs."""


def mixed(corpus: Corpus, earlier: Pairs, share: float) -> Corpus:
    """The corpus with pairs of an earlier one, drawn without repetition, which are ``share`` of its training pairs.

    There are fewer if the earlier corpus is too small. Pairs whose source is in the validation or test split are left
    out.
    """
    if corpus.cache is not None:
        raise UserError(
            "training.mix: the training text is too large for memory and is in the cache; raise data.in_memory to mix"
        )
    own, scored = corpus.train, {*corpus.valid.source, *(corpus.test.source if corpus.test else ())}
    rows = [row for row, source in enumerate(earlier.source) if source not in scored]
    count = min(len(rows), round(len(own) * share / (1 - share)))
    drawn = earlier.take(sorted(random.Random(SEED).sample(rows, count)))
    train = Pairs([*own.source, *drawn.source], [*own.target, *drawn.target], own.replaced)
    splits = {**corpus.metadata.splits, "train": SplitRecord(pairs=len(train), sha256=train.sha256)}
    return replace(corpus, train=train, metadata=corpus.metadata.model_copy(update={"splits": splits}))
