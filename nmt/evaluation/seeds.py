"""Which runs differ in the seed alone, and what their row in a table is called."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from itertools import takewhile
from pathlib import Path
from typing import Any

from nmt.runs.run_folder import Run

_WHERE: Any = {
    "name": True,
    "search": True,
    "data": {"corpus", "offline", "in_memory", "cache"},
    "training": {"seed", "threads", "loaders", "device", "save_every", "keep", "tensorboard"},
}
"""Keys of a recipe that do not decide what is learned, but for the seed: where and how it runs, and how it is used."""
_SEED = re.compile(r"([-_.](seed|s)?|seed)[-_.]?\d*$|\d+$")


def systems(runs: Sequence[Run]) -> dict[Path, str]:
    """The name of each run's system, by the path of the run. Runs of a system differ in the seed alone.

    Two runs with the same recipe and seed but other weights are different systems.
    """
    members: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        alike = variety(run)
        place = 0
        while any(seed(run) == seed(other) for other in members.get((alike, place), [])):
            place += 1
        members.setdefault((alike, place), []).append(run)
    names = _distinct(list(members.values()))
    return {run.path: name for name, group in zip(names, members.values(), strict=True) for run in group}


def seed(run: Run) -> int:
    """The seed that a run was trained with."""
    return run.recipe.training.seed


def variety(run: Run) -> str:
    """A hash that is the same for runs that differ in the seed alone: of the recipe without it, and of the text."""
    recipe = run.recipe.model_dump(mode="json", by_alias=True, exclude=_WHERE)
    text = {name: split.sha256 for name, split in run.metadata.corpus.splits.items()}
    return sha256(json.dumps([recipe, text], sort_keys=True).encode()).hexdigest()


def _distinct(groups: Sequence[Sequence[Run]]) -> list[str]:
    """The common beginning of the runs' names, or the name of their recipe; or the common beginning of their paths,
    or the first path, where names are not enough to tell systems apart."""
    names = [_common([run.path.resolve().name for run in group]) or str(group[0].recipe.name) for group in groups]
    paths = [_common([str(run.path) for run in group]) for group in groups]
    chosen = [path if names.count(name) > 1 else name for name, path in zip(names, paths, strict=True)]
    firsts = [str(group[0].path) for group in groups]
    return [first if chosen.count(name) > 1 else name for name, first in zip(chosen, firsts, strict=True)]


def _common(names: Sequence[str]) -> str:
    """``de-en`` for ``de-en-seed1`` and ``de-en-seed2``; a single name as it is; empty if they have nothing in
    common."""
    if len(names) == 1:
        return names[0]
    shared = "".join(each[0] for each in takewhile(lambda each: len(set(each)) == 1, zip(*names, strict=False)))
    return _SEED.sub("", shared)
