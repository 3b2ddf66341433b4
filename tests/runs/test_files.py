from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.runs import files
from nmt.runs.files import Bundle, FolderFiles, write_bundle

PARTS = {files.METADATA: b"{}", files.RECIPE: b"name: a\n", files.WEIGHTS: bytes(range(256))}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound bundle."""
    write_bundle(tmp_path / "a.nmt", PARTS)
    return tmp_path / "a.nmt"


def test_what_is_bundled_is_read_again_and_the_same_parts_make_the_same_bytes(path: Path) -> None:
    bundle = Bundle(path)
    assert {name: bundle.read(name) for name in PARTS} == PARTS
    assert files.JOINT not in bundle
    with pytest.raises(FileNotFoundError):
        bundle.read(files.JOINT)
    write_bundle(path.with_name("b.nmt"), PARTS)
    assert path.with_name("b.nmt").read_bytes() == path.read_bytes()


def test_any_bit_that_is_turned_is_found_or_changes_no_part(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with suppress(UserError):
            bundle = Bundle(path)
            assert {name: bundle.read(name) for name in PARTS} == PARTS


def test_a_bundle_cut_short_or_lengthened_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    for data in (*(whole[:length] for length in range(0, len(whole), 7)), whole + b"\0", b"more" + whole):
        path.write_bytes(data)
        with pytest.raises(UserError, match="not a sound bundle"):
            Bundle(path)


Forge = Callable[[zipfile.ZipFile], None]


def manifest(**named: bytes) -> str:
    described = {
        name: {"bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in (PARTS | named).items()
    }
    return json.dumps({"format": 1, "parts": described})


def link(archive: zipfile.ZipFile) -> None:
    member = zipfile.ZipInfo(files.JOINT)
    member.external_attr = 0o120777 << 16
    archive.writestr(member, "/etc/hostname")


FORGERIES: dict[str, tuple[str, Forge]] = {
    "a name that leads out": ("no file of a run", lambda archive: archive.writestr("../run.json", b"{}")),
    "an absolute name": ("no file of a run", lambda archive: archive.writestr("/etc/cron.d/nmt", b"")),
    "code": ("no file of a run", lambda archive: archive.writestr("model.py", b"print(1)")),
    "a bomb": ("compressed", lambda archive: archive.writestr(files.JOINT, bytes(10_000_000), zipfile.ZIP_DEFLATED)),
    "a link": ("no regular file", link),
    "a part twice": ("twice", lambda archive: archive.writestr(files.METADATA, b"{}")),
    "a part that no manifest names": (
        "other files than it holds",
        lambda archive: archive.writestr(files.JOINT, b"x"),
    ),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_nmt_bundle_would_not_write_is_refused(tmp_path: Path, forgery: str) -> None:
    said, forge = FORGERIES[forgery]
    with zipfile.ZipFile(tmp_path / "a.nmt", "w") as archive:
        archive.writestr(files.MANIFEST, manifest())
        for name, data in PARTS.items():
            archive.writestr(name, data)
        forge(archive)
    with pytest.raises(UserError, match=said):
        Bundle(tmp_path / "a.nmt")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1}',
        '{"format": 1, "parts": []}',
        '{"format": 1, "parts": {"run.json": 2}}',
        manifest(**{files.METADATA: b"{} "}),
        manifest().replace('"sha256"', '"md5"'),
    ],
)
def test_a_manifest_of_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.nmt", "w") as archive:
        for name, data in {**PARTS, files.MANIFEST: text.encode()}.items():
            archive.writestr(name, data)
    with pytest.raises(UserError, match="not a sound bundle"):
        Bundle(tmp_path / "a.nmt")


def test_a_part_that_is_not_what_the_manifest_names_is_refused_when_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.nmt", "w") as archive:
        archive.writestr(files.MANIFEST, manifest(**{files.METADATA: b"[]"}))
        for name, data in PARTS.items():
            archive.writestr(name, data)
    bundle = Bundle(tmp_path / "a.nmt")
    assert bundle.read(files.RECIPE) == PARTS[files.RECIPE]
    with pytest.raises(UserError, match=r"run\.json differs from its manifest"):
        bundle.read(files.METADATA)


def test_a_directory_of_many_entries_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.nmt", "w") as archive:
        for number in range(1000):
            archive.writestr(str(number), b"")
    with pytest.raises(UserError, match="its directory is not one that nmt bundle writes"):
        Bundle(tmp_path / "a.nmt")


@pytest.mark.parametrize(
    "kind", ["a link out", "a link within", "a dead link", "a link to itself", "a pipe", "a folder", "too large"]
)
def test_a_folder_gives_files_of_its_own_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder, outside = tmp_path / "run", tmp_path / "secret"
    folder.mkdir()
    outside.write_bytes(b"secret")
    place = folder / files.METADATA
    if kind == "a link out":
        place.symlink_to(outside)
    elif kind == "a link within":
        (folder / "other").write_bytes(b"inside")
        place.symlink_to("other")
        assert FolderFiles(folder).read(files.METADATA) == b"inside"
        return
    elif kind == "a dead link":
        place.symlink_to("nowhere")
    elif kind == "a link to itself":
        place.symlink_to(files.METADATA)
    elif kind == "a pipe":
        os.mkfifo(place)
    elif kind == "a folder":
        place.mkdir()
    else:
        monkeypatch.setitem(files._READ, files.METADATA, 3)
        place.write_bytes(b"four")
    with pytest.raises(UserError, match=r"run\.json"):
        FolderFiles(folder).read(files.METADATA)


def test_a_run_folder_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / files.METADATA).write_bytes(b"{}")
    (tmp_path / "link").symlink_to("run")
    assert FolderFiles(tmp_path / "link").read(files.METADATA) == b"{}"


@pytest.mark.parametrize("linked", ["outputs", "outputs/a.txt"])
@pytest.mark.parametrize("to", ["../outside", "../outside/new.txt", "/dev/null"])
def test_nothing_is_written_through_a_link_out_of_a_folder(tmp_path: Path, linked: str, to: str) -> None:
    """Neither through one that leads to a file or folder, nor through one that would make a new file."""
    folder = tmp_path / "run"
    (folder / linked).parent.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (folder / linked).symlink_to(f"../{to}" if "/" in linked and to.startswith("..") else to)
    with pytest.raises(UserError, match="a link out of the run folder is not followed"):
        FolderFiles(folder).to_write("outputs/a.txt")


def test_a_file_is_written_where_nothing_or_a_file_or_a_link_within_stands_but_not_into_a_pipe(tmp_path: Path) -> None:
    folder = FolderFiles(tmp_path)
    assert folder.to_write("outputs/a.txt") == tmp_path / "outputs" / "a.txt"
    (tmp_path / "b.txt").write_text("before")
    (tmp_path / "c.txt").symlink_to("b.txt")
    assert [folder.to_write(name).read_text() for name in ("b.txt", "c.txt")] == ["before", "before"]
    os.mkfifo(tmp_path / "d.txt")
    with pytest.raises(UserError, match=r"d\.txt: expected a file or nothing"):
        folder.to_write("d.txt")
