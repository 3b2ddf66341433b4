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

from nmt import printable
from nmt.data import ragged
from nmt.data.ragged import BLOCK, RaggedArray, RaggedWriter
from nmt.errors import UserError

COPIED_RUN = 4
"""Fewest consecutive copied words; names alone seldom make as many."""
COPIED_TEXT = 3
"""Fewest words of a text that is copied as a whole."""


class Pair(NamedTuple):
    """A sentence and its translation; ``replaced`` counts texts in which invalid UTF-8 became U+FFFD."""

    source: str
    target: str
    replaced: int = 0
    line: int = 0
    """Its line, row or unit in its file, from 1; 0 if it has none."""


class Texts(Sequence[str]):
    """Texts in files, decoded when they are read."""

    def __init__(self, path: Path) -> None:
        self._rows = RaggedArray.open(path, np.uint8)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def bytes(self) -> int:
        """Size of all texts in UTF-8."""
        return len(self._rows.values)

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
        for values, offsets in self._rows.blocks():
            data = values.tobytes()
            for start, end in pairwise(offsets.tolist()):
                yield data[start:end].decode()


@dataclass(frozen=True)
class Pairs:
    """Sentences and their translations; ``replaced`` counts texts in which invalid UTF-8 became U+FFFD."""

    source: Sequence[str]
    target: Sequence[str]
    replaced: int = 0

    def __post_init__(self) -> None:
        assert len(self.source) == len(self.target), "readers compare the lengths and name the files"

    @classmethod
    def collect(cls, pairs: Iterable[Pair]) -> Pairs:
        """All pairs of a stream, in memory."""
        source, target, replaced = list[str](), list[str](), 0
        for pair in pairs:
            source.append(pair.source)
            target.append(pair.target)
            replaced += pair.replaced
        return cls(source, target, replaced)

    @classmethod
    def write(cls, path: Path, pairs: Iterable[Pair]) -> Pairs:
        """All pairs of a stream, in files whose names begin with ``path``; ``replaced`` is not kept."""
        stream = iter(pairs)
        with RaggedWriter(_side(path, "source")) as source, RaggedWriter(_side(path, "target")) as target:
            while block := list(islice(stream, BLOCK)):
                for writer, texts in (
                    (source, [pair.source.encode() for pair in block]),
                    (target, [pair.target.encode() for pair in block]),
                ):
                    writer.extend(b"".join(texts), map(len, texts))
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> Pairs:
        """The pairs that `write` wrote."""
        return cls(Texts(_side(path, "source")), Texts(_side(path, "target")))

    @staticmethod
    def delete(path: Path) -> None:
        """Deletes the files that `write` wrote."""
        for side in ("source", "target"):
            ragged.delete(_side(path, side))

    def __len__(self) -> int:
        return len(self.source)

    def __iter__(self) -> Iterator[Pair]:
        return map(Pair, self.source, self.target)

    @cached_property
    def sha256(self) -> str:
        """Fingerprint of both sides; every sentence is preceded by its length, which makes the encoding unambiguous."""
        digest = hashlib.sha256()
        for side in (self.source, self.target):
            for text in side:
                data = text.encode()
                digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def take(self, rows: Iterable[int]) -> Pairs:
        """These rows, in this order and in memory."""
        chosen = list(rows)
        return Pairs([self.source[row] for row in chosen], [self.target[row] for row in chosen])

    def without(self, rows: Container[int]) -> Iterator[Pair]:
        """All rows but these."""
        return (pair for row, pair in enumerate(self) if row not in rows)


def _side(path: Path, side: str) -> Path:
    return path.with_name(f"{path.name}.{side}")


def check_languages(source: str, target: str, columns: Iterable[str], where: str) -> None:
    """Raises `UserError` unless both languages are among the columns and differ."""
    known = list(columns)
    shown = printable.escaped(", ".join(known)) or "none"
    for key, language in (("data.source", source), ("data.target", target)):
        if language not in known:
            raise UserError(f"{key}: {where} has no column {language!r}; it has {shown}")
    if source == target:
        raise UserError(
            f"data.target: expected another language than data.source, found {target!r} for both; {where} has {shown}"
        )


def copied_words(source: str, target: str) -> str | None:
    """The first consecutive words, each with a letter, that are in source and target alike: text left untranslated.

    None if there are too few, as names and numbers are copied rightly. Words are separated by white space, so in a
    language written without it only a whole text of several words is found.
    """
    ours, theirs = target.split(), source.split()
    if ours == theirs and sum(map(_has_letter, ours)) >= COPIED_TEXT:
        return target
    known = {tuple(theirs[start : start + COPIED_RUN]) for start in range(len(theirs) - COPIED_RUN + 1)}
    for start in range(len(ours) - COPIED_RUN + 1):
        words = tuple(ours[start : start + COPIED_RUN])
        if words in known and all(map(_has_letter, words)):
            return " ".join(words)
    return None


def _has_letter(word: str) -> bool:
    return any(map(str.isalpha, word))
