"""What the checks of serving share: `nmt serve` in a process of its own, and an HTTP client that may also misbehave.

The checks are run from the root of the repository: ``python -m tools.checks.load runs/de-en``.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """For clients that take one."""
        return f"http://{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> Address:
        """Of ``http://HOST:PORT``."""
        host, _, port = url.removeprefix("http://").rpartition(":")
        return cls(host, int(port))


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as a value."""
        return json.loads(self.body)


class Connection:
    """One connection that is kept alive."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Connection:
        self.reader, self.writer = await asyncio.open_connection(*self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def ask(self, path: str, body: Any = None) -> Answer:
        """GET, or POST of a value as JSON."""
        self.writer.write(request(path, body))
        await self.writer.drain()
        return await self.answer()

    async def answer(self) -> Answer:
        """Reads the next answer; a connection that ends before it is a `ConnectionError`."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("no answer") from error
        return Answer(int(head[0].split()[1]), headers, body)


def request(path: str, body: Any = None) -> bytes:
    """The bytes of a request."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: check\r\n\r\n".encode()
    data = json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\nHost: check\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


async def ask(address: Address, path: str, body: Any = None) -> Answer:
    """One request on a connection of its own."""
    async with Connection(address) as connection:
        return await connection.ask(path, body)


@contextmanager
def serving(runs: Sequence[Path], *options: str, core: int | None = None) -> Iterator[tuple[Address, subprocess.Popen[str]]]:
    """`nmt serve` with runs and options on a free port, pinned to a core if one is given."""
    command = [*pinned(core), sys.executable, "-m", "nmt", "serve", "--port", "0", *map(str, runs), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = []
        try:
            for line in process.stderr:
                said.append(line)
                if found := re.search(r"serving at (http://\S+)", line):
                    yield Address.of(found[1]), process
                    return
            raise SystemExit("".join(said))
        finally:
            process.kill()


def pinned(core: int | None) -> list[str]:
    """What to put before a command that may use one core only."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def processor(process: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> int:
    """Bytes that a process has resident."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE


def verdict(findings: dict[str, tuple[Any, bool]]) -> int:
    """Prints what was found, each with whether it is within bounds; the exit status."""
    for name, (value, good) in findings.items():
        print(f"{'ok  ' if good else 'FAIL'}  {name}: {value}")
    return 0 if all(good for _, good in findings.values()) else 1
