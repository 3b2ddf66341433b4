"""Files that are there whole or not at all, and logs of one JSON object a line."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from nmt.errors import RunError

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object as it is read or written."""


@contextmanager
def building(path: Path) -> Iterator[BinaryIO]:
    """A file to fill that takes the place of ``path`` once all of it is on disk, and is gone if anything fails: readers see the old or the new."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror}); what was there before is untouched") from error
    finally:
        with suppress(OSError):  # it has taken its place, or was never made
            part.unlink()


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A device or a pipe to write to, which nothing can take the place of; that its reader has had enough stays a `BrokenPipeError`."""
    try:
        with path.open("wb") as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunError(f"{path}: cannot be written ({error.strerror})") from error


def remove_leftovers(path: Path) -> None:
    """Removes what a kill left of `building` or `atomic_folder` for this path. The caller knows that nobody is building it now."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.[0-9]*"):
        delete(part)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A folder to fill that takes its final name once everything in it is on disk, and that is gone if anything fails."""
    building = path.parent / f".{path.name}.{os.getpid()}"
    building.mkdir()
    try:
        yield building
        for part in building.iterdir():
            _flush(part)
        _flush(building)
        _put(building, path)
        _flush(path.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _put(building: Path, path: Path) -> None:
    """Gives a folder its final name. Where there was one of that name, there is a moment between two renames without it."""
    aside = move_aside(path) if path.exists() else None
    building.rename(path)
    if aside is not None:
        delete(aside)


def move_aside(path: Path) -> Path:
    """Gives what stands there another name, to be deleted under: killed meanwhile, it must not be left half there."""
    return path.rename(path.with_name(f".{path.name}.{os.getpid()}.old"))


def delete(path: Path) -> None:
    """Deletes a folder, or the file that damage has put in its place."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def entry(path: Path) -> dict[str, int | str]:
    """What a manifest says of a file: its size and hash."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def write_file(path: Path, data: bytes | str) -> None:
    """Writes a file that is there whole or not at all."""
    with building(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Writes an object, whole."""
    write_file(path, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def append_record(path: Path, record: dict[str, Any], *, durable: bool = False) -> None:
    """Adds an object as a line of its own, even after a line that a kill cut short; ``durable`` waits until it is on disk."""
    line = json.dumps(record, ensure_ascii=False)
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


def read_records(path: Path) -> list[dict[str, Any]]:
    """All objects of such a file, oldest first; a line that a kill cut short is none."""
    if not path.exists():
        return []
    try:
        return records(path.read_bytes())
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error


def records(data: bytes) -> list[dict[str, Any]]:
    """All objects in the bytes of such a file."""
    return [record for line in data.split(b"\n") if (record := _object(line)) is not None]


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
