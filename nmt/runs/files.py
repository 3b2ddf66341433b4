"""The files of a run, in a folder or in a bundle, which holds those that translating needs in one file.

Either may come from a stranger. Files are looked up in a fixed list of names, have a maximum size, and are never read
from or written to outside the folder. A bundle is a zip file without compression, so it cannot expand. Its files are
read in place, never unpacked to disk, and must be as its manifest says.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from nmt import atomic
from nmt.atomic import Manifest
from nmt.errors import RunError, UserError

RECIPE, METADATA, WEIGHTS, OUTCOME, SCORES = (
    "recipe.yaml",
    "run.json",
    "model.safetensors",
    "outcome.json",
    "scores.jsonl",
)
JOINT, SOURCE, TARGET = "vocabulary.model", "source.model", "target.model"
MANIFEST, CARD = "manifest.json", "README.md"
MAX_BYTES = {
    **{RECIPE: 1 << 20, METADATA: 1 << 24, OUTCOME: 1 << 20, SCORES: 1 << 26, MANIFEST: 1 << 20, CARD: 1 << 20},
    **{JOINT: 1 << 28, SOURCE: 1 << 28, TARGET: 1 << 28, WEIGHTS: 1 << 36},
}
"""The names of the files that a bundle may hold, and the maximum size of each."""
EXPORT, EXPORT_METADATA = "ctranslate2", "nmt.json"
"""The folder of an export in a run folder, and the file in it that describes it."""
EXPORT_MAX_BYTES = {
    **{EXPORT_METADATA: 1 << 20, "model.bin": 1 << 36, "config.json": 1 << 20},
    **{f"{side}_vocabulary.json": 1 << 28 for side in ("shared", "source", "target")},
}
"""The names of the files of an export that are read, and the maximum size of each."""
_READ = MAX_BYTES | {f"{EXPORT}/{name}": size for name, size in EXPORT_MAX_BYTES.items()}
SUFFIX = ".nmt"
FORMAT = 1
_END = struct.Struct("<4s4H2LH")
"""The end of a zip file: signature, two disk numbers, two counts of entries, size and offset of the directory, length
of the comment."""
_BROKEN = (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RecursionError, struct.error)
"""What zipfile and json raise for damaged content."""
_LARGEST, _DIRECTORY = (1 << 32) - 1, 1 << 14
_MADE = (1980, 1, 1, 0, 0, 0)
"""One time for all files, so that the same run makes the same bundle."""


class RunFiles(Protocol):
    """Where the files of a run are read from."""

    def __contains__(self, name: str) -> bool: ...

    def read(self, name: str) -> bytes:
        """The content of a file; a missing one is a `FileNotFoundError`, anything but a file a `UserError`."""

    def size(self, name: str) -> int:
        """The bytes of a file that `read` has read or will read."""

    def where(self, name: str) -> str:
        """The file in words, for messages."""


class FolderFiles:
    """The files of a run folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __contains__(self, name: str) -> bool:
        return os.path.lexists(self.path / name)

    def read(self, name: str) -> bytes:
        """See `RunFiles`."""
        path, most = self.path / name, _READ[name]
        try:
            with _opened(_inside(self.path, name)) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode):
                    raise UserError(f"{path}: expected a file")
                if found.st_size > most:
                    raise UserError(
                        f"{path}: found {found.st_size:,} bytes, expected at most {most:,}; the run folder is damaged"
                    )
                return file.read(found.st_size)
        except FileNotFoundError as error:
            if path.is_symlink():
                raise UserError(f"{path}: a link that leads nowhere; put the file itself there") from error
            raise
        except IsADirectoryError as error:
            raise UserError(f"{path}: expected a file") from error
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from error

    def size(self, name: str) -> int:
        """See `RunFiles`; 0 for what cannot be read."""
        try:
            return (self.path / name).stat().st_size
        except OSError:
            return 0

    def to_write(self, name: str) -> Path:
        """The path at which a file or folder may be written; no link is followed out of the folder to it."""
        path = self.path / name
        try:
            _inside(self.path, name)
            if not (path.is_file() or path.is_dir()) and os.path.lexists(path):
                raise UserError(f"{path}: expected a file or nothing; take it away")
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error
        return path

    def where(self, name: str) -> str:
        """See `RunFiles`."""
        return str(self.path / name)


def _inside(folder: Path, name: str) -> Path:
    """A path in a folder without its links, which may not lead out."""
    path = folder / name
    try:
        real = path.resolve()
    except RuntimeError as error:
        raise UserError(f"{path}: a link that leads to itself; put the file itself there") from error
    if not real.is_relative_to(folder.resolve()):
        raise UserError(f"{path}: a link out of the run folder is not followed; put the file itself there")
    return real


