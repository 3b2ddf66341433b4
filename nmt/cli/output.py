"""Output of commands: data to stdout, messages and progress to stderr."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from nmt import printable
from nmt.atomic import JsonObject
from nmt.errors import RunError, UserError, meant_path

console = Console(stderr=True, highlight=False)
"""The console of progress bars and messages; it respects `NO_COLOR`."""


def say(text: str) -> None:
    """Prints text to stderr, with control characters spelled out; every message goes through here or `logger`."""
    if sys.stderr is not None:  # closed by the parent process; `print` would then write to stdout
        print(printable.escaped(text), file=sys.stderr, flush=True)


def logger(quiet: bool) -> Callable[[str], None]:
    """A function that prints a line to stderr, above a progress bar if there is one; with ``quiet`` it does nothing."""

    def log(text: str) -> None:
        if not quiet:
            console.print(printable.escaped(text), markup=False, soft_wrap=True)

    return log


def print_json(value: Any) -> None:
    """Prints an indented JSON value to stdout, in ASCII where stdout cannot write more."""
    written = printable.dumps(value, indent=1)
    try:
        written.encode(getattr(sys.stdout, "encoding", None) or "utf8")
    except UnicodeEncodeError:
        written = printable.dumps(value, indent=1, only_ascii=True)
    print(written)


def print_text(text: str) -> None:
    """Prints text to stdout, with control characters spelled out: it may come from a stranger's run or corpus."""
    print(printable.escaped(text))


def print_values(values: JsonObject) -> None:
    """Prints names and values to stdout, one line each."""
    for name, value in values.items():
        shown = ", ".join(f"{key}: {each}" for key, each in value.items()) if isinstance(value, dict) else value
        print_text(f"{name:<16}{shown}")


@contextmanager
def option_errors() -> Iterator[None]:
    """Turns the `ValueError` of a wrong setting into a `UserError` that names the option."""
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"--{error}") from error


def check_folder(path: Path, option: str = "--output") -> None:
    """Refuses a file in a folder that does not exist: a mistyped folder would be made without a word."""
    if not path.parent.is_dir():
        raise UserError(
            f"{option}: {path}: there is no folder {path.parent}; make it, or name another one{meant_path(path.parent)}"
        )


class _Raw(io.RawIOBase):
    """The bytes of stdout; its errors name stdout, since those of an open file name no path."""

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
        except BrokenPipeError:  # the reader has closed it, which is not an error
            raise
        except OSError as error:
            raise RunError(f"standard output: cannot be written ({error.strerror})") from error


def _errors(named: str | None) -> str:
    """How to write what the encoding of stdout lacks: as an escape, where Python would raise an error."""
    return "backslashreplace" if named in (None, "strict") else str(named)


@contextmanager
def printing() -> Iterator[None]:
    """A context for a command that prints: at its end everything is written, or a `RunError` is raised."""
    before = sys.stdout
    if before is None:  # closed by the parent process; Python then discards what is printed
        yield
        return
    raw = getattr(before.buffer, "raw", before.buffer)
    out = io.TextIOWrapper(
        io.BufferedWriter(_Raw(raw)),
        before.encoding,
        _errors(before.errors),
        line_buffering=bool(before.line_buffering),
    )
    sys.stdout = out
    try:
        yield
    finally:
        sys.stdout = before
        out.flush()
