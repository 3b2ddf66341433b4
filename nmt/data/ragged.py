"""Rows of different lengths, end to end in one array, and where each begins in another: in memory, or in two files read as they are asked for.

Files are read and not mapped. A mapped page counts as resident memory once it is touched, which in a shuffled epoch all of them are, and a
mapped file that is cut short ends the process by SIGBUS; what is read is copied out of the system's cache, and a short read is a fault in words.
"""

from __future__ import annotations

import os
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
from numpy.typing import DTypeLike

from nmt.errors import RunError, UserError

BLOCK = 1 << 13
"""Rows that are read or written at once where all are."""


class Flat(Protocol):
    """An array of one dimension, as far as it is needed here."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: slice, /) -> np.ndarray: ...


class ArrayFile:
    """An array of one dimension in a file, read slice by slice."""

    def __init__(self, path: Path, dtype: DTypeLike) -> None:
        self.path, self.dtype = path, np.dtype(dtype)
        try:
            self._handle = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror})") from error
        weakref.finalize(self, os.close, self._handle)
        self._length = os.fstat(self._handle).st_size // self.dtype.itemsize

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, places: slice) -> np.ndarray:
        start, stop, _ = places.indices(self._length)
        size = self.dtype.itemsize
        data = os.pread(self._handle, (stop - start) * size, start * size)
        if len(data) != (stop - start) * size:
            raise RunError(f"{self.path}: cut short while it was in use")
        return np.frombuffer(data, self.dtype)


class RaggedArray:
    """Row i is ``items[starts[i]:starts[i + 1]]``; there is one start more than there are rows."""

    def __init__(self, items: Flat, starts: Flat) -> None:
        self.items, self.starts = items, starts

    @classmethod
    def packed(cls, rows: Iterable[Sequence[int]]) -> RaggedArray:
        """In memory: four bytes a number and no Python object a row."""
        items, starts = array("i"), array("q", [0])
        for row in rows:
            items.extend(row)
            starts.append(len(items))
        return cls(np.asarray(items), np.asarray(starts))

    @classmethod
    def open(cls, place: Path, dtype: DTypeLike) -> RaggedArray:
        """What a `RaggedWriter` wrote."""
        items, starts = _files(place)
        return cls(ArrayFile(items, dtype), ArrayFile(starts, np.int64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        start, end = self.starts[row : row + 2]
        return self.items[start:end]

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows in order, many at a time: items, and where among them each row begins and the last one ends."""
        for first in range(0, len(self), BLOCK):
            starts = self.starts[first : first + BLOCK + 1]
            yield self.items[int(starts[0]) : int(starts[-1])], starts - starts[0]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Items of each row, four bytes each: these stay in memory."""
        found = np.empty(len(self), np.int32)
        for first in range(0, len(self), BLOCK):
            found[first : first + BLOCK] = np.diff(self.starts[first : first + BLOCK + 1])
        return found


class RaggedWriter:
    """Writes rows to two files beside each other, many at a time."""

    def __init__(self, place: Path) -> None:
        self._items, self._starts = (path.open("wb") for path in _files(place))
        self._starts.write(np.zeros(1, np.int64).tobytes())
        self._end = 0

    def extend(self, items: bytes, lengths: Iterable[int]) -> None:
        """Adds rows of so many items each."""
        starts = self._end + np.cumsum(np.fromiter(lengths, np.int64))
        self._items.write(items)
        self._starts.write(starts.tobytes())
        self._end = int(starts[-1])

    def __enter__(self) -> RaggedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._items.close()
        finally:  # closing writes what is left, for which there may be no space
            self._starts.close()


def remove(place: Path) -> None:
    """Removes both files."""
    for path in _files(place):
        path.unlink()


def _files(place: Path) -> tuple[Path, Path]:
    return place.with_name(f"{place.name}.items"), place.with_name(f"{place.name}.starts")
