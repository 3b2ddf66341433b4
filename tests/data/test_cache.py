from __future__ import annotations

import errno
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from nmt.data.cache import FORMAT, MANIFEST, Cache, CachedFolder
from nmt.errors import RunError, UserError
from nmt.unfinished import fresh_name

MADE_FROM = {"text": "abc"}


def fill(folder: Path) -> dict[str, Any]:
    (folder / "side.values").write_bytes(b"1234")
    return {"pairs": 4}


def made(place: Path, messages: list[str] | None = None) -> CachedFolder:
    return Cache(place, print if messages is None else messages.append).get("text", MADE_FROM, fill)


def test_a_folder_is_made_once_and_found_again(tmp_path: Path) -> None:
    first, messages = made(tmp_path), list[str]()
    again = Cache(tmp_path, messages.append).get("text", MADE_FROM, lambda _: pytest.fail("filled twice"))
    assert (first, messages) == (again, [])
    assert (again.metadata, again.bytes) == ({"pairs": 4}, 4)
    assert Cache(tmp_path, print).find(again.path.name) == again


def test_another_origin_gives_another_folder(tmp_path: Path) -> None:
    cache = Cache(tmp_path, print)
    folders = [
        cache.get(kind, made_from, fill) for kind in ("text", "tokens") for made_from in (MADE_FROM, {"text": "abd"})
    ]
    assert len({folder.path for folder in folders}) == 4


def test_a_failure_leaves_nothing_and_says_where_and_what_to_do(tmp_path: Path) -> None:
    def full(folder: Path) -> dict[str, Any]:
        fill(folder)
        raise OSError(errno.ENOSPC, "No space left on device")

    place = tmp_path / "cache"
    with pytest.raises(
        RunError, match=r"cache: the cache cannot be written \(No space left on device\)[^\n]*\n.*data\.cache="
    ):
        Cache(place, print).get("text", MADE_FROM, full)
    assert list(place.iterdir()) == []


def test_a_cache_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file/cache: the cache cannot be written"):
        made(tmp_path / "file" / "cache")


def test_folders_left_by_killed_processes_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    for name in ("text-0123456789abcdef", "tokens-0123456789abcdef"):
        fresh_name(tmp_path / name).mkdir()
    kept = (".ssh", ".text-0123456789abcdef.2026", ".text-0123456789abcdef.lock", fresh_name(tmp_path / "mine").name)
    for name in kept:
        (tmp_path / name).mkdir()
    folder = made(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*kept, folder.path.name])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("side.values", b"1235", "side.values has changed"),
        ("side.values", b"123", "side.values has changed"),
        ("side.values", None, "No such file or directory"),
        (MANIFEST, b"{", "Expecting property name"),
        (MANIFEST, b"[]", "list indices"),
        (MANIFEST, None, "No such file or directory"),
    ],
)
def test_a_damaged_folder_is_refused_with_what_to_do(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    path = made(tmp_path).path / name
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(UserError, match=rf"text-[0-9a-f]+: damaged \({said}.*\)\ndelete this folder"):
        made(tmp_path)


def test_a_folder_with_the_name_of_another_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path)
    manifest = json.loads((folder.path / MANIFEST).read_text())
    (folder.path / MANIFEST).write_text(json.dumps({**manifest, "made_from": {"format": FORMAT, "text": "abd"}}))
    with pytest.raises(UserError, match="its name is not the hash of what it was made from"):
        made(tmp_path)


def test_a_second_process_waits_and_uses_the_folder_of_the_first(tmp_path: Path) -> None:
    """Locks belong to open files, so that threads, which open their own, stand in for processes."""
    filling, messages, found = threading.Event(), list[str](), list[CachedFolder]()

    def say(text: str) -> None:
        messages.append(text)
        if "waiting" in text:
            filling.set()

    def slow(folder: Path) -> dict[str, Any]:
        second = threading.Thread(
            target=lambda: found.append(Cache(tmp_path, say).get("text", MADE_FROM, lambda _: {"filled": "twice"}))
        )
        second.start()
        threads.append(second)
        assert filling.wait(10)
        return fill(folder)

    threads: list[threading.Thread] = []
    first = Cache(tmp_path, print).get("text", MADE_FROM, slow)
    threads[0].join(10)
    assert found == [first]
    assert messages == [f"{tmp_path}: another command is writing to this cache; waiting until it is done"]


@pytest.mark.parametrize(
    "name",
    ["../text-0123456789abcdef", "text-0123456789abcdef/../..", "text-0123456789ABCDEF", "", "text-0123456789abcde0"],
)
def test_only_a_name_of_a_folder_in_the_cache_is_found(tmp_path: Path, name: str) -> None:
    place = tmp_path / "cache"
    made(place)
    (tmp_path / "text-0123456789abcdef").mkdir()
    assert Cache(place, print).find(name) is None


def test_a_folder_of_another_format_is_not_found(tmp_path: Path) -> None:
    folder = made(tmp_path)
    manifest = json.loads((folder.path / MANIFEST).read_text())
    (folder.path / MANIFEST).write_text(json.dumps({"made_from": {**manifest["made_from"], "format": FORMAT - 1}}))
    assert Cache(tmp_path, print).find(folder.path.name) is None
