"""The command line in this process: many commands a second, with their output as bytes."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

from nmt.cli.app import main


class Outcome(NamedTuple):
    """The result of a command. A traceback on stderr is a fault."""

    status: int
    out: bytes
    err: str


def nmt(*arguments: str, stdin: bytes = b"") -> Outcome:
    """``nmt ARGUMENTS`` with a file for stdin."""
    out, err = io.BytesIO(), io.BytesIO()
    with TemporaryFile() as file:
        file.write(stdin)
        file.seek(0)
        before = sys.argv, sys.stdin, sys.stdout, sys.stderr
        sys.argv, sys.stdin = ["nmt", *arguments], io.TextIOWrapper(file, "utf8")
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(each, "utf8", errors="backslashreplace", write_through=True) for each in (out, err)
        )
        try:
            status = _status()
            return Outcome(status, out.getvalue(), err.getvalue().decode())
        finally:
            sys.stdin.detach()
            sys.argv, sys.stdin, sys.stdout, sys.stderr = before


def _status() -> int:
    try:
        main()
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def within(folder: Path) -> Iterator[None]:
    """Changes the current folder for the duration of the context."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
