"""A ragged array: values and offsets, in memory or in two files.

Files are read, not mapped: pages of a mapped file count as resident memory once they are touched, which a shuffled
epoch does to all of them, and a mapped file that is cut short ends the process by SIGBUS.
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
"""Rows that are read or written at once when all are."""


class Array(Protocol):
    """A one-dimensional array that gives slices."""

    def __len__(self) -> int: ...

    def __getitem__(self, places: slice, /) -> np.ndarray: ...


class ArrayFile:
    """A one-dimensional array in a file, read slice by slice."""

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
    """Row i is ``values[offsets[i]:offsets[i + 1]]``; there is one offset more than there are rows."""

    def __init__(self, values: Array, offsets: Array) -> None:
        self.values, self.offsets = values, offsets

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[int]]) -> RaggedArray:
        """An array in memory of 32-bit integers."""
        values, offsets = array("i"), array("q", [0])
        for row in rows:
            values.extend(row)
            offsets.append(len(values))
        return cls(np.asarray(values), np.asarray(offsets))

    @classmethod
    def open(cls, path: Path, dtype: DTypeLike) -> RaggedArray:
        """The array that a `RaggedWriter` wrote."""
        values, offsets = _files(path)
        return cls(ArrayFile(values, dtype), ArrayFile(offsets, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        start, end = self.offsets[row : row + 2]
        return self.values[start:end]

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All rows in order, `BLOCK` at a time: their values, and their offsets within the block."""
        for first in range(0, len(self), BLOCK):
            offsets = self.offsets[first : first + BLOCK + 1]
            yield self.values[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0]

    @cached_property
    def lengths(self) -> np.ndarray:
        """The length of each row, in memory, four bytes each."""
        lengths = np.empty(len(self), np.int32)
        for first in range(0, len(self), BLOCK):
            lengths[first : first + BLOCK] = np.diff(self.offsets[first : first + BLOCK + 1])
        return lengths


class RaggedWriter:
    """Writes a ragged array to two files, many rows at a time."""

    def __init__(self, path: Path) -> None:
        self._values, self._offsets = (file.open("wb") for file in _files(path))
        self._offsets.write(np.zeros(1, np.int64).tobytes())
        self._end = 0

    def extend(self, values: bytes, lengths: Iterable[int]) -> None:
        """Adds rows of these lengths, whose values follow each other."""
        offsets = self._end + np.cumsum(np.fromiter(lengths, np.int64))
        self._values.write(values)
        self._offsets.write(offsets.tobytes())
        self._end = int(offsets[-1])

    def __enter__(self) -> RaggedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._values.close()
        finally:  # closing flushes, which fails on a full disk
            self._offsets.close()


def delete(path: Path) -> None:
    """Deletes the files of a ragged array."""
    for file in _files(path):
        file.unlink()


def _files(path: Path) -> tuple[Path, Path]:
    return path.with_name(f"{path.name}.values"), path.with_name(f"{path.name}.offsets")
