"""Where sentences stand: file and line, or split and row of a data set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from itertools import chain

from nmt.data import sources
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pair
from nmt.data.readers import paths, stream_pair_files

Named = tuple[str, str, Callable[[], Iterable[Pair]]]
"""The names of source and target in places, and the pairs."""


def find(request: CorpusRequest, wanted: Collection[str]) -> dict[str, str]:
    """The first place of each sentence, or pair joined by `|||`, that is wanted; a corpus is read until all are
    found."""
    found: dict[str, str] = {}
    missing = set(wanted)
    for source, target, pairs in _streams(request) if missing else ():
        for number, pair in enumerate(pairs(), start=1):
            line = pair.line or number
            texts = ((pair.source, source), (pair.target, target), (f"{pair.source} ||| {pair.target}", source))
            for text, name in texts:
                if text in missing:
                    found[text] = f"{name}:{line}"
                    missing.discard(text)
        if not missing:
            break
    return found


def _streams(request: CorpusRequest) -> Iterator[Named]:
    read = partial(stream_pair_files, source=request.source, target=request.target, errors=request.errors)
    if request.corpus is not None:
        for name, stream in sources.find(request, lambda line: None).splits.items():
            yield name, name, stream
    specs = [request.train, request.valid, request.test] if request.corpus is None else []
    lists = [[spec] if isinstance(spec, str) else spec for spec in specs if spec is not None]
    for entry in chain(*lists, request.extra):
        names = list(map(str, paths(entry)))
        yield names[0], names[-1], partial(read, entry)
