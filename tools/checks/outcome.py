"""Everything that training writes, as values to compare: two runs are equal if all of it is equal to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from nmt.runs import run_folder
from nmt.training import checkpoints

FILES = (run_folder.METRICS, run_folder.OUTCOME, run_folder.WEIGHTS)


def outcome(folder: Path) -> dict[str, Any]:
    """Everything to compare in a run folder.

    Metrics, outcome and best weights; weights, optimizer, random states and progress of the newest checkpoint; and the
    names of all files outside of checkpoints, since nothing may be left over.
    """
    saved = list(checkpoints.steps(folder / run_folder.CHECKPOINTS).values())
    last = saved[-1]
    files = [*(folder / name for name in FILES), last / checkpoints.WEIGHTS]
    state = torch.load(last / checkpoints.STATE, weights_only=True)
    names = sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not any(each in (path, path.parent) for each in saved)
    )
    return {
        "the names of its files": names,
        "the state of the newest": checkpoints.damage(last),
        **{str(path.relative_to(folder)): path.read_bytes() for path in files},
        **dict(leaves(state)),
    }


def leaves(value: Any, name: str = "state") -> Iterator[tuple[str, Any]]:
    """The leaves of a nested value by name; tensors as bytes, so that equal means equal to the bit."""
    if isinstance(value, dict | list | tuple):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(each, f"{name}.{key}")
    else:
        yield name, value.numpy().tobytes() if isinstance(value, torch.Tensor) else value


def difference(found: dict[str, Any], expected: dict[str, Any]) -> str | None:
    """The first names whose values differ, or None."""
    odd = [
        name
        for name in {**expected, **found}
        if name not in found or name not in expected or found[name] != expected[name]
    ]
    return f"differs in {', '.join(odd[:3])}" + (f" and {len(odd) - 3} more" if len(odd) > 3 else "") if odd else None
