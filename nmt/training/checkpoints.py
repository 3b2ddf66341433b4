"""Checkpoints, written atomically.

A checkpoint is a folder `step-N` with weights, training state and a manifest of sizes and hashes. It is made under a
temporary name in the same folder, flushed to disk, and renamed, so a crash leaves earlier checkpoints untouched.
Nothing in it is executable: weights are safetensors, and the state is read with `weights_only=True`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypedDict

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from nmt import atomic, unfinished
from nmt.atomic import Manifest
from nmt.errors import RunError, UserError
from nmt.models import weights

MANIFEST, WEIGHTS, STATE = "manifest.json", "model.safetensors", "state.pt"
_NAME = re.compile(r"step-\d{8,}")


class RandomStates(TypedDict):
    """States of the random generators of torch."""

    cpu: Tensor
    cuda: list[Tensor]


class State(TypedDict):
    """What training needs beside the weights to continue as if it had not stopped."""

    optimizer: dict[str, Any]
    progress: dict[str, Any]
    """The fields of `nmt.training.progress.Progress`."""
    random: RandomStates
    threads: int


def save(folder: Path, update: int, model: nn.Module, state: State) -> Path:
    """Writes the checkpoint `step-UPDATE`."""
    final = folder / f"step-{update:08d}"
    try:
        unfinished.discard_all(folder, _NAME)
        with atomic.atomic_folder(final) as building:
            (building / WEIGHTS).write_bytes(weights.packed(model))
            with (building / STATE).open("wb") as file:  # torch itself would not say why it could not write
                torch.save(state, file)
            files = Manifest.of_folder(building, (WEIGHTS, STATE)).as_json()
            (building / MANIFEST).write_text(json.dumps({"update": update, "files": files}, indent=1), encoding="utf8")
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError, atomic as WriteError
        raise RunError(
            f"{final}: the checkpoint could not be saved ({_reason(error)})\n"
            "earlier checkpoints are untouched; free space, then run the same command again"
        ) from error
    return final


def prune(folder: Path, update: int, keep: int, needed: Collection[Path]) -> None:
    """Removes checkpoints up to ``update`` except the newest ``keep`` and those that are needed otherwise.

    Later ones are damaged, or training would have continued from them, so they do not count. Unfinished ones go, too.
    """
    unfinished.discard_all(folder, _NAME)
    past = [path for step, path in steps(folder).items() if step <= update]
    for path in past[:-keep]:
        if path not in needed:
            unfinished.delete(atomic.move_aside(path))


def steps(folder: Path) -> dict[int, Path]:
    """Checkpoints by update, oldest first, without unfinished ones."""
    found = {int(path.name[5:]): path for path in folder.glob("step-*") if path.name[5:].isdigit()}
    return dict(sorted(found.items()))


def newest(folder: Path, log: Callable[[str], None]) -> Path | None:
    """The newest checkpoint whose files agree with its manifest, or None where there are no checkpoints.

    Damaged ones are logged and left alone. If all are damaged, that is an error, since starting over would lose them.
    """
    found = list(steps(folder).values())
    for path in reversed(found):
        if is_sound(path, log):
            return path
    if found:
        raise UserError(
            f"{folder}: no checkpoint is sound ({found[-1].name}: {damage(found[-1])})\n"
            "put back a copy, or begin anew with --restart"
        )
    return None


def is_sound(path: Path, log: Callable[[str], None]) -> bool:
    """Whether a checkpoint is undamaged; damage is logged."""
    fault = damage(path)
    if fault is not None:
        log(f"{path}: damaged ({fault}); left alone, another checkpoint is used if there is one")
    return fault is None


def damage(path: Path) -> str | None:
    """The damage of a checkpoint in words, or None."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf8"))
        if manifest["update"] != int(path.name[5:]):
            return f"{MANIFEST} is of update {manifest['update']}"
        if manifest.keys() != {"update", "files"} or manifest["files"].keys() != {WEIGHTS, STATE}:
            return f"{MANIFEST} is not the one that was saved"
        if (name := Manifest.read_json(manifest["files"]).differing(path)) is not None:
            return f"{name} is not the file that was saved"
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return _reason(error)
    return None


def load(path: Path, model: nn.Module) -> State:
    """Loads the weights into the model and returns the state. The caller has checked the checkpoint with `newest`."""
    weights.load(model, path / WEIGHTS)
    state: State = torch.load(path / STATE, map_location="cpu", weights_only=True)
    return state


def average(own: dict[str, Tensor], paths: Collection[Path]) -> dict[str, Tensor]:
    """The mean of a model's own weights and those of several checkpoints."""
    sums = {name: tensor.cpu().double() for name, tensor in own.items()}
    for path in paths:
        for name, tensor in load_file(path / WEIGHTS).items():
            sums[name] += tensor
    return {name: (tensor / (1 + len(paths))).float() for name, tensor in sums.items()}


def _reason(error: BaseException) -> str:
    """The reason in one line; torch raises an error of its own while it handles that of the system."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error).splitlines()[0] if str(error) else type(error).__name__
