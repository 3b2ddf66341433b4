"""Unfinished files and folders: where an atomic write is made before it gets its name.

An unfinished file of `NAME` is called `.NAME.nmt-TOKEN`, with 64 random bits, and is locked by the process that makes
it. What a killed process left has the same form of name and no lock, so it can be told from what another process is
making, and from everything that users have made. This is the only place that deletes such leftovers.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_LONGEST = 200
"""Bytes of a name that are kept in the unfinished one, which has 23 more; file systems allow 255."""
ATTEMPTS = 5
_NAME = re.compile(r"\.(.*)\.nmt-[0-9a-f]{16}", re.DOTALL)


def fresh_name(path: Path) -> Path:
    """A new unfinished name for a path, in the same folder."""
    return path.with_name(f".{_stem(path)}.nmt-{secrets.token_hex(8)}")


@contextmanager
def unfinished_file(path: Path, mode: int | None) -> Iterator[tuple[Path, BinaryIO]]:
    """An empty unfinished file of ``path`` and its name. It is deleted at the end, unless it was renamed.

    The mode is that of a new file if it is None; the file never has more rights than that.
    """

    def make(name: Path) -> int:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)

    name, handle = _made(path, make)
    try:
        with open(handle, "wb") as file:
            if mode is not None:
                os.fchmod(handle, mode)
            yield name, file
    finally:
        with suppress(OSError):  # it was renamed
            name.unlink()


@contextmanager
def unfinished_folder(path: Path, mode: int | None) -> Iterator[Path]:
    """An empty unfinished folder of ``path``. It is deleted at the end, unless it was renamed."""

    def make(name: Path) -> int:
        name.mkdir(0o777 if mode is None else mode, parents=True)
        return os.open(name, os.O_RDONLY)

    name, handle = _made(path, make)
    try:
        if mode is not None:
            name.chmod(mode | 0o700)
        yield name
    finally:
        try:
            shutil.rmtree(name, ignore_errors=True)
        finally:
            os.close(handle)


def discard(path: Path) -> None:
    """Deletes what killed processes left of writes to this path."""
    discard_all(path.parent, re.compile(re.escape(_stem(path))))


def discard_all(folder: Path, names: re.Pattern[str]) -> None:
    """Deletes what killed processes left of writes to paths with such names in a folder."""
    with suppress(FileNotFoundError):
        for name in os.listdir(folder):
            found = _NAME.fullmatch(name)
            if found and names.fullmatch(found[1]):
                _discard(folder / name)


def delete(path: Path) -> None:
    """Deletes a folder, a file, or a link but not where it leads."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _stem(path: Path) -> str:
    return os.fsdecode(os.fsencode(path.name)[:_LONGEST])


def _made(path: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """A new name and an open handle that holds its lock.

    Between making and locking another process may have deleted it as a leftover; then another is made.
    """
    discard(path)
    for attempt in range(ATTEMPTS):
        name = fresh_name(path)
        try:
            handle = make(name)
        except FileNotFoundError:
            if attempt == ATTEMPTS - 1:  # no other process, but a place where nothing can be made
                raise
            continue
        with suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        if name.exists():
            return name, handle
        os.close(handle)
    raise FileNotFoundError(errno.ENOENT, "what is written here is deleted at once", str(path))


def _discard(path: Path) -> None:
    """Deletes a leftover, unless a process holds its lock."""
    if path.is_symlink() or not (path.is_dir() or path.is_file()):  # moved aside, and nothing to lock
        with suppress(OSError):
            path.unlink()
        return
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        delete(path)
    except OSError:  # another process is making it, or it cannot be deleted
        return
    finally:
        os.close(handle)
