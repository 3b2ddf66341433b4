"""The text of a run as its model reads it: corpus, vocabularies and the token ids of both sides."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

import numpy as np

from nmt.atomic import JsonObject
from nmt.data import concatenation, corpus as corpora
from nmt.data.batches import Batches, Draw, TokenIds
from nmt.data.cache import Cache, CachedFolder
from nmt.data.corpus import Corpus
from nmt.data.pairs import Pairs
from nmt.data.ragged import BLOCK, RaggedArray, RaggedWriter
from nmt.data.vocabulary import Vocabulary, drawn
from nmt.errors import Log
from nmt.text.passage import Passage

SIDES = ("source", "target")
SAMPLED = 10_000
CACHED_SEGMENTATIONS = 50_000
"""Sentences of a side whose segmentations are kept for sampling, at about ten kilobytes each."""


@dataclass(frozen=True)
class Dataset:
    """Corpus, vocabularies, and the token ids of training and validation as (source, target)."""

    corpus: Corpus
    source: Vocabulary
    target: Vocabulary
    train: tuple[TokenIds, TokenIds]
    valid: tuple[TokenIds, TokenIds]
    cached: CachedFolder | None = None
    """The cache folder that holds the token ids of a large training split."""

    @property
    def joint(self) -> bool:
        """Whether both languages share one vocabulary."""
        return self.source is self.target

    def several_sentences(self, most: int) -> float:
        """The share of source examples with several sentences, where up to ``most`` lines are concatenated; estimated
        from `SAMPLED` lines."""
        lines = self.corpus.train.source
        sampled = [lines[row] for row in range(0, len(lines), max(1, len(lines) // SAMPLED))]
        single = sum(len(Passage.of_sentences(line).sentences) < 2 for line in sampled) / len(sampled)
        return 1 - single / most

    def batches(
        self, *, seed: int, batch_tokens: int, most_sentences: int = 1, growth: int = 0, sampling: float = 0.0
    ) -> Batches:
        """The training batches. With ``sampling`` above 0 segmentations are drawn anew in every epoch."""
        texts = self.corpus.train
        sample = (_draw(self.source, texts.source, sampling), _draw(self.target, texts.target, sampling))
        return Batches(
            *self.train,
            seed=seed,
            batch_tokens=batch_tokens,
            most_sentences=most_sentences,
            growth=growth,
            sample=sample if sampling else None,
        )


def encode(corpus: Corpus, source: Vocabulary, target: Vocabulary, most_sentences: int, log: Log) -> Dataset:
    """Encodes training and validation.

    With ``most_sentences`` above 1, sentences of validation are concatenated here, once; those of training are
    concatenated by `Batches`, anew in every epoch.
    """
    if most_sentences > 1:
        groups = concatenation.random_groups(len(corpus.valid), most_sentences, [0, 0, most_sentences])
        corpus = replace(corpus, valid=concatenation.concatenate(corpus.valid, groups))

    def encoded(pairs: Pairs) -> tuple[TokenIds, TokenIds]:
        return TokenIds(map(source.encode, pairs.source)), TokenIds(map(target.encode, pairs.target))

    if corpus.cache is None:
        return Dataset(corpus, source, target, encoded(corpus.train), encoded(corpus.valid))
    folder = _cached(corpus, corpus.cache, (source, target), log)
    train = tuple(TokenIds(RaggedArray.open(folder.path / side, np.int32)) for side in SIDES)
    return Dataset(corpus, source, target, (train[0], train[1]), encoded(corpus.valid), folder)


def _cached(corpus: Corpus, cache: Cache, vocabularies: tuple[Vocabulary, Vocabulary], log: Log) -> CachedFolder:
    """The cache folder of a training split's token ids; its key is made of the hashes of text and vocabularies."""
    models = {side: sha256(vocabulary.model).hexdigest() for side, vocabulary in zip(SIDES, vocabularies, strict=True)}

    def fill(folder: Path) -> JsonObject:
        for side, vocabulary in zip(SIDES, vocabularies, strict=True):
            texts: Sequence[str] = getattr(corpus.train, side)
            encoded = map(vocabulary.encode, corpora.with_progress(texts, f"{side}: encoded", log, len(texts)))
            with RaggedWriter(folder / side) as writer:
                while block := list(islice(encoded, BLOCK)):
                    writer.extend(array("i", chain.from_iterable(block)).tobytes(), map(len, block))
        return {}

    return cache.get("tokens", {**corpus.train_key, **models}, fill)


def _draw(vocabulary: Vocabulary, sentences: Sequence[str], alpha: float) -> Draw:
    """Draws a segmentation of a sentence, by row; those of the first sentences are computed once and kept."""
    known: dict[int, list[tuple[list[int], float]]] = {}

    def draw(row: int, generator: random.Random) -> list[int]:
        found = known.get(row) or vocabulary.segmentations(sentences[row])
        if len(known) < CACHED_SEGMENTATIONS:
            known[row] = found
        return drawn(found, alpha, generator)

    return draw
