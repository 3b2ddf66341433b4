"""A folder of more than eight files lists them, one line each, in its README.md."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, name

MANY = 8
FOLDERS = sorted(
    folder
    for root in ("nmt", "tools", "recipes")
    for folder in (ROOT / root, *(ROOT / root).rglob("*"))
    if folder.is_dir() and folder.name != "__pycache__"
)


def files(folder: Path) -> list[str]:
    """The files that a reader of the folder sees."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.name not in ("__init__.py", "README.md", "py.typed") and path.suffix != ".pyc"
    )


def listed(folder: Path) -> list[str]:
    """The names and patterns in the first column of the table in a folder's README.md."""
    readme = folder / "README.md"
    rows = readme.read_text(encoding="utf-8").splitlines() if readme.exists() else []
    return [file for row in rows if row.startswith("| `") for file in row.split("|")[1].split("`")[1::2]]


def unlisted(folder: Path) -> list[str]:
    """The files of a folder that its README.md does not list."""
    return [file for file in files(folder) if not any(fnmatch(file, pattern) for pattern in listed(folder))]


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if len(files(folder)) > MANY], ids=name)
def test_a_folder_of_many_files_lists_each_in_its_readme(folder: Path) -> None:
    assert unlisted(folder) == []


@pytest.mark.parametrize("folder", [folder for folder in FOLDERS if (folder / "README.md").exists()], ids=name)
def test_a_readme_lists_every_file_of_its_folder_and_no_other(folder: Path) -> None:
    assert unlisted(folder) == []
    assert [file for file in listed(folder) if not any(folder.glob(file))] == []
