"""A cache of folders that are derived from large corpora: cleaned text, vocabularies, token ids.

A folder appears whole or not at all. Its name holds the hash of what it was made from, so other text, other settings
and other formats get folders of their own.

    KIND-HASH/manifest.json    what it was made from, metadata, and size and hash of every other file
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nmt import atomic, unfinished
from nmt.atomic import JsonObject, Manifest
from nmt.data.metadata import FolderRecord
from nmt.errors import Log, RunError, UserError

FORMAT = 2
"""Version of the layout; folders of another version are not used."""
MANIFEST = "manifest.json"
NAME = re.compile(r"[a-z]+-[0-9a-f]{16}")

Fill = Callable[[Path], JsonObject]
"""Writes files into a folder, and returns its metadata."""


@dataclass(frozen=True)
class CachedFolder:
    """A folder of the cache whose files have the sizes and hashes of its manifest."""

    path: Path
    metadata: JsonObject
    bytes: int

    @property
    def record(self) -> FolderRecord:
        """What a run records of it."""
        return FolderRecord(folder=self.path.name, bytes=self.bytes)


class Cache:
    """The folder `data.cache` of a recipe."""

    def __init__(self, path: Path, log: Log) -> None:
        self.path, self.log = path.expanduser(), log

    def get(self, kind: str, made_from: JsonObject, fill: Fill) -> CachedFolder:
        """The folder made from exactly this, filled first if there is none. Other processes wait while one fills."""
        made_from = {"format": FORMAT, **made_from}
        path = self.path / f"{kind}-{_hash(made_from)}"
        if not path.exists():
            with self._locked():
                if not path.exists():  # another process may have made it meanwhile
                    self._make(path, made_from, fill)
        return self._open(path)

    def find(self, name: str) -> CachedFolder | None:
        """The folder of that name, if it exists in this format; the name may come from a run of another person."""
        path = self.path / name
        return self._open(path) if NAME.fullmatch(name) and path.exists() and not _outdated(path) else None

    def _make(self, path: Path, made_from: JsonObject, fill: Fill) -> None:
        self.log(f"writing {path}; this is done once")
        try:
            with atomic.atomic_folder(path) as building:
                metadata = fill(building)
                files = Manifest.of_folder(building, sorted(each.name for each in building.iterdir())).as_json()
                manifest = {"made_from": made_from, "metadata": metadata, "files": files}
                atomic.write_json(building / MANIFEST, manifest)
        except atomic.WriteError as error:
            raise self._unwritable(error.reason) from error

    def _open(self, path: Path) -> CachedFolder:
        try:
            manifest = json.loads((path / MANIFEST).read_bytes())
            files = Manifest.read_json(manifest["files"])
            if path.name.rpartition("-")[2] != _hash(manifest["made_from"]):
                raise _damaged(path, "its name is not the hash of what it was made from")
            changed = files.differing(path)
            metadata = dict(manifest["metadata"])
        except UserError:
            raise
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, str(getattr(error, "strerror", None) or error)) from error
        if changed is not None:
            raise _damaged(path, f"{changed} has changed")
        return CachedFolder(path, metadata, files.bytes)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds a lock on the cache, which ends with the process, and removes what killed processes left unfinished."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.log(f"{self.path}: another command is writing to this cache; waiting until it is done")
                fcntl.flock(handle, fcntl.LOCK_EX)
            unfinished.discard_all(self.path, NAME)  # only such names: the folder may hold other things
            yield
        finally:
            os.close(handle)

    def _unwritable(self, reason: str) -> RunError:
        return RunError(
            f"{self.path}: the cache cannot be written ({reason}); nothing unfinished is left behind\n"
            "free space for about three times the text, or name another folder: data.cache=FOLDER"
        )


def _outdated(path: Path) -> bool:
    """Whether the folder has another format; False if it is damaged."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return bool(json.loads((path / MANIFEST).read_bytes())["made_from"]["format"] != FORMAT)
    return False


def _hash(made_from: JsonObject) -> str:
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: damaged ({reason})\ndelete this folder, and the same command writes it again")
