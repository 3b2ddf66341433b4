"""An HTTP client that may also misbehave: what it sends is bytes, and nothing is retried."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple


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
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("no answer") from error
        return Answer(int(head[0].split()[1]), headers, body)


def request(path: str, body: Any = None) -> bytes:
    """The bytes of a request."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: check\r\n\r\n".encode()
    data = json.dumps(body).encode()
    return (
        f"POST {path} HTTP/1.1\r\nHost: check\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        + data
    )


async def ask(address: Address, path: str, body: Any = None) -> Answer:
    """One request on a connection of its own."""
    async with Connection(address) as connection:
        return await connection.ask(path, body)
