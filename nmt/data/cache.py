"""Prepared folders: what was made of a large corpus once, kept to be used again. Each is there whole or not at all, and named by the hash of
what it was made from, so that anything else is made into a folder of its own.

    KIND-HASH/manifest.json    what it was made from, facts, and size and hash of every other file
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt import atomic
from nmt.data.metadata import FolderRecord
from nmt.errors import RunError, UserError

MANIFEST = "manifest.json"
NAME = re.compile(r"[a-z]+-[0-9a-f]{16}")
UNFINISHED = re.compile(rf"\.{NAME.pattern}\.\d+(\.old)?")
"""What `files.building_folder` calls a folder that it has not finished, or is about to delete."""

Log = Callable[[str], None]
Fill = Callable[[Path], dict[str, Any]]
"""Puts files into a folder, and returns the facts about them."""


@dataclass(frozen=True)
class Folder:
    """A prepared folder that was found to be sound."""

    path: Path
    metadata: Mapping[str, Any]
    bytes: int

    @property
    def record(self) -> FolderRecord:
        """What a run records of it."""
        return FolderRecord(folder=self.path.name, bytes=self.bytes)


class Cache:
    """The place of prepared folders: a recipe's `data.cache`."""

    def __init__(self, place: Path, log: Log) -> None:
        self.place, self.log = place.expanduser(), log

    def folder(self, kind: str, made_from: Mapping[str, Any], fill: Fill) -> Folder:
        """The folder made from exactly this, filled first where there is none. While one process fills, others wait for it."""
        path = self.place / f"{kind}-{_hash(made_from)}"
        if not path.exists():
            with self._locked():
                if not path.exists():  # another process may have made it meanwhile
                    self._make(path, made_from, fill)
        return self._opened(path)

    def find(self, name: str) -> Folder | None:
        """The folder of that name, if it is there; a name may come from a stranger's run."""
        path = self.place / name
        return self._opened(path) if NAME.fullmatch(name) and path.exists() else None

    def _make(self, path: Path, made_from: Mapping[str, Any], fill: Fill) -> None:
        self.log(f"preparing {path}; this is done once")
        try:
            with atomic.atomic_folder(path) as building:
                metadata = fill(building)
                entries = {each.name: atomic.entry(each) for each in sorted(building.iterdir())}
                atomic.write_json(building / MANIFEST, {"made_from": made_from, "facts": metadata, "files": entries})
        except OSError as error:
            raise self._unwritable(error) from error

    def _opened(self, path: Path) -> Folder:
        try:
            manifest = json.loads((path / MANIFEST).read_bytes())
            expected = manifest["files"]
            if path.name.rpartition("-")[2] != _hash(manifest["made_from"]):
                raise _unsound(path, "it was made from something else than its name says")
            odd = [name for name, entry in expected.items() if atomic.entry(path / name) != entry]
            metadata = dict(manifest["facts"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            raise _unsound(path, str(getattr(error, "strerror", None) or error)) from error
        if odd:
            raise _unsound(path, f"{odd[0]} is not the file that was made")
        return Folder(path, metadata, sum(entry["bytes"] for entry in expected.values()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps others out while a folder is made, and removes what kills left of earlier ones; the lock goes with the process, however it ends."""
        try:
            self.place.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.place, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.log(f"{self.place}: another command is preparing text there; waiting until it is done")
                fcntl.flock(handle, fcntl.LOCK_EX)
            for left in filter(
                UNFINISHED.fullmatch, os.listdir(self.place)
            ):  # nothing else: the place may be anybody's folder
                atomic.delete(self.place / left)
            yield
        finally:
            os.close(handle)

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(
            f"{self.place}: text cannot be prepared there ({error.strerror}); nothing of it is left behind\n"
            "free space for about three times the text, or name another folder: data.cache=FOLDER"
        )


def _hash(made_from: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:16]


def _unsound(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: damaged ({reason})\ndelete this folder, and the same command makes it again")
