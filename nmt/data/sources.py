"""Data sources: the Hub, a local folder, files, and the built-in corpus; each has named splits of pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data import builtin, hub, lines
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pair
from nmt.data.readers import TABLE_ROWS, paths, stream_pair_files, table_pairs
from nmt.errors import Log, RunError, UserError

if TYPE_CHECKING:
    from datasets import DatasetDict

Stream = Callable[[], Iterator[Pair]]
"""Reads a split from its start."""
SPLIT_NAMES = {"train": ("train",), "valid": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""Names of each split in common data sets; the first that exists is used."""


@dataclass(frozen=True)
class DataSource:
    """Named splits of sentence pairs, and where they come from."""

    name: str
    splits: Mapping[str, Stream]
    files: Callable[[], Iterable[Path]] = tuple
    """The local files that are read, unless a commit identifies their content."""
    revision: str | None = None
    """The commit of a Hub data set."""
    fallback_reason: str | None = None
    """Why it replaces a data set of the Hub, if it does."""

    def split(self, role: str, request: CorpusRequest) -> Stream | None:
        """The pairs of ``train``, ``valid`` or ``test``, if there are any; an empty split raises `UserError`."""
        names = self._names(role, request)
        for name in names:
            if name not in self.splits:
                raise self.no_split(role, name)
        return partial(self._pairs, role, names, request) if names else None

    def no_split(self, role: str, name: str) -> UserError:
        """The error of a split that does not exist."""
        return UserError(f"data.{role}: {self.name} has no split {name!r}; it has {', '.join(self.splits) or 'none'}")

    def hashes(self, request: CorpusRequest) -> dict[str, str]:
        """SHA-256 of the local files that are read."""
        extra = (path for entry in request.extra for path in paths(entry))
        return {str(path): lines.sha256(path) for path in chain(self.files(), extra)}

    def _names(self, role: str, request: CorpusRequest) -> list[str]:
        """The splits that the request names, or the first with a common name; a replaced data set's names do not
        count."""
        named = getattr(request, role)
        if named is None or request.corpus is None or self.fallback_reason:
            return [name for name in SPLIT_NAMES[role] if name in self.splits][:1]
        return [named] if isinstance(named, str) else named

    def _pairs(self, role: str, names: list[str], request: CorpusRequest) -> Iterator[Pair]:
        empty = True
        for pair in chain.from_iterable(self.splits[name]() for name in names):
            empty = False
            yield pair
        if empty:
            named = getattr(request, role)
            files = ", ".join([named] if isinstance(named, str) else named or [])
            place = f"{self.name}, {', '.join(names)}" if request.corpus else files
            raise UserError(f"data.{role}: expected sentence pairs, found none in {place}")


def find(request: CorpusRequest, log: Log) -> DataSource:
    """The data source of a request."""
    if request.corpus is None:
        return _files(request)
    if request.corpus == "builtin":
        return _builtin(request)
    if hub.is_local(request.corpus):
        return _tables(request, hub.load_folder(request.corpus, request.configuration), None)
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
        "(data.offline: builtin in the recipe allows this; data.offline=error stops instead; "
        "the run and its scores record it)"
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
    named = {name: spec for name in SPLIT_NAMES if (spec := getattr(request, name)) is not None}
    entries = [entry for spec in named.values() for entry in ([spec] if isinstance(spec, str) else spec)]
    splits = {name: partial(read, spec) for name, spec in named.items()}
    return DataSource("files", splits, lambda: chain.from_iterable(map(paths, entries)))


def _tables(request: CorpusRequest, loaded: DatasetDict, commit: str | None) -> DataSource:
    corpus = request.corpus or ""

    def read(name: str) -> Iterator[Pair]:
        rows = loaded[name].with_format("arrow")
        try:
            first = 1
            for table in chain([rows[:0]], rows.iter(TABLE_ROWS)):  # the columns of an empty split are checked, too
                yield from table_pairs(table, request.source, request.target, "the corpus", request.errors, first)
                first += len(table)
        except UnicodeDecodeError as error:
            raise hub.bad_file(corpus, error) from error

    def files() -> Iterable[Path]:
        return () if commit else sorted(path for path in Path(corpus).expanduser().rglob("*") if path.is_file())

    return DataSource(corpus, {name: partial(read, name) for name in loaded}, files, revision=commit)
