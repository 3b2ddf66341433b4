"""Atomic writes: files and folders appear whole or not at all. Manifests of sizes and hashes, and logs of JSON
lines."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from nmt import printable
from nmt.errors import RunError
from nmt.unfinished import delete, fresh_name, unfinished_file, unfinished_folder

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as it is read or written."""


class WriteError(RunError):
    """A file or folder could not be written; ``reason`` says why in words."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: cannot be written ({reason}); what was there before is untouched")

    @classmethod
    def of(cls, path: Path, error: OSError) -> WriteError:
        """What the system says of a path; the name of an unfinished file in it would say nothing to the user."""
        return cls(path, error.strerror or str(error))


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A file to fill that replaces ``path`` once all of it is on disk, and is removed if anything fails.

    It has the mode of the file that it replaces. A link is replaced, not followed; see `followed`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with unfinished_file(path, _mode(path)) as (part, file):
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        raise WriteError.of(path, error) from error


@contextmanager
def output_file(path: Path) -> Iterator[BinaryIO]:
    """The file that a user has named for output: atomic where a link leads, or a device or a pipe to write to."""
    if path.exists() and not path.is_file():
        with _device_file(path) as file:
            yield file
    else:
        with atomic_file(followed(path)) as file:
            yield file


def followed(path: Path) -> Path:
    """Where a path leads that is a link; for paths that a user has named, never for those in a run folder."""
    return path.resolve() if path.is_symlink() else path


@contextmanager
def _device_file(path: Path) -> Iterator[BinaryIO]:
    """A device or a pipe to write to, which cannot be replaced; a closed reader stays a `BrokenPipeError`."""
    try:
        with path.open("wb") as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from error


@contextmanager
def atomic_folder(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """A folder to fill that replaces ``path`` once everything in it is on disk, and is removed if anything fails.

    Without ``replace``, a folder there that is not empty is a `WriteError`. A link is replaced, not followed.
    """
    try:
        with unfinished_folder(path, _mode(path)) as building:
            with _named(path, building):
                yield building
            for part in building.rglob("*"):
                if not part.is_symlink():
                    _flush(part)
            _flush(building)
            if replace:
                _replace_folder(building, path)
            else:
                building.rename(path)
            _flush(path.parent)
    except OSError as error:
        raise WriteError.of(path, error) from error


@contextmanager
def _named(path: Path, building: Path) -> Iterator[None]:
    """Gives errors of files in an unfinished folder the name that it will have."""
    try:
        yield
    except WriteError as error:
        if building in error.path.parents:
            raise WriteError(path, error.reason) from error
        raise


def _replace_folder(building: Path, path: Path) -> None:
    """Gives a folder its final name. Replacing another folder takes two renames, between which there is none."""
    aside = move_aside(path) if os.path.lexists(path) else None
    building.rename(path)
    if aside is not None:
        delete(aside)


def move_aside(path: Path) -> Path:
    """Renames what is to be deleted, so that a kill meanwhile leaves no half of it under its name."""
    return path.rename(fresh_name(path))


def _mode(path: Path) -> int | None:
    """The rights on a file or folder that is there; None if there is none, or a link."""
    with suppress(OSError):
        if not path.is_symlink():
            return path.stat().st_mode & 0o777
    return None


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class FileRecord:
    """Size and hash of a file."""

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileRecord:
        """That of a file on disk."""
        with path.open("rb") as file:
            return cls(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True)
class Manifest:
    """Sizes and hashes of files by name."""

    files: Mapping[str, FileRecord]

    @classmethod
    def of_folder(cls, folder: Path, names: Iterable[str]) -> Manifest:
        """That of files in a folder."""
        return cls({name: FileRecord.of(folder / name) for name in names})

    @classmethod
    def of_contents(cls, contents: Mapping[str, bytes]) -> Manifest:
        """That of files in memory."""
        return cls({name: FileRecord(len(data), _sha256(data)) for name, data in contents.items()})

    @classmethod
    def read_json(cls, values: object) -> Manifest:
        """The inverse of `as_json`; anything else is a `ValueError`."""
        if not isinstance(values, dict):
            raise ValueError("the manifest is no object")
        found = {}
        for name, record in values.items():
            if not isinstance(record, dict) or record.keys() != {"bytes", "sha256"}:
                raise ValueError(f"the manifest gives no size and hash of {name}")
            if type(record["bytes"]) is not int or not isinstance(record["sha256"], str):
                raise ValueError(f"the manifest gives no size and hash of {name}")
            found[name] = FileRecord(record["bytes"], record["sha256"])
        return cls(found)

    def as_json(self) -> JsonObject:
        """An object for each file."""
        return {name: asdict(record) for name, record in self.files.items()}

    def differing(self, folder: Path) -> str | None:
        """The first file of a folder that is not as the manifest says, or None. A missing file is an `OSError`."""
        return next((name for name, record in self.files.items() if FileRecord.of(folder / name) != record), None)

    def describes(self, name: str, data: bytes) -> bool:
        """Whether this is the content of a file."""
        return self.files[name] == FileRecord(len(data), _sha256(data))

    @property
    def bytes(self) -> int:
        """The sum of the sizes."""
        return sum(record.bytes for record in self.files.values())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_file(path: Path, data: bytes | str) -> None:
    """Writes a file atomically."""
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def write_json(path: Path, values: JsonObject) -> None:
    """Writes an object atomically."""
    write_file(path, printable.dumps(values, indent=1) + "\n")


def append_record(path: Path, record: JsonObject, *, durable: bool = False) -> None:
    """Appends an object as a line of its own, even after a line that a kill cut short; ``durable`` waits for the
    disk."""
    line = printable.dumps(record)
    try:
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else f"\n{line}"
            file.write(f"{line}\n".encode())
            file.flush()
            if durable:
                os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from error


def read_records(path: Path) -> list[JsonObject]:
    """All objects of a file of JSON lines, oldest first; a line that a kill cut short is left out."""
    if not path.exists():
        return []
    try:
        return records(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error


def records(data: bytes) -> list[JsonObject]:
    """All objects in the content of a file of JSON lines."""
    return [record for line in data.split(b"\n") if (record := _object(line)) is not None]


def _object(line: bytes) -> JsonObject | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
