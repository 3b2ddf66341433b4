"""Servers to check: `nmt serve` in a child process, or a service in a thread of this process."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch

from nmt.serving.app import build
from nmt.serving.server import bind, make_server
from nmt.serving.service import Service
from tools.checks import process
from tools.checks.client import Address

READY = "serving at "
"""The beginning of the line in which the server reports its address."""


@contextmanager
def serving(runs: Sequence[Path], *options: str) -> Iterator[tuple[Address, process.Process]]:
    """`nmt serve` with runs and options on a free port, on the first core; `leave_first_core` keeps clients off it."""
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        folder = Path(name)
        command = ("serve", "--port", "0", *map(str, runs), *options)
        server = process.start(folder, *command, prelude=on_first_core())
        try:
            yield _address(folder, server), server
        finally:
            server.kill()
            server.join()


def _address(folder: Path, server: process.Process) -> Address:
    """The address of a server, as soon as it is ready."""
    while server.is_alive():
        for line in process.stderr_lines(folder) if (folder / process.STDERR).exists() else []:
            if line.startswith(READY):
                return Address.of(line.removeprefix(READY))
        server.join(0.02)
    raise RuntimeError(f"nmt serve: {' / '.join(process.stderr_lines(folder))}")


def on_first_core() -> process.Prelude:
    """A prelude that keeps the process on the first core, with one thread."""
    return partial(_keep_to, {min(CORES)})


def leave_first_core() -> None:
    """Keeps this process off the first core, if there is another."""
    os.sched_setaffinity(0, CORES - {min(CORES)} or CORES)


@contextmanager
def on_server_core() -> Iterator[None]:
    """Keeps this process on the first core with one thread, as `serving` its server, so that times are comparable."""
    _keep_to({min(CORES)})
    try:
        yield
    finally:
        _keep_to(CORES)


CORES = os.sched_getaffinity(0)


def _keep_to(cores: set[int]) -> None:
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(len(cores))


@contextmanager
def listening(service: Service) -> Iterator[Address]:
    """Runs a service on loopback in a thread of this process."""
    with bind("127.0.0.1", 0) as bound:
        address = Address(*bound.getsockname())
        server = make_server(build(service), service)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield address
        finally:
            server.should_exit = True
            thread.join()


def processor_seconds(server: process.Process) -> float:
    """Processor time of a process in seconds."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(server: process.Process) -> int:
    """Resident bytes of a process."""
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
