"""Where pairs come from: the Hub, a folder of the same layout, files, or the built-in corpus; each offers its splits as streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data import builtin, hub, lines, loader, tables
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pair
from nmt.data.readers import paths, stream_pair_files
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    from datasets import DatasetDict

Log = Callable[[str], None]
Stream = Callable[[], Iterator[Pair]]
"""Begins to read a split from its start."""
NAMES = {"train": ("train",), "valid": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""What a split is called in the data sets there are; the first that is found is taken."""


@dataclass(frozen=True)
class DataSource:
    """Where pairs come from: a stream for every split there is, and what is known of the place."""

    name: str
    splits: Mapping[str, Stream]
    files: Callable[[], Iterable[Path]] = tuple
    """The local files that are read, unless a commit identifies their content."""
    revision: str | None = None
    """The commit of a Hub data set."""
    fallback_reason: str | None = None
    """Why it stands in for a data set of the Hub, if it does."""

    def split(self, role: str, request: CorpusRequest) -> Stream | None:
        """The pairs of a role, if there is a split for it; one without pairs is a fault."""
        names = self._names(role, request)
        for name in names:
            if name not in self.splits:
                raise self.no_split(role, name)
        return partial(self._pairs, role, names, request) if names else None

    def _names(self, role: str, request: CorpusRequest) -> list[str]:
        """The splits that were asked for, or the first that is called as usual; what was asked of another corpus names nothing here."""
        asked = getattr(request, role)
        if asked is None or request.corpus is None or self.fallback_reason:
            return [name for name in NAMES[role] if name in self.splits][:1]
        return [asked] if isinstance(asked, str) else asked

    def _pairs(self, role: str, names: list[str], request: CorpusRequest) -> Iterator[Pair]:
        empty = True
        for pair in chain.from_iterable(self.splits[name]() for name in names):
            empty = False
            yield pair
        if empty:
            asked = getattr(request, role)
            place = (
                f"{self.name}, {', '.join(names)}"
                if request.corpus
                else ", ".join([asked] if isinstance(asked, str) else asked)
            )
            raise UserError(f"data.{role}: expected sentence pairs, found none in {place}")

    def no_split(self, role: str, name: str) -> UserError:
        """A split that is not there was asked for."""
        return UserError(f"data.{role}: {self.name} has no split {name!r}; it has {', '.join(self.splits) or 'none'}")

    def content(self, request: CorpusRequest) -> dict[str, str]:
        """The files that are read, by hash."""
        extra = (path for entry in request.extra for path in paths(entry))
        return {str(path): lines.sha256(path) for path in chain(self.files(), extra)}


def find(request: CorpusRequest, log: Log) -> DataSource:
    """The origin that a request means."""
    if request.corpus is None:
        return _files(request)
    if request.corpus == "builtin":
        return _builtin(request)
    if loader.is_local(request.corpus):
        return _tables(request, loader.load_folder(request.corpus, request.configuration), None)
    try:
        return _tables(request, *hub.load_remote(request.corpus, request.configuration, request.revision, log))
    except hub.UnreachableError as reason:
        return _fallback(request, str(reason), log)


def _fallback(request: CorpusRequest, reason: str, log: Log) -> DataSource:
    if request.offline != "builtin":
        raise RunError(
            f"data.corpus: cannot reach the Hugging Face Hub for {request.corpus!r} ({reason})\n"
            "download it on a connected machine (its cache is the folder HF_HOME), or use files of your own:\n"
            "data.corpus=null data.train=train.jsonl data.test=test.jsonl"
        )
    log(f"THE BUILT-IN CORPUS IS USED: cannot reach the Hugging Face Hub for {request.corpus!r} ({reason})")
    log("it is a small generated corpus for demonstration; scores on it say nothing about real text")
    log(
        "(data.offline: builtin in the recipe allows this; data.offline=error stops instead; the run and its scores record it)"
    )
    return _builtin(request, reason)


def _builtin(request: CorpusRequest, fallback_reason: str | None = None) -> DataSource:
    def read(split: str) -> Iterator[Pair]:
        return (Pair(*pair) for pair in builtin.pairs(split, request.source, request.target))

    splits = {name: partial(read, name) for name in builtin.SPLITS}
    return DataSource("builtin", splits, lambda: [builtin.FILE], fallback_reason=fallback_reason)


def _files(request: CorpusRequest) -> DataSource:
    if request.train is None:
        raise UserError("data: expected a data set in data.corpus, or files in data.train; found neither")
    read = partial(stream_pair_files, source=request.source, target=request.target, errors=request.errors)
    named = {name: spec for name in NAMES if (spec := getattr(request, name)) is not None}
    entries = [entry for spec in named.values() for entry in ([spec] if isinstance(spec, str) else spec)]
    return DataSource(
        "files",
        {name: partial(read, spec) for name, spec in named.items()},
        lambda: chain.from_iterable(map(paths, entries)),
    )


def _tables(request: CorpusRequest, loaded: DatasetDict, commit: str | None) -> DataSource:
    corpus = request.corpus or ""

    def read(name: str) -> Iterator[Pair]:
        rows = loaded[name].with_format("arrow")
        try:
            for table in chain(
                [rows[:0]], rows.iter(tables.AT_ONCE)
            ):  # a split without rows has its columns checked too
                yield from tables.pairs(table, request.source, request.target, "the corpus", request.errors)
        except UnicodeDecodeError as error:
            raise loader.bad_file(corpus, error) from error

    def files() -> Iterable[Path]:
        return () if commit else sorted(path for path in Path(corpus).expanduser().rglob("*") if path.is_file())

    return DataSource(corpus, {name: partial(read, name) for name in loaded}, files, revision=commit)
