"""The raw outputs of a study as one compressed archive. The same files give the same bytes."""

from __future__ import annotations

import lzma
import shutil
import tarfile
from pathlib import Path

from nmt import atomic
from nmt.errors import UserError

FOLDER, ARCHIVE = "outputs", "outputs.tar.xz"


def write_archive(results: Path) -> Path:
    """Replaces ``outputs`` by ``outputs.tar.xz``: files in sorted order, without times and owners."""
    folder = results / FOLDER
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise UserError(f"{folder}: no outputs to archive")
    with (
        atomic.atomic_file(results / ARCHIVE) as file,
        lzma.open(file, "wb", preset=9) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in files:
            entry = tarfile.TarInfo(path.relative_to(results).as_posix())
            entry.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(entry, content)
    shutil.rmtree(folder)
    return results / ARCHIVE


def unpack(results: Path, place: Path) -> None:
    """Unpacks the archive of a results folder into ``place``."""
    try:
        with tarfile.open(results / ARCHIVE) as tar:
            tar.extractall(place, filter="data")
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError) as error:
        raise UserError(f"{results / ARCHIVE}: cannot be read ({error})") from error


def unpack_missing(results: Path) -> None:
    """Unpacks the archive beside itself if there are no unpacked outputs; the folder appears whole."""
    if (results / ARCHIVE).exists() and not (results / FOLDER).exists():
        with atomic.atomic_folder(results / FOLDER) as folder:
            unpack(results, folder)
            for path in (folder / FOLDER).iterdir():
                path.rename(folder / path.name)
            (folder / FOLDER).rmdir()
