"""`nmt` in a child process, which can be killed; all are forked from a server process that has imported the package."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TypeAlias

IMPORTED = [
    "nmt.training.begin",
    "nmt.cli.app",
    "nmt.inference.translator",
    "datasets",
    "sacrebleu",
    "torch._dynamo",
    "tools.checks.toy",
]
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(IMPORTED)
PATIENCE = 300
"""Seconds after which a command counts as hanging."""

STDERR = "stderr.txt"
"""The file of a command's stderr, in its folder."""

Process: TypeAlias = ForkServerProcess
Prelude: TypeAlias = Callable[[], None]


def start(folder: Path, *arguments: str, prelude: Prelude | None = None) -> Process:
    """Starts ``nmt ARGUMENTS`` in a folder. ``prelude`` is called first in the new process; it must be picklable."""
    (folder / STDERR).unlink(missing_ok=True)
    process = FORKSERVER.Process(target=_command, args=(folder, arguments, prelude))
    process.start()
    return process


def wait(process: Process) -> int:
    """The exit status, or minus the number of the signal that ended the process."""
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"nmt did not end within {PATIENCE} s")
    return process.exitcode


def finish(folder: Path, *arguments: str, prelude: Prelude | None = None) -> int:
    """The exit status of ``nmt ARGUMENTS``, run to its end."""
    return wait(start(folder, *arguments, prelude=prelude))


def stderr_lines(folder: Path) -> list[str]:
    """The lines on stderr of the last command in a folder."""
    return (folder / STDERR).read_text("utf8", errors="replace").splitlines()


def _command(folder: Path, arguments: tuple[str, ...], prelude: Prelude | None) -> None:
    handle = os.open(folder / STDERR, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    os.chdir(folder)
    sys.argv = ["nmt", *arguments]
    if prelude is not None:
        prelude()
    from nmt.cli.app import main

    main()
