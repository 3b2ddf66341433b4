from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nmt import atomic, unfinished
from nmt.errors import RunError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def left(path: Path, *, folder: bool = False) -> Path:
    """What a kill leaves of a write to a path."""
    name = unfinished.fresh_name(path)
    if folder:
        (name / "inner").mkdir(parents=True)
    else:
        name.touch()
    return name


def test_only_what_a_killed_write_left_is_deleted(tmp_path: Path) -> None:
    """The names beside it are those of users: copies, backups by date, and what editors make."""
    kept = (".x.1", ".x.2026-11-25", ".x.1a", ".x.12345.old", ".x.nmt-1", ".x.nmt-0123456789abcdeg", ".x.swp", "x.1")
    for name in kept:
        (tmp_path / name).mkdir()
    of_another = left(tmp_path / "xx", folder=True)
    left(tmp_path / "x", folder=True)
    left(tmp_path / "x")
    with atomic.atomic_folder(tmp_path / "x"):
        pass
    assert names(tmp_path) == sorted([*kept, of_another.name, "x"])


def test_two_names_of_one_path_are_never_equal(tmp_path: Path) -> None:
    """Two of 64 random bits are equal once in 10^19; a process id is that of every container's first process."""
    assert len({unfinished.fresh_name(tmp_path / "x") for _ in range(1000)}) == 1000


def test_what_another_process_is_making_is_not_deleted(tmp_path: Path) -> None:
    """Locks belong to open files, so that one process stands in for two."""
    path = tmp_path / "x"
    making = unfinished.unfinished_folder(path, None), unfinished.unfinished_folder(path, None)
    with making[0] as first, making[1], unfinished.unfinished_file(path, None) as (second, _):
        unfinished.discard(path)
        assert first.exists()
        assert second.exists()
    assert names(tmp_path) == []


def test_a_leftover_that_is_locked_too_late_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process deletes it between making and locking."""
    fresh, made = unfinished.fresh_name, list[Path]()

    def watched(path: Path) -> Path:
        made.append(fresh(path))
        return made[-1]

    def lock(*_: object) -> None:
        if len(made) == 1:
            made[0].rmdir()

    monkeypatch.setattr(unfinished, "fresh_name", watched)
    monkeypatch.setattr("fcntl.flock", lock)
    with unfinished.unfinished_folder(tmp_path / "x", None) as building:
        assert building == made[1]
        assert building.is_dir()


@pytest.mark.parametrize("make", ["atomic_file", "atomic_folder"])
def test_a_place_where_nothing_can_be_made_is_an_error(make: str) -> None:
    """In /proc the system says that there is no such file, which is also what another process's deletion looks like."""
    with pytest.raises(RunError, match="/proc/x: cannot be written"), getattr(atomic, make)(Path("/proc/x")):
        pass


def test_a_name_as_long_as_allowed_has_an_unfinished_one(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 127)
    left(path)
    atomic.write_file(path, "text")
    assert names(tmp_path) == [path.name]


def test_only_leftovers_of_such_names_are_deleted(tmp_path: Path) -> None:
    one, other = left(tmp_path / "step-00000012", folder=True), left(tmp_path / "step-of-mine", folder=True)
    unfinished.discard_all(tmp_path, re.compile(r"step-\d{8}"))
    assert (one.exists(), other.exists()) == (False, True)


def test_deleting_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "link").symlink_to("kept")
    unfinished.delete(tmp_path / "link")
    assert (names(tmp_path), names(tmp_path / "kept")) == (["kept"], ["file"])


@pytest.mark.parametrize("make", ["atomic_file", "atomic_folder"])
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path, make: str) -> None:
    command = (
        "import os, signal, sys; from pathlib import Path; from nmt import atomic\n"
        f"with atomic.{make}(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", command, str(tmp_path / "x")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    with getattr(atomic, make)(tmp_path / "x"):
        pass
    assert names(tmp_path) == ["x"]
