"""`nmt` in a process of its own, which can be killed like any other; all are forked from one that has imported what they need."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path

IMPORTED = ["nmt.training.train", "nmt.cli.app", "nmt.translator", "datasets", "sacrebleu", "torch._dynamo", "tools.checks.toy"]
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(IMPORTED)
PATIENCE = 300
"""Seconds after which a command that should have ended is said to hang."""

Prelude = Callable[[], None]


@dataclass(frozen=True)
class Command:
    """`nmt` at work in a folder; what it says on stderr goes to a file."""

    process: ForkServerProcess
    stderr: Path

    @property
    def pid(self) -> int:
        """Its number, for signals."""
        assert self.process.pid is not None
        return self.process.pid

    def wait(self) -> int:
        """The exit status; minus the number of the signal that ended it."""
        self.process.join(PATIENCE)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
            raise TimeoutError(f"nmt did not end within {PATIENCE} s; what it said is in {self.stderr}")
        return self.process.exitcode

    @property
    def said(self) -> list[str]:
        """The lines on stderr so far."""
        return self.stderr.read_text("utf8", errors="replace").splitlines() if self.stderr.exists() else []


def start(folder: Path, *arguments: str, prelude: Prelude | None = None) -> Command:
    """Starts ``nmt ARGUMENTS`` in a folder; ``prelude`` is called in the new process first, and must be importable by name or a partial of such."""
    stderr = folder / "stderr.txt"
    stderr.unlink(missing_ok=True)
    process = FORKSERVER.Process(target=_command, args=(folder, stderr, arguments, prelude))
    process.start()
    return Command(process, stderr)


def finish(folder: Path, *arguments: str, prelude: Prelude | None = None) -> tuple[int, list[str]]:
    """Exit status and lines on stderr of ``nmt ARGUMENTS``, run to its end."""
    command = start(folder, *arguments, prelude=prelude)
    return command.wait(), command.said


def _command(folder: Path, stderr: Path, arguments: tuple[str, ...], prelude: Prelude | None) -> None:
    handle = os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(handle, sys.stderr.fileno())
    os.chdir(folder)
    sys.argv = ["nmt", *arguments]
    if prelude is not None:
        prelude()
    from nmt.cli.app import main

    main()
