"""Sentence pairs: two sequences of texts of the same length, in memory or in files."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np

from nmt.data.ragged import BLOCK, RaggedArray, RaggedWriter, remove
from nmt.errors import UserError


class Pair(NamedTuple):
    """A sentence and its translation, as they are read; ``replaced`` counts texts in which invalid UTF-8 became U+FFFD."""

    source: str
    target: str
    replaced: int = 0


class Texts(Sequence[str]):
    """Texts in files, decoded when they are asked for."""

    def __init__(self, place: Path) -> None:
        self._rows = RaggedArray.open(place, np.uint8)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes(self) -> int:
        """Of all texts, in UTF-8."""
        return len(self._rows.items)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[each] for each in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._rows[row % len(self)].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        for items, starts in self._rows.blocks():
            data = items.tobytes()
            for start, end in pairwise(starts.tolist()):
                yield data[start:end].decode()


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations, line by line; `replaced` counts texts in which invalid UTF-8 became U+FFFD."""

    source: Sequence[str]
    target: Sequence[str]
    replaced: int = 0

    def __post_init__(self) -> None:
        assert len(self.source) == len(self.target), "readers compare the lengths, with the names of the files at hand"

    @classmethod
    def gathered(cls, pairs: Iterable[Pair]) -> Pairs:
        """All of a stream, in memory."""
        source, target, replaced = list[str](), list[str](), 0
        for pair in pairs:
            source.append(pair.source)
            target.append(pair.target)
            replaced += pair.replaced
        return cls(source, target, replaced)

    @classmethod
    def stored(cls, place: Path, pairs: Iterable[Pair]) -> Pairs:
        """All of a stream, in files whose names begin with that of ``place``; what was replaced is counted by who sends it."""
        stream = iter(pairs)
        with RaggedWriter(_side(place, "source")) as source, RaggedWriter(_side(place, "target")) as target:
            while block := list(islice(stream, BLOCK)):
                for writer, texts in (
                    (source, [pair.source.encode() for pair in block]),
                    (target, [pair.target.encode() for pair in block]),
                ):
                    writer.extend(b"".join(texts), map(len, texts))
        return cls.open(place)

    @classmethod
    def open(cls, place: Path) -> Pairs:
        """What `stored` wrote."""
        return cls(Texts(_side(place, "source")), Texts(_side(place, "target")))

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[Pair]:
        return map(Pair, self.source, self.target)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of both sides; every sentence is preceded by its length, so no two corpora run together."""
        digest = hashlib.sha256()
        for side in (self.source, self.target):
            for text in side:
                data = text.encode()
                digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def take(self, rows: Iterable[int]) -> Pairs:
        """These rows, in this order and in memory; what was replaced is counted where it was read."""
        chosen = list(rows)
        return Pairs([self.source[row] for row in chosen], [self.target[row] for row in chosen])

    def without(self, rows: Container[int]) -> Iterator[Pair]:
        """All rows but these."""
        return (pair for row, pair in enumerate(self) if row not in rows)


def discard(place: Path) -> None:
    """Removes what `Pairs.stored` wrote."""
    for side in ("source", "target"):
        remove(_side(place, side))


def _side(place: Path, side: str) -> Path:
    return place.with_name(f"{place.name}.{side}")


def check_languages(source: str, target: str, columns: Iterable[str], where: str) -> None:
    """A fault unless both languages are among the columns, and are two."""
    known = list(columns)
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in known:
            raise UserError(f"{key}: {where} has no column {language!r}; it has {', '.join(known) or 'none'}")
    if source == target:
        raise UserError(
            f"data.target: expected another language than data.source, found {target!r} for both; {where} has {', '.join(known)}"
        )
