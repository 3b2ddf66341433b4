from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nmt as package
from nmt.errors import RunError
from nmt.inference.open import open_translator
from nmt.inference.parallel import ParallelTranslator
from nmt.runs import run_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

WATCHED: list[BaseProcess] = []
LINES = ["rot Hund", "", "Katze groß Haus Baum", "klein", *["Haus rot Baum"] * 5, "grün " * 60, "Hund {name} rot"]


def workers_of(count: int) -> ParallelTranslator:
    translator = open_translator(Path("runs/toy"), workers=count)
    assert isinstance(translator, ParallelTranslator)
    return translator


def test_workers_change_neither_translations_nor_their_order(nmt: Nmt) -> None:
    stdin = "".join(f"{line}\n" for line in LINES).encode()
    alone, together = (
        nmt("translate", "runs/toy", "--json", *option, stdin=stdin) for option in ([], ["--workers", "2"])
    )
    assert (together.status, together.err) == (0, alone.err)
    expected, found = ([json.loads(line) for line in outcome.out.splitlines()] for outcome in (alone, together))
    assert [each.pop("score") for each in found] == pytest.approx([each.pop("score") for each in expected])
    assert found == expected


def test_windows_come_in_order_and_one_is_read_ahead(nmt: Nmt) -> None:
    read: list[int] = []

    def lines() -> Iterator[str]:
        for number, line in enumerate(LINES):
            read.append(number)
            yield line

    with workers_of(2) as workers:
        stream = workers.stream(lines(), window=3)
        assert (next(stream).source, read) == (LINES[0], list(range(6)))
        assert [each.source for each in stream] == LINES[1:]
        assert [each.text for each in workers.stream(LINES, window=3)] == [
            each.text for each in package.load("runs/toy").translate(LINES)
        ]


def test_a_worker_that_is_killed_is_reported_in_a_line(nmt: Nmt) -> None:
    with workers_of(1) as workers:
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(RunError, match=r"a worker was killed.*\n.*fewer --workers"):
            list(workers.stream(LINES))


def test_faults_of_a_run_or_a_setting_are_those_of_one_process(nmt: Nmt) -> None:
    outcome = nmt("translate", "runs/toy", "--workers", "1", "--json", "--nbest", "3", "--beam", "2", stdin=b"rot\n")
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err == "nmt: --nbest: expected between 1 and the beam, which is 2, found 3\n"
    Path("runs/toy", run_folder.WEIGHTS).write_bytes(b"nothing")
    outcome = nmt("translate", "runs/toy", "--workers", "1", stdin=b"rot\n")
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith(f"nmt: runs/toy/{run_folder.WEIGHTS}: not the weights of this run's model")


def test_workers_end_with_their_parent_however_that_ends(nmt: Nmt) -> None:
    code = (
        "import multiprocessing, os, signal\nfrom pathlib import Path\nfrom nmt.inference.open import open_translator\n"
        "open_translator(Path('runs/toy'), workers=1).__enter__()\n"
        "print(multiprocessing.active_children()[0].pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    worker = int(done.stdout)
    deadline = time.monotonic() + 60
    while Path("/proc", str(worker)).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path("/proc", str(worker)).exists()


def test_when_something_fails_outside_workers_are_not_waited_for(nmt: Nmt) -> None:
    with pytest.raises(KeyboardInterrupt), workers_of(1) as workers:
        _break_off(workers)
    (process,) = WATCHED
    process.join(60)
    assert process.exitcode == -signal.SIGTERM


def _break_off(workers: ParallelTranslator) -> None:
    WATCHED[:] = multiprocessing.active_children()
    workers._pool.submit(time.sleep, 600)
    raise KeyboardInterrupt