def _opened(path: Path) -> BinaryIO:
    """A path opened for reading: not a link that has taken its place since, and without waiting for a pipe."""
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK))


class Bundle:
    """The files of a bundle. Its directory and manifest are checked when it is opened, each file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._check_end()
            with zipfile.ZipFile(path) as opened:
                self._members = self._checked(opened.infolist())
                self.manifest = self._manifest(opened)
        except UserError:
            raise
        except _BROKEN as error:
            raise self._refused(str(error)) from error
        except OSError as error:
            raise RunError(f"{path}: cannot be read: {error.strerror}") from error

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def read(self, name: str) -> bytes:
        """See `RunFiles`."""
        if name not in self._members:
            raise FileNotFoundError(name)
        try:
            with zipfile.ZipFile(self.path) as opened:
                data = opened.read(self._members[name])
        except _BROKEN as error:
            raise self._refused(f"{name}: {error}") from error
        except OSError as error:
            raise RunError(f"{self.path}: cannot be read: {error.strerror}") from error
        if not self.manifest.describes(name, data):
            raise self._refused(f"{name} differs from its manifest")
        return data

    def size(self, name: str) -> int:
        """See `RunFiles`; 0 for a file that is not there."""
        return self._members[name].file_size if name in self._members else 0

    def where(self, name: str) -> str:
        """See `RunFiles`."""
        return f"{self.path}: {name}"

    def _check_end(self) -> None:
        """Checks the end of the file before the library reads a directory of any size."""
        length = self.path.stat().st_size
        with self.path.open("rb") as file:
            file.seek(max(0, length - _END.size))
            end = file.read(_END.size)
        if len(end) < _END.size or end[:4] != b"PK\5\6":
            if self.path.suffix in (".yaml", ".yml"):
                raise UserError(
                    f"{self.path}: this is no run; expected a run folder or a bundle; nmt train makes one of a recipe"
                )
            raise self._refused("it is no zip file")
        _, disk, first, entries, total, size, place, comment = _END.unpack(end)
        if (
            disk
            or first
            or comment
            or not 0 < entries == total <= len(MAX_BYTES)
            or size > _DIRECTORY
            or place + size + _END.size != length
        ):
            raise self._refused("its directory is not one that nmt bundle writes")

    def _checked(self, members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        for member in members:
            if member.filename not in MAX_BYTES:
                raise self._refused(f"it holds {member.filename[:100]!r}, which is no file of a run")
            stored = member.compress_type == zipfile.ZIP_STORED and member.file_size == member.compress_size
            if not stored or member.flag_bits & 1 or stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
                raise self._refused(f"{member.filename} is compressed, encrypted or no regular file")
            if member.file_size > MAX_BYTES[member.filename]:
                raise self._refused(
                    f"{member.filename} has {member.file_size:,} bytes, expected at most {MAX_BYTES[member.filename]:,}"
                )
        named = {member.filename: member for member in members}
        if len(named) != len(members) or MANIFEST not in named:
            raise self._refused("it holds a file twice" if MANIFEST in named else f"it has no {MANIFEST}")
        return named

    def _manifest(self, opened: zipfile.ZipFile) -> Manifest:
        manifest = json.loads(opened.read(self._members[MANIFEST]))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise self._refused(
                f"{MANIFEST}: expected format {FORMAT}; it was made by another version of nmt, use that"
            )
        found = Manifest.read_json(manifest.get("parts"))
        sizes = {name: member.file_size for name, member in self._members.items() if name != MANIFEST}
        if {name: record.bytes for name, record in found.files.items()} != sizes:
            raise self._refused(f"{MANIFEST} names other files than it holds")
        return found

    def _refused(self, reason: str) -> UserError:
        return UserError(
            f"{self.path}: not a sound bundle ({reason}); expected one made by nmt bundle, or fetch it again"
        )


def write_bundle(path: Path, contents: Mapping[str, bytes]) -> None:
    """Writes a bundle atomically; the same contents make the same bytes."""
    described = Manifest.of_contents(contents).as_json()
    manifest = json.dumps({"format": FORMAT, "parts": described}, indent=1).encode() + b"\n"
    if sum(map(len, contents.values())) > _LARGEST - _DIRECTORY * 2:
        raise UserError(f"{path}: a bundle holds at most {_LARGEST:,} bytes; share the run folder instead")
    with atomic.atomic_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in {MANIFEST: manifest, **contents}.items():
            member = zipfile.ZipInfo(name, _MADE)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, data)
