from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from nmt.errors import RunError, UserError
from nmt.training import checkpoints
from nmt.unfinished import fresh_name

STATE: checkpoints.State = {
    "optimizer": {},
    "progress": {"update": 2, "best": -float("inf")},
    "random": {"cpu": torch.get_rng_state(), "cuda": []},
    "threads": 1,
}


def model(value: float = 1.0) -> nn.Linear:
    layer = nn.Linear(2, 2)
    nn.init.constant_(layer.weight, value)
    return layer


def save(folder: Path, update: int, value: float = 1.0) -> Path:
    return checkpoints.save(folder, update, model(value), STATE)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_loaded_checkpoint_equals_the_saved_one(tmp_path: Path) -> None:
    path, other = save(tmp_path, 2, 3.0), model()
    state = checkpoints.load(path, other)
    assert (state["progress"], other.weight.tolist()) == (STATE["progress"], [[3.0, 3.0], [3.0, 3.0]])
    assert torch.equal(state["random"]["cpu"], STATE["random"]["cpu"])
    assert names(path) == ["manifest.json", "model.safetensors", "state.pt"]


def test_a_state_with_anything_but_plain_values_is_not_loaded(tmp_path: Path) -> None:
    path = checkpoints.save(tmp_path, 2, model(), {**STATE, "progress": {"path": Path("a class of its own")}})
    with pytest.raises(Exception, match="weights_only"):
        checkpoints.load(path, model())


@pytest.mark.parametrize("broken", ["torch.save", "os.fsync", "pathlib.Path.rename", "nmt.models.weights.packed"])
@pytest.mark.parametrize("update", [2, 4])
def test_a_full_disk_is_reported_and_leaves_earlier_checkpoints_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, update: int
) -> None:
    """Wherever it strikes, whether the checkpoint is new or takes the place of an old one."""
    path = save(tmp_path, 2)
    before = {each: each.read_bytes() for each in path.iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(broken, full)
        with pytest.raises(
            RunError, match=rf"step-0000000{update}: the checkpoint could not be saved \(No space left on device\)"
        ):
            save(tmp_path, update)
    assert names(tmp_path) == ["step-00000002"]
    assert {each: each.read_bytes() for each in path.iterdir()} == before


def test_the_error_of_torch_on_a_full_disk_becomes_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed\nand a stack of C++")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(RunError) as caught:
        save(tmp_path, 2)
    assert len(str(caught.value).splitlines()) == 2


def test_a_checkpoint_appears_only_when_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename, seen = Path.rename, []

    def watched(path: Path, target: Path) -> Path:
        seen.append((checkpoints.steps(tmp_path), names(path)))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", watched)
    save(tmp_path, 2)
    assert seen == [({}, ["manifest.json", "model.safetensors", "state.pt"])]


def test_an_unfinished_checkpoint_is_ignored_and_removed(tmp_path: Path) -> None:
    left = fresh_name(tmp_path / "step-00000002")
    left.mkdir()
    (left / "state.pt").write_bytes(b"half")
    (tmp_path / ".step-by-step").mkdir()
    assert checkpoints.steps(tmp_path) == {}
    assert checkpoints.newest(tmp_path, print) is None
    save(tmp_path, 4)
    assert names(tmp_path) == [".step-by-step", "step-00000004"]


def edit_manifest(path: Path, **changes: Any) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | changes))


