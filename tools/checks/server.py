"""What the checks of serving ask: `nmt serve` in a process of its own, or a service in a thread of this one."""

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

BEGUN = "serving at "
"""What the server says before its address, once it can be asked."""


@contextmanager
def serving(runs: Sequence[Path], *options: str) -> Iterator[tuple[Address, process.Process]]:
    """`nmt serve` with runs and options on a free port, on the first of our cores; the clients are best kept off it by `step_aside`."""
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
    """Where it serves, as soon as it says so."""
    while server.is_alive():
        for line in process.said(folder) if (folder / process.STDERR).exists() else []:
            if line.startswith(BEGUN):
                return Address.of(line.removeprefix(BEGUN))
        server.join(0.02)
    raise RuntimeError(f"nmt serve: {' / '.join(process.said(folder))}")


def on_first_core() -> process.Prelude:
    """For a process of its own: keeps to the first of the cores that there are, with one thread."""
    return partial(_keep_to, {min(CORES)})


def step_aside() -> None:
    """Leaves the first core to the server, where there is another."""
    os.sched_setaffinity(0, CORES - {min(CORES)} or CORES)


@contextmanager
def kept_like_a_server() -> Iterator[None]:
    """This process for a while as `serving` keeps its server, so that times can be compared."""
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
    """The service on loopback, in a thread of this process."""
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


def processor(server: process.Process) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(server: process.Process) -> int:
    """Bytes that a process has resident."""
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
