"""The corpus of a run: three splits of sentence pairs; training is cleaned, evaluation never. A large one is kept in a prepared folder."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from nmt.data import sources
from nmt.data.cache import Cache, CachedFolder
from nmt.data.cleaning import Cleaning, report
from nmt.data.metadata import CorpusMetadata, CorpusRequest, RequestRecord, SplitRecord
from nmt.data.pairs import Pair, Pairs
from nmt.data.readers import stream_pair_files
from nmt.data.sources import DataSource, Log
from nmt.errors import UserError

Item = TypeVar("Item")
SHUFFLE = 1
"""Seed of the shuffle that decides what is held out: one for all, so that runs with different seeds share a validation set."""
PROGRESS_EVERY = 1_000_000
"""Pairs between two lines of progress."""
NOT_TEXT = ("revision", "offline", "concatenation", "in_memory", "cache")
"""Fields of a request that do not change the text; the revision is replaced by the commit that was loaded."""

Keep = Callable[[str, Iterable[Pair]], Pairs]
"""Takes a stream of pairs in, under a name: into memory or into files."""


@dataclass(frozen=True)
class Corpus:
    """The three splits and their metadata."""

    train: Pairs
    valid: Pairs
    test: Pairs | None
    metadata: CorpusMetadata
    cache: Cache | None = None
    """The cache that holds the training text if it is too large for memory."""


def load(request: CorpusRequest, log: Log) -> Corpus:
    """Loads and cleans a corpus, in memory or, if it is large, in the cache."""
    loading = _Loading(request, log)
    few = list(islice(loading.read(), request.in_memory + 1))
    if len(few) <= request.in_memory:
        return _reported(loading.corpus(few, lambda _, stream: Pairs.collect(stream)), log)
    few.clear()
    cache = Cache(Path(request.cache), log)
    return _reported(_opened(cache.get("text", loading.made_from(), loading.fill), request, cache), log)


def load_again(request: CorpusRequest, metadata: CorpusMetadata, log: Log) -> Corpus:
    """The corpus of a run as it was when the run began: from the cache, or loaded anew."""
    cache = Cache(Path(request.cache), log)
    folder = cache.find(metadata.cache.folder) if metadata.cache else None
    if folder is None:
        return load(pinned(request, metadata), log)
    return _reported(_opened(folder, request, cache), log)


def load_test(request: CorpusRequest, log: Log) -> tuple[Pairs | None, CorpusMetadata]:
    """The test split alone, if there is one, and its metadata; training files are not read."""
    data_source = sources.find(request, log)
    test = _gathered(data_source, "test", request)
    return test, _metadata(request, data_source, {"test": test}, replaced=test.replaced if test else 0)


def pinned(request: CorpusRequest, metadata: CorpusMetadata) -> CorpusRequest:
    """The request restricted to what a run loaded: that commit of a Hub data set, or the corpus it fell back to."""
    if metadata.fallback:
        return replace(request, corpus="builtin", configuration=None, revision=None, train=None, valid=None, test=None)
    return replace(request, revision=metadata.revision or request.revision, offline="error")


class _Loading:
    """A corpus on its way in: validation and test are here, training is a stream that can be begun more than once."""

    def __init__(self, request: CorpusRequest, log: Log) -> None:
        self.request, self.log, self.data_source = request, log, sources.find(request, log)
        self.test, self.valid = (_gathered(self.data_source, role, request) for role in ("test", "valid"))
        if self.valid is not None:
            _check_choice(self.valid, self.test)
        train = self.data_source.split("train", request)
        if train is None:
            raise self.data_source.no_split("train", "train")
        self.train = train

    def read(self) -> Iterator[Pair]:
        """All that there is to train on, before it is cleaned."""
        request = self.request
        extra = (
            stream_pair_files(request.extra, request.source, request.target, request.errors) if request.extra else ()
        )
        return chain(self.train(), extra)

    def corpus(self, stream: Iterable[Pair], keep: Keep) -> Corpus:
        """The corpus with this to train on, once it is cleaned and, where there is no validation split, some is held out."""
        request = self.request
        rules = {name: getattr(request, name) for name in ("max_words", "max_ratio", "duplicates", "overlap")}
        cleaning = Cleaning(self.test, **rules)
        train = keep("cleaned", cleaning.kept(stream))
        left_out = dict(cleaning.left_out)
        if not train:
            raise UserError(f"data.train: nothing is left to train on\n{report(left_out, 0)}")
        self.log(report(left_out, len(train)))
        valid = self.valid
        if valid is None:
            rows = held_out(len(train), request.held_out)
            train, valid = keep("rest", train.without(frozenset(rows))), train.take(rows)
            _check_choice(valid, self.test)
        _check_concatenation(request.concatenation, train, valid)
        replaced = cleaning.replaced + sum(pairs.replaced for pairs in (self.valid, self.test) if pairs)
        splits = {"train": train, "valid": valid, "test": self.test}
        counts = {"read": cleaning.read, **left_out}
        metadata = _metadata(request, self.data_source, splits, cleaning=counts, replaced=replaced)
        return Corpus(train, valid, self.test, metadata)

    def made_from(self) -> dict[str, Any]:
        """All that decides what the corpus is."""
        request = {name: value for name, value in asdict(self.request).items() if name not in NOT_TEXT}
        files = self.data_source.content(self.request)
        return {"request": request, "revision": self.data_source.revision, "files": files}

    def fill(self, folder: Path) -> dict[str, Any]:
        """Puts the corpus into a prepared folder."""
        corpus = self.corpus(
            with_progress(self.read(), "read", self.log), lambda name, stream: Pairs.write(folder / name, stream)
        )
        for name, split in (("valid", corpus.valid), ("test", corpus.test)):
            if split is not None:
                Pairs.write(folder / name, split)
        if self.valid is None:
            Pairs.delete(folder / "cleaned")
        return {"corpus": corpus.metadata.as_json(), "train": "rest" if self.valid is None else "cleaned"}


def _opened(folder: CachedFolder, request: CorpusRequest, cache: Cache) -> Corpus:
    """The corpus that `_Loading.fill` put into a folder: text to train on stays there, the rest comes into memory."""
    stored = CorpusMetadata.model_validate(folder.metadata["corpus"])
    metadata = stored.model_copy(update={"request": RequestRecord(**asdict(request)), "cache": folder.record})
    valid, test = (
        Pairs.collect(Pairs.open(folder.path / name)) if name in metadata.splits else None for name in ("valid", "test")
    )
    assert valid is not None, "there is a validation split, or some is held out"
    train = Pairs.open(folder.path / folder.metadata["train"])
    _check_concatenation(request.concatenation, train, valid)
    return Corpus(train, valid, test, metadata, cache)


def _gathered(data_source: DataSource, role: str, request: CorpusRequest) -> Pairs | None:
    stream = data_source.split(role, request)
    return Pairs.collect(stream()) if stream else None


def with_progress(stream: Iterable[Item], what: str, log: Log, of: int | None = None) -> Iterator[Item]:
    """The same stream, with a line of progress now and then."""
    for number, item in enumerate(stream, start=1):
        yield item
        if number % PROGRESS_EVERY == 0:
            log(f"{what} {number:,}" + (f" of {of:,}" if of else "") + " pairs")


def held_out(pairs: int, most: int) -> list[int]:
    """Rows that are held out of so many for validation, rising: the end of a shuffle, at most a twentieth, at least one."""
    count = max(1, min(most, pairs // 20))
    if count == pairs:
        raise UserError(
            "data.valid: one training pair is too few to hold out a validation pair; expected data.valid or more pairs"
        )
    rows = array("q", range(pairs))
    random.Random(SHUFFLE).shuffle(rows)
    return sorted(rows[-count:])


def _check_choice(valid: Pairs, test: Pairs | None) -> None:
    """Weights are chosen by the validation split, which therefore must not be the test set, or mostly be made of it."""
    tested = set(zip(test.source, test.target, strict=True)) if test else set()
    shared = sum(pair in tested for pair in zip(valid.source, valid.target, strict=True))
    if 2 * shared > len(valid):
        raise UserError(
            f"data.valid: {shared:,} of its {len(valid):,} pairs stand in data.test; weights are chosen by validation, and a test set that "
            "chose them measures nothing\nexpected other pairs in data.valid, or null to hold some out of training"
        )


def _check_concatenation(concatenation: int, train: Pairs, valid: Pairs) -> None:
    for split, pairs in (("training", train), ("validation", valid)):
        if concatenation > len(pairs):
            raise UserError(
                f"data.concatenation: {len(pairs)} {split} pairs are too few to concatenate up to {concatenation} of them; "
                "expected a larger corpus or a smaller number"
            )


def _metadata(
    request: CorpusRequest,
    data_source: DataSource,
    splits: Mapping[str, Pairs | None],
    *,
    replaced: int,
    cleaning: Mapping[str, int] | None = None,
) -> CorpusMetadata:
    return CorpusMetadata(
        request=RequestRecord(**asdict(request)),
        name=data_source.name,
        revision=data_source.revision,
        fallback=data_source.name if data_source.fallback_reason else None,
        fallback_reason=data_source.fallback_reason,
        splits={
            name: SplitRecord(pairs=len(each), sha256=each.sha256) for name, each in splits.items() if each is not None
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
