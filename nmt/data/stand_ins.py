"""A corpus whose training and validation pairs have stand-ins for what must survive translation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nmt.atomic import JsonObject
from nmt.data.corpus import Corpus, with_progress
from nmt.data.pairs import Pair, Pairs
from nmt.errors import Log
from nmt.text.stand_ins import STAND_INS, training_pair

VERSION = 1
"""To be raised when other text gets stand-ins, so that cached text is made anew."""


def with_stand_ins(corpus: Corpus, log: Log) -> Corpus:
    """The corpus with stand-ins; the test set stays as it is. Training text in a cache is written there again."""
    if corpus.cache is None:
        train = Pairs.collect(_marked(corpus.train))
    else:

        def fill(folder: Path) -> JsonObject:
            Pairs.write(
                folder / "train", with_progress(_marked(corpus.train), "stand-ins: read", log, len(corpus.train))
            )
            return {}

        train = Pairs.open(corpus.cache.get("standins", {**corpus.train_key, "version": VERSION}, fill).path / "train")
    marked = replace(corpus, train=train, valid=Pairs.collect(_marked(corpus.valid)), stand_ins=VERSION)
    with_any = sum(any(name in text for name in STAND_INS) for text in train.source)
    log(f"stand-ins for what must survive translation in {with_any:,} of {len(train):,} training pairs")
    return marked


def _marked(pairs: Pairs) -> Iterator[Pair]:
    return (Pair(*training_pair(pair.source, pair.target)) for pair in pairs)