def edit_text(path: Path, before: str, now: str) -> None:
    path.write_text(path.read_text().replace(before, now, 1))


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a shorter file": lambda path: os.truncate(path / "state.pt", 100),
    "an empty file": lambda path: os.truncate(path / "model.safetensors", 0),
    "a longer file": lambda path: os.truncate(path / "state.pt", 10**6),
    "an edited file": lambda path: (path / "model.safetensors").write_bytes(
        (path / "model.safetensors").read_bytes()[:-1] + b"?"
    ),
    "a file of another checkpoint": lambda path: shutil.copy(
        path.with_name("step-00000002") / "model.safetensors", path
    ),
    "a whole other checkpoint": lambda path: shutil.copytree(path.with_name("step-00000002"), path, dirs_exist_ok=True),
    "a missing file": lambda path: (path / "state.pt").unlink(),
    "no manifest": lambda path: (path / "manifest.json").unlink(),
    "a manifest cut short": lambda path: os.truncate(path / "manifest.json", 50),
    "a manifest that is no object": lambda path: (path / "manifest.json").write_text("[]"),
    "a manifest of bytes": lambda path: (path / "manifest.json").write_bytes(b"\xff\xfe"),
    "a manifest without files": lambda path: edit_manifest(path, files={}),
    "files that are no objects": lambda path: edit_manifest(path, files="none"),
    "another size": lambda path: edit_text(path / "manifest.json", '"bytes": ', '"bytes": 1'),
    "another name in the manifest": lambda path: edit_text(path / "manifest.json", "bytes", "bites"),
    "an added name": lambda path: edit_manifest(path, more=1),
    "a folder for a file": lambda path: put_folder(path / "state.pt"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_every_damage_is_found_and_logged_in_one_line(tmp_path: Path, kind: str) -> None:
    before, damaged = save(tmp_path, 2, 1.0), save(tmp_path, 4, 2.0)
    said: list[str] = []
    assert checkpoints.newest(tmp_path, said.append) == damaged
    DAMAGES[kind](damaged)
    assert checkpoints.newest(tmp_path, said.append) == before
    assert [line.count("\n") for line in said] == [0]
    assert damaged.exists()


def test_if_all_checkpoints_are_damaged_that_is_an_error(tmp_path: Path) -> None:
    for update in (2, 4):
        os.truncate(save(tmp_path, update) / "state.pt", 9)
    with pytest.raises(UserError, match="no checkpoint is sound"):
        checkpoints.newest(tmp_path, print)


def test_pruning_keeps_the_newest_and_the_needed_checkpoints(tmp_path: Path) -> None:
    paths = {update: save(tmp_path, update) for update in (2, 4, 6, 8)}
    checkpoints.prune(tmp_path, 8, 2, [paths[2]])
    assert list(checkpoints.steps(tmp_path)) == [2, 6, 8]


def test_damaged_checkpoints_of_later_updates_are_neither_removed_nor_counted(tmp_path: Path) -> None:
    """After a return to update 2, the one just saved must not make way for those that could not be used."""
    for update in (2, 3, 4, 6, 8):
        save(tmp_path, update)
    checkpoints.prune(tmp_path, 3, 2, [])
    assert list(checkpoints.steps(tmp_path)) == [2, 3, 4, 6, 8]


def test_checkpoints_are_ordered_by_update(tmp_path: Path) -> None:
    for update in (10**8, 9, 100):
        save(tmp_path, update)
    (tmp_path / "step-best").mkdir()
    assert list(checkpoints.steps(tmp_path)) == [9, 100, 10**8]


def test_the_average_is_the_mean(tmp_path: Path) -> None:
    paths = [save(tmp_path, 2, 1.0), save(tmp_path, 4, 4.0)]
    own = {name: parameter.detach() for name, parameter in model(10.0).named_parameters()}
    mean = checkpoints.average(own, paths)
    assert mean["weight"].tolist() == [[5.0, 5.0], [5.0, 5.0]]
    assert mean["weight"].dtype == torch.float32
    assert own["weight"].tolist() == [[10.0, 10.0], [10.0, 10.0]]


def test_a_kill_while_an_old_checkpoint_is_removed_leaves_no_partial_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for update in (2, 4):
        save(tmp_path, update)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            checkpoints.prune(tmp_path, 4, 1, [])
    assert list(checkpoints.steps(tmp_path)) == [4]
    checkpoints.prune(tmp_path, 4, 1, [])
    assert names(tmp_path) == ["step-00000004"]


def test_a_file_in_the_place_of_a_checkpoint_is_replaced(tmp_path: Path) -> None:
    for update in (2, 4):
        (tmp_path / f"step-{update:08d}").write_text("what is this")
    save(tmp_path, 4)
    checkpoints.prune(tmp_path, 4, 1, [])
    assert names(tmp_path) == ["step-00000004"]
