"""The text of a run as its model reads it: corpus loaded, vocabulary learned, both sides encoded."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from nmt.data import concatenation, corpus as corpora
from nmt.data.batches import Batches, Draw, TokenIds
from nmt.data.cache import Cache, Folder
from nmt.data.corpus import Corpus
from nmt.data.pairs import Pairs
from nmt.data.ragged import BLOCK, RaggedArray, RaggedWriter
from nmt.data.vocabulary import Vocabulary, drawn
from nmt.errors import UserError
from nmt.recipe.types import Recipe
from nmt.runs.run_folder import Run
from nmt.training import vocabularies

Log = Callable[[str], None]
SIDES = ("source", "target")
FORMAT = 1
"""Of prepared pieces; another number makes them anew."""
KNOWN = 50_000
"""Sentences of a side of which the segmentations to sample from are kept: some ten kilobytes each."""


@dataclass(frozen=True)
class Dataset:
    """The text of a run as its model reads it."""

    corpus: Corpus
    source: Vocabulary
    target: Vocabulary
    train: tuple[TokenIds, TokenIds]
    valid: tuple[TokenIds, TokenIds]
    pieces: Folder | None = None
    """Where the pieces to train on lie, if not in memory."""

    @property
    def joint(self) -> bool:
        """Whether both languages share one vocabulary."""
        return self.source is self.target


def prepare(recipe: Recipe, log: Log) -> Dataset:
    """Loads the corpus, learns or takes the vocabulary, and encodes."""
    corpus = corpora.load(log=log, **recipe.data.model_dump())
    return encode(corpus, *vocabularies.of(recipe, corpus, log), recipe.data.concatenation, log)


def encode(corpus: Corpus, source: Vocabulary, target: Vocabulary, pack: int, log: Log) -> Dataset:
    """Both splits in pieces. Validation is packed here, once, as text; training in `Batches`, anew in every epoch."""
    if pack > 1:
        valid = corpus.valid
        corpus = replace(corpus, valid=concatenation.join(valid, concatenation.drawn(len(valid), pack, [0, 0, pack])))

    def sides(pairs: Pairs) -> tuple[TokenIds, TokenIds]:
        return TokenIds(map(source.encode, pairs.source)), TokenIds(map(target.encode, pairs.target))

    if corpus.cache is None:
        return Dataset(corpus, source, target, sides(corpus.train), sides(corpus.valid))
    folder = _pieces(corpus, corpus.cache, source, target, log)
    stored = (TokenIds(RaggedArray.open(folder.path / side, np.int32)) for side in SIDES)
    return Dataset(corpus, source, target, (next(stored), next(stored)), sides(corpus.valid), folder)


def _pieces(corpus: Corpus, cache: Cache, source: Vocabulary, target: Vocabulary, log: Log) -> Folder:
    """The prepared folder of a large training split's pieces; what it is made from is the text and the vocabularies, by hash."""
    splits: Any = corpus.metadata["splits"]
    models = {
        side: sha256(vocabulary.model).hexdigest() for side, vocabulary in zip(SIDES, (source, target), strict=True)
    }

    def fill(folder: Path) -> dict[str, Any]:
        for side, vocabulary in zip(SIDES, (source, target), strict=True):
            texts: Sequence[str] = getattr(corpus.train, side)
            encoded = map(vocabulary.encode, corpora.counted(texts, f"{side}: encoded", log, len(texts)))
            with RaggedWriter(folder / side) as writer:
                while block := list(islice(encoded, BLOCK)):
                    writer.extend(array("i", chain.from_iterable(block)).tobytes(), map(len, block))
        return {}

    return cache.folder("pieces", {"format": FORMAT, "train": splits["train"]["sha256"], **models}, fill)


def prepare_again(run: Run, log: Log) -> Dataset:
    """The same text as when the run began, or a refusal."""
    metadata = run.metadata["corpus"]
    corpus = corpora.load_again(metadata, log=log, **run.recipe.data.model_dump())
    for name, before in metadata["splits"].items():
        now = corpus.metadata["splits"].get(name, {})  # type: ignore[attr-defined]  # facts are plain JSON values
        if now.get("sha256") != before["sha256"]:
            raise UserError(
                f"data.{name}: not the text that {run.path} was begun with; bring it back, or begin anew with --restart"
            )
    return encode(corpus, *run.vocabularies, run.recipe.data.concatenation, log)


def batches(recipe: Recipe, prepared: Dataset) -> Batches:
    """The batches to train on, drawn afresh in every epoch where the recipe samples subwords."""
    alpha, wanted, pairs = recipe.vocabulary.sampling, recipe.training, prepared.corpus.train
    sample = (
        (_draw(prepared.source, pairs.source, alpha), _draw(prepared.target, pairs.target, alpha)) if alpha else None
    )
    return Batches(
        *prepared.train,
        seed=wanted.seed,
        batch_tokens=wanted.batch_tokens,
        pack=recipe.data.concatenation,
        growth=wanted.concatenation_growth,
        sample=sample,
    )


def _draw(vocabulary: Vocabulary, sentences: Sequence[str], alpha: float) -> Draw:
    """Draws a segmentation of a sentence, by row; its best segmentations are looked up once and kept, of the first `KNOWN` that are met."""
    known: dict[int, list[tuple[list[int], float]]] = {}

    def draw(row: int, generator: random.Random) -> list[int]:
        found = known.get(row) or vocabulary.segmentations(sentences[row])
        if len(known) < KNOWN:
            known[row] = found
        return drawn(found, alpha, generator)

    return draw
