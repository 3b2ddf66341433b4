"""The runs of a batch evaluation: those of paths and patterns that are finished."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.errors import UserError
from nmt.runs.run_folder import Run

BUNDLE = ".nmt"


@dataclass(frozen=True)
class Selection:
    """Runs, the one that others are compared with among them, and a line for each that is left out."""

    runs: tuple[Run, ...]
    left_out: tuple[str, ...] = ()
    baseline: Run | None = None


def select(patterns: Sequence[str], baseline: Path | None = None) -> Selection:
    """The finished runs of paths and patterns, each once.

    Left out are unfinished runs, copies of others, and what a pattern matches that is no run. A path that is named is a
    run, or an error; so is the baseline, which is added to the runs.
    """
    first = None if baseline is None else _baseline(baseline)
    runs = [first] if first else []
    paths = {run.path.resolve() for run in runs}
    left_out = []
    for path, named in _matched(patterns):
        if path.resolve() in paths:
            continue
        paths.add(path.resolve())
        reason, run = _opened(path, named)
        same = next((other for other in runs if run and other.weights_sha256 == run.weights_sha256), None)
        if run is not None and same is None:
            runs.append(run)
        else:
            left_out.append(f"{path}: left out: {reason or f'the same weights as {same and same.path}'}")
    return Selection(tuple(runs), tuple(left_out), first)


def _baseline(path: Path) -> Run:
    run = Run(path)
    if run.outcome is None:
        raise UserError(f"--baseline {path}: its training is not finished; nothing can be compared with it")
    run.check()
    return run


def _matched(patterns: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """Paths, each with whether it was named and not found by a pattern."""
    for pattern in patterns:
        if not glob.has_magic(pattern):
            yield Path(pattern), True
            continue
        found = [path for path in map(Path, sorted(glob.glob(pattern))) if path.is_dir() or path.suffix == BUNDLE]
        if not found:
            raise UserError(f"{pattern}: no such run folder")
        yield from ((path, False) for path in found)


def _opened(path: Path, named: bool) -> tuple[str, Run | None]:
    """A run that can be scored, or the reason to leave it out."""
    try:
        run = Run(path)
        if run.outcome is None:
            return "its training is not finished", None
        run.check()
    except UserError as error:
        if named:
            raise
        return str(error).partition("\n")[0].removeprefix(f"{path}: "), None
    return "", run
