from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest

from nmt import atomic
from nmt.errors import RunError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_and_in_a_folder_made_for_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    with atomic.atomic_file(path) as file:
        file.write(b"half")
        file.flush()
        assert not path.exists()
        file.write(b" and half")
    assert path.read_bytes() == b"half and half"
    assert names(path.parent) == ["file"]


@pytest.mark.parametrize("broken", ["os.fsync", "pathlib.Path.replace"])
def test_a_full_disk_is_named_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    path = tmp_path / "file"
    atomic.write_file(path, "old")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(broken, full)
        with pytest.raises(
            RunError, match=r"file: cannot be written \(No space left on device\); what was there before is untouched"
        ):
            atomic.write_file(path, "new")
    assert (path.read_text(), names(tmp_path)) == ("old", ["file"])


@pytest.mark.parametrize("folder", [False, True])
def test_what_replaces_something_has_its_rights_and_never_more(tmp_path: Path, folder: bool) -> None:
    path = tmp_path / "private"
    path.mkdir() if folder else path.touch()
    path.chmod(0o700 if folder else 0o600)
    with (atomic.atomic_folder if folder else atomic.atomic_file)(path):
        (part,) = set(tmp_path.iterdir()) - {path}
        assert part.stat().st_mode & 0o077 == 0
    assert path.stat().st_mode & 0o777 == (0o700 if folder else 0o600)


def test_a_new_file_has_the_rights_that_any_new_file_has(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    atomic.write_file(tmp_path / "file", "text")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_output_goes_where_a_link_leads_and_the_link_stays(tmp_path: Path) -> None:
    for name in ("there", "not-yet"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.txt").symlink_to(f"{name}/target")
    (tmp_path / "there/target").write_text("old")
    for name in ("there", "not-yet"):
        with atomic.output_file(tmp_path / f"{name}.txt") as file:
            file.write(b"new")
        assert (tmp_path / f"{name}.txt").is_symlink()
        assert (tmp_path / name / "target").read_text() == "new"


def test_other_writes_replace_a_link_and_leave_what_it_leads_to(tmp_path: Path) -> None:
    """A stranger's run folder may have links out of it."""
    (tmp_path / "outside").mkdir()
    for name in ("file", "folder"):
        (tmp_path / name).symlink_to("outside")
    atomic.write_file(tmp_path / "file", "text")
    with atomic.atomic_folder(tmp_path / "folder") as building:
        (building / "inner").touch()
    assert (names(tmp_path), names(tmp_path / "outside")) == (["file", "folder", "outside"], [])
    assert not any(path.is_symlink() for path in tmp_path.iterdir())


def test_a_folder_that_cannot_be_filled_is_named_as_it_would_be_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    said = re.escape(f"{tmp_path}/folder: cannot be written (No space left on device)")
    with pytest.raises(RunError, match=said), atomic.atomic_folder(tmp_path / "folder"):
        full()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(RunError, match=said), atomic.atomic_folder(tmp_path / "folder") as building:
        atomic.write_file(building / "file", "text")
    assert names(tmp_path) == []


def test_whatever_interrupts_writing_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write_file(path, "old")
    with pytest.raises(KeyboardInterrupt), atomic.atomic_file(path) as file:  # noqa: PT012 - what interrupts stands inside
        file.write(b"new")
        raise KeyboardInterrupt
    assert (path.read_text(), names(tmp_path)) == ("old", ["file"])


def test_a_path_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file/below: cannot be written"):
        atomic.write_file(tmp_path / "file" / "below", "text")
    with pytest.raises(RunError, match="file/below: cannot be written"):
        atomic.append_record(tmp_path / "file" / "below", {})


def test_text_is_written_in_utf8_as_it_is(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "file", {"text": "grün\r\n"})
    assert (tmp_path / "file").read_bytes() == '{\n "text": "grün\\r\\n"\n}\n'.encode()


@pytest.mark.parametrize("durable", [True, False])
def test_records_come_back_in_order(tmp_path: Path, durable: bool) -> None:
    records: list[dict[str, Any]] = [{"text": "ein\nHund \u2028"}, {"number": 0.1 + 0.2}]
    for record in records:
        atomic.append_record(tmp_path / "log", record, durable=durable)
    assert atomic.read_records(tmp_path / "log") == records
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("rest", [b'{"num', b'{"text": "gr\xc3', b"[1]", b"\xff"])
def test_a_line_that_a_kill_cut_short_spoils_no_other(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "log"
    atomic.append_record(path, {"number": 1})
    with path.open("ab") as file:
        file.write(rest)
    atomic.append_record(path, {"number": 2})
    assert atomic.read_records(path) == [{"number": 1}, {"number": 2}]


def test_a_log_that_is_not_there_is_empty_and_one_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    assert atomic.read_records(tmp_path / "log") == []
    with pytest.raises(RunError, match="cannot be read"):
        atomic.read_records(tmp_path)


def test_a_manifest_names_the_file_that_differs(tmp_path: Path) -> None:
    contents = {"a": b"first", "b": b"second"}
    for name, data in contents.items():
        (tmp_path / name).write_bytes(data)
    manifest = atomic.Manifest.of_folder(tmp_path, ["a", "b"])
    assert manifest == atomic.Manifest.of_contents(contents) == atomic.Manifest.read_json(manifest.as_json())
    assert (manifest.bytes, manifest.differing(tmp_path)) == (11, None)
    (tmp_path / "b").write_bytes(b"sECOND")
    assert manifest.differing(tmp_path) == "b"
    assert manifest.describes("a", b"first")
    assert not manifest.describes("a", b"First")


@pytest.mark.parametrize("values", [None, [], {"a": 1}, {"a": {"bytes": "1", "sha256": ""}}, {"a": {"bytes": 1}}])
def test_what_is_no_manifest_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="the manifest"):
        atomic.Manifest.read_json(values)


def test_a_folder_replaces_another_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    for text in ("old", "new"):
        with atomic.atomic_folder(path) as building:
            (building / "file").write_text(text)
    assert ((path / "file").read_text(), names(tmp_path)) == ("new", ["folder"])
    with pytest.raises(ZeroDivisionError), atomic.atomic_folder(path) as building:
        (building / "file").write_text(str(1 / 0))
    assert ((path / "file").read_text(), names(tmp_path)) == ("new", ["folder"])
    with pytest.raises(RunError, match="not empty"), atomic.atomic_folder(path, replace=False):
        pass
    assert ((path / "file").read_text(), names(tmp_path)) == ("new", ["folder"])
