"""The two kinds of error that a command reports in one to three lines, and the type of a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Log: TypeAlias = Callable[[str], None]
"""Takes a line meant for the user."""


class UserError(ValueError):
    """What the user can correct in the command, the recipe or the data: exit status 2.

    The message says what, where (file:line or key) and what to do, in at most three lines.
    """


class RunError(RuntimeError):
    """A failure while running that the input did not cause, such as a full disk: exit status 1."""
