"""Lines of text from bytes. Only ``\\n`` ends a line, as for `wc -l`, so that the files of a pair stay aligned.

`str.splitlines`, text mode and most readers also end lines at ``\\r``, U+2028 and others, which shifts one side of a
corpus.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, NamedTuple

from nmt.errors import RunError, UserError, meant_path

BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
CHUNK = 1 << 16
LONGEST = 1 << 22
"""Bytes of the longest line that is read; a small gz file could hold a line that fills memory."""
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)


class Lines(NamedTuple):
    """The lines of a file, and in how many of them invalid UTF-8 was replaced by U+FFFD."""

    text: list[str]
    replaced: int


def split(data: bytes) -> list[bytes]:
    """Lines without their ends, ``\\n`` or ``\\r\\n``. A final ``\\n`` does not begin another line."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def decode(line: bytes, errors: str = "replace") -> tuple[str, bool]:
    """The text of a line, and whether anything in it was replaced; "strict" raises `UnicodeDecodeError` instead."""
    try:
        return line.decode(), False
    except UnicodeDecodeError:
        if errors == "strict":
            raise
        return line.decode(errors="replace"), True


def read(path: Path, errors: str = "strict") -> Lines:
    """All lines of a file at once; see `stream`."""
    found = list(stream(path, errors))
    return Lines([text for text, _ in found], sum(replaced for _, replaced in found))


def stream(path: Path, errors: str = "strict") -> Iterator[tuple[str, bool]]:
    """The lines of a file, plain or gz, each with whether anything in it was replaced.

    With "strict", invalid UTF-8, UTF-16 and NUL bytes raise `UserError` with file and line.
    """
    with opened(path) as file:
        lines = (line for block in _blocks(path, file) for line in block)
        if errors == "strict":
            yield from ((_strict(path, number, line), False) for number, line in enumerate(lines, start=1))
        else:
            yield from map(decode, lines)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, decompressed if its name or its first bytes say gzip."""
    with _open(path) as raw:
        packed = path.suffix == ".gz" or raw.peek(2)[:2] == b"\x1f\x8b"
        try:
            if packed:
                with gzip.GzipFile(fileobj=raw) as plain:
                    yield plain  # type: ignore[misc]  # a GzipFile reads like a BinaryIO
            else:
                yield raw
        except BROKEN_GZIP as error:
            raise UserError(f"{path}: damaged or truncated gzip file ({error}); make or fetch it again") from error


def arriving(stream: BinaryIO, where: str = "standard input") -> Iterator[list[bytes]]:
    """Complete lines as soon as they arrive; a last line without end comes last. ``where`` names the stream.

    `read1` returns what a pipe holds now, and waits only while it is empty.
    """
    read_some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    pending, first, before = bytearray(), True, 0
    while chunk := read_some(CHUNK):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield _begun(pending + head + newline, first)
            pending, first, before = bytearray(), False, before + head.count(b"\n") + 1
        pending += tail
        if len(pending) > LONGEST:
            raise UserError(f"{where}:{before + 1}: a line of more than {LONGEST:,} bytes; expected lines of text")
    if pending:
        yield _begun(pending, first)


def sha256(path: Path) -> str:
    """Hash of the bytes of a file, compressed or not."""
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begun(data: bytearray, first: bool) -> list[bytes]:
    return split(bytes(data).removeprefix(BOM) if first else bytes(data))


def _strict(path: Path, number: int, line: bytes) -> str:
    if number == 1 and line.startswith(UTF16):
        raise UserError(f"{path}:1: this is UTF-16, not UTF-8; convert it: iconv -f UTF-16 -t UTF-8")
    if (column := line.find(b"\0")) >= 0:
        raise UserError(
            f"{path}:{number}: NUL byte at column {column + 1}; expected text in UTF-8, not UTF-16 or a binary file"
        )
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}:{number}: invalid UTF-8 (byte 0x{line[error.start]:02x} at column {error.start + 1}); "
            "convert the file to UTF-8, or set data.errors=replace"
        ) from error


def _open(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file{meant_path(path)}") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"{path}: expected a file, found a folder in its place or above it") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error


def _blocks(path: Path, file: BinaryIO) -> Iterator[list[bytes]]:
    try:
        yield from arriving(file, str(path))
    except BROKEN_GZIP:  # BadGzipFile is an OSError, too; `opened` reports it
        raise
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror}") from error
