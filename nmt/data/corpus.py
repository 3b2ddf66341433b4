"""The corpus of a run: training, validation and test pairs. Training is cleaned, and cached if it is large."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from nmt.atomic import JsonObject
from nmt.data import sources
from nmt.data.cache import Cache, CachedFolder
from nmt.data.cleaning import Cleaning, report
from nmt.data.metadata import CorpusMetadata, CorpusRequest, RequestRecord, SplitRecord
from nmt.data.pairs import Pair, Pairs
from nmt.data.readers import stream_pair_files
from nmt.data.sources import DataSource
from nmt.errors import Log, UserError

Item = TypeVar("Item")
SHUFFLE_SEED = 1
"""Seed of the shuffle that decides what is held out, the same for all runs, so that they share a validation set."""
PROGRESS_EVERY = 1_000_000
"""Pairs between two lines of progress."""
NOT_TEXT = ("revision", "offline", "concatenation", "placeholders", "in_memory", "cache")
"""Fields of a request that do not change the text; the revision is replaced by the commit that was loaded."""

Store = Callable[[str, Iterable[Pair]], Pairs]
"""Stores a stream of pairs under a name, in memory or in files."""


@dataclass(frozen=True)
class Corpus:
    """The three splits and their metadata."""

    train: Pairs
    valid: Pairs
    test: Pairs | None
    metadata: CorpusMetadata
    cache: Cache | None = None
    """The cache that holds the training text if it is too large for memory."""
    stand_ins: int | None = None
    """The version of the stand-ins in training and validation pairs, which the metadata know without them."""

    @property
    def train_key(self) -> JsonObject:
        """What determines the training text, for keys of the cache."""
        key = {"train": self.metadata.splits["train"].sha256}
        return key if self.stand_ins is None else {**key, "stand_ins": self.stand_ins}


def load(request: CorpusRequest, log: Log) -> Corpus:
    """Loads and cleans a corpus, in memory or, if it is large, in the cache."""
    loading = _Loading(request, log)
    first = list(islice(loading.read(), request.in_memory + 1))
    if len(first) <= request.in_memory:
        return _reported(loading.corpus(first, lambda _, stream: Pairs.collect(stream)), log)
    first.clear()
    cache = Cache(Path(request.cache), log)
    return _reported(_open(cache.get("text", loading.made_from(), loading.fill), request, cache), log)


def load_again(request: CorpusRequest, metadata: CorpusMetadata, log: Log) -> Corpus:
    """The corpus of a run as it was when the run began: from the cache, or loaded anew."""
    cache = Cache(Path(request.cache), log)
    folder = cache.find(metadata.cache.folder) if metadata.cache else None
    if folder is None:
        return load(pinned(request, metadata), log)
    return _reported(_open(folder, request, cache), log)


def load_test(request: CorpusRequest, log: Log) -> tuple[Pairs | None, CorpusMetadata]:
    """The test split alone, if there is one, and its metadata; training files are not read."""
    source = sources.find(request, log)
    test = _collect(source, "test", request)
    return test, _metadata(request, source, {"test": test}, replaced=test.replaced if test else 0)


def pinned(request: CorpusRequest, metadata: CorpusMetadata) -> CorpusRequest:
    """The request restricted to what a run loaded: that commit of a Hub data set, or the corpus it fell back to."""
    if metadata.fallback:
        return replace(request, corpus="builtin", configuration=None, revision=None, train=None, valid=None, test=None)
    return replace(request, revision=metadata.revision or request.revision, offline="error")


class _Loading:
    """A corpus while it is loaded: validation and test in memory, training a stream that can be read repeatedly."""

    def __init__(self, request: CorpusRequest, log: Log) -> None:
        self.request, self.log, self.source = request, log, sources.find(request, log)
        self.test, self.valid = (_collect(self.source, role, request) for role in ("test", "valid"))
        if self.valid is not None:
            _check_validation(self.valid, self.test)
        train = self.source.split("train", request)
        if train is None:
            raise self.source.no_split("train", "train")
        self.train = train

    def read(self) -> Iterator[Pair]:
        """All training pairs before cleaning."""
        wanted = self.request
        if not wanted.extra:
            return self.train()
        return chain(self.train(), stream_pair_files(wanted.extra, wanted.source, wanted.target, wanted.errors))

    def corpus(self, stream: Iterable[Pair], store: Store) -> Corpus:
        """The corpus with these training pairs, cleaned; without a validation split some are held out."""
        wanted = self.request
        cleaning = Cleaning(
            self.test,
            max_words=wanted.max_words,
            max_ratio=wanted.max_ratio,
            duplicates=wanted.duplicates,
            overlap=wanted.overlap,
        )
        train = store("cleaned", cleaning.kept(stream))
        left_out = dict(cleaning.left_out)
        if not train:
            raise UserError(f"data.train: nothing is left to train on\n{report(left_out, 0)}")
        self.log(report(left_out, len(train)))
        valid = self.valid
        if valid is None:
            rows = held_out(len(train), wanted.held_out)
            train, valid = store("rest", train.without(frozenset(rows))), train.take(rows)
            _check_validation(valid, self.test)
        _check_concatenation(wanted.concatenation, train, valid)
        metadata = _metadata(
            wanted,
            self.source,
            {"train": train, "valid": valid, "test": self.test},
            cleaning={"read": cleaning.read, **left_out},
            replaced=cleaning.replaced + sum(pairs.replaced for pairs in (self.valid, self.test) if pairs),
        )
        return Corpus(train, valid, self.test, metadata)

    def made_from(self) -> JsonObject:
        """Everything that determines the text of the corpus."""
        request = {name: value for name, value in asdict(self.request).items() if name not in NOT_TEXT}
        return {"request": request, "revision": self.source.revision, "files": self.source.hashes(self.request)}

    def fill(self, folder: Path) -> JsonObject:
        """Writes the corpus into a folder of the cache."""
        stream = with_progress(self.read(), "read", self.log)
        corpus = self.corpus(stream, lambda name, pairs: Pairs.write(folder / name, pairs))
        for name, split in (("valid", corpus.valid), ("test", corpus.test)):
            if split is not None:
                Pairs.write(folder / name, split)
        if self.valid is None:
            Pairs.delete(folder / "cleaned")
        return {"corpus": corpus.metadata.as_json(), "train": "rest" if self.valid is None else "cleaned"}


def _open(folder: CachedFolder, request: CorpusRequest, cache: Cache) -> Corpus:
    """The corpus in a folder of the cache: training text stays there, the other splits are read into memory."""
    stored = CorpusMetadata.model_validate(folder.metadata["corpus"])
    metadata = stored.model_copy(update={"request": RequestRecord(**asdict(request)), "cache": folder.record})
    valid, test = (
        Pairs.collect(Pairs.open(folder.path / name)) if name in metadata.splits else None for name in ("valid", "test")
    )
    assert valid is not None, "there is a validation split, or some pairs are held out"
    train = Pairs.open(folder.path / folder.metadata["train"])
    _check_concatenation(request.concatenation, train, valid)
    return Corpus(train, valid, test, metadata, cache)


def _collect(source: DataSource, role: str, request: CorpusRequest) -> Pairs | None:
    stream = source.split(role, request)
    return Pairs.collect(stream()) if stream else None


def with_progress(stream: Iterable[Item], verb: str, log: Log, total: int | None = None) -> Iterator[Item]:
    """The same stream; logs a line of progress every `PROGRESS_EVERY` items."""
    for number, item in enumerate(stream, start=1):
        yield item
        if number % PROGRESS_EVERY == 0:
            log(f"{verb} {number:,}" + (f" of {total:,}" if total else "") + " pairs")


def held_out(pairs: int, most: int) -> list[int]:
    """The rows held out for validation, in rising order: the end of a shuffle, at most a twentieth and at least one."""
    count = max(1, min(most, pairs // 20))
    if count == pairs:
        raise UserError(
            "data.valid: one training pair is too few to hold out a validation pair; expected data.valid or more pairs"
        )
    rows = array("q", range(pairs))
    random.Random(SHUFFLE_SEED).shuffle(rows)
    return sorted(rows[-count:])


def _check_validation(valid: Pairs, test: Pairs | None) -> None:
    """Weights are chosen by validation, so most of its pairs must not be in the test set."""
    tested = set(zip(test.source, test.target, strict=True)) if test else set()
    shared = sum(pair in tested for pair in zip(valid.source, valid.target, strict=True))
    if 2 * shared > len(valid):
        raise UserError(
            f"data.valid: {shared:,} of its {len(valid):,} pairs are in data.test; weights are chosen by validation, "
            "and scores on a test set that chose them mean nothing\n"
            "expected other pairs in data.valid, or null to hold some out of training"
        )


def _check_concatenation(concatenation: int, train: Pairs, valid: Pairs) -> None:
    for split, pairs in (("training", train), ("validation", valid)):
        if concatenation > len(pairs):
            raise UserError(
                f"data.concatenation: {len(pairs)} {split} pairs are too few to concatenate up to {concatenation} "
                "of them; expected a larger corpus or a smaller number"
            )


def _metadata(
    request: CorpusRequest,
    source: DataSource,
    splits: Mapping[str, Pairs | None],
    *,
    replaced: int,
    cleaning: Mapping[str, int] | None = None,
) -> CorpusMetadata:
    return CorpusMetadata(
        request=RequestRecord(**asdict(request)),
        name=source.name,
        revision=source.revision,
        fallback=source.name if source.fallback_reason else None,
        fallback_reason=source.fallback_reason,
        splits={
            name: SplitRecord(pairs=len(pairs), sha256=pairs.sha256)
            for name, pairs in splits.items()
            if pairs is not None
        },
        cleaning=dict(cleaning or {}),
        replaced=replaced,
    )


def _reported(corpus: Corpus, log: Log) -> Corpus:
    metadata = corpus.metadata
    counts = ", ".join(f"{split.pairs:,} {name}" for name, split in metadata.splits.items())
    log(f"corpus {metadata.name}: {counts} pairs")
    if metadata.replaced:
        log(f"invalid UTF-8 was replaced in {metadata.replaced:,} texts (data.errors: replace)")
    return corpus
