"""The two kinds of error that a command reports in one to three lines, names that were meant, and the type of a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

Log: TypeAlias = Callable[[str], None]
"""Takes a line meant for the user."""


class UserError(ValueError):
    """What the user can correct in the command, the recipe or the data: exit status 2.

    The message says what, where (file:line or key) and what to do, in at most three lines.
    """


class RunError(RuntimeError):
    """A failure while running that the input did not cause, such as a full disk: exit status 1."""


def meant(name: str, names: Iterable[str]) -> str:
    """``; did you mean NAME?`` with the nearest of the names; empty if none is near."""
    near = get_close_matches(name, list(names), 1)
    return f"; did you mean {near[0]}?" if near else ""


def meant_path(path: Path, elsewhere: Iterable[Path] = ()) -> str:
    """`meant` among the files and folders beside a missing path, and others, of which a name without its folder or
    ending is enough."""
    try:
        beside = {each.name: str(path.with_name(each.name)) for each in path.parent.iterdir() if each.name[0] != "."}
    except OSError:
        beside = {}
    others = {name: str(each) for each in elsewhere for name in (str(each), each.name, each.stem)}
    for name, known in ((path.name, beside), (str(path), others)):
        if near := get_close_matches(name, known, 1, 0.75):
            return f"; did you mean {known[near[0]]}?"
    return ""
