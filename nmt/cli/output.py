"""Where commands speak: data on stdout, everything for people on stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from nmt.atomic import JsonObject
from nmt.errors import RunError, UserError

console = Console(stderr=True, highlight=False)
"""For progress bars; `NO_COLOR` is obeyed."""


def say(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr, flush=True)


def logger(quiet: bool) -> Callable[[str], None]:
    """`say`, or silence. Above a progress bar lines go through its console, so that neither spoils the other."""

    def speak(text: str) -> None:
        if not quiet:
            console.print(text, markup=False, soft_wrap=True)

    return speak


def print_json(value: Any) -> None:
    """One JSON value, indented, on stdout."""
    print(json.dumps(value, indent=1, ensure_ascii=False))


def print_values(values: JsonObject) -> None:
    """Names and values on stdout, a line each."""
    for name, value in values.items():
        shown = ", ".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else value
        print(f"{name:<16}{shown}")


@contextmanager
def option_errors() -> Iterator[None]:
    """Turns the `ValueError` of a wrong setting, which begins with its name, into a `UserError` that names the option."""
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"--{error}") from error


class _Raw(io.RawIOBase):
    """The bytes of stdout. An error of a file that is open names no path, so what fails here says itself that it is stdout."""

    def __init__(self, below: Any) -> None:
        self.below = below

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self.below.isatty())

    def fileno(self) -> int:
        return int(self.below.fileno())

    def write(self, data: Any) -> int:
        try:
            return int(self.below.write(data))
        except BrokenPipeError:  # its reader has had enough, which is no fault
            raise
        except OSError as error:
            raise RunError(f"standard output: cannot be written ({error.strerror})") from error


@contextmanager
def printing() -> Iterator[None]:
    """While a command prints: all of it has been written at the end, or it is a `RunError`."""
    before = sys.stdout
    if before is None:  # closed by who called us; what is printed goes nowhere, as Python has it
        yield
        return
    raw = getattr(before.buffer, "raw", before.buffer)
    out = io.TextIOWrapper(
        io.BufferedWriter(_Raw(raw)), before.encoding, before.errors, line_buffering=bool(before.line_buffering)
    )
    sys.stdout = out
    try:
        yield
    finally:
        sys.stdout = before
        out.flush()
