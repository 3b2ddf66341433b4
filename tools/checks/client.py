"""An HTTP client that may also misbehave: it sends any bytes and never retries."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple


class Address(NamedTuple):
    """Host and port of a server."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """As ``http://HOST:PORT``."""
        return f"http://{self.host}:{self.port}"

    @classmethod
    def of(cls, url: str) -> Address:
        """The address in ``http://HOST:PORT``."""
        host, _, port = url.removeprefix("http://").rpartition(":")
        return cls(host, int(port))


class Answer(NamedTuple):
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, parsed as JSON."""
        return json.loads(self.body)


class Connection:
    """One kept-alive connection."""

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
        """GET, or POST of a value as JSON; returns the response."""
        self.writer.write(request(path, body))
        await self.writer.drain()
        return await self.answer()

    async def answer(self) -> Answer:
        """Reads the next response; `ConnectionError` if the connection ends before it."""
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
    """The bytes of a GET request, or of a POST request with JSON."""
    if body is None:
        return f"GET {path} HTTP/1.1\r\nHost: check\r\n\r\n".encode()
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: check\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
    return f"{head}\r\n\r\n".encode() + data


async def ask(address: Address, path: str, body: Any = None) -> Answer:
    """One request on a new connection."""
    async with Connection(address) as connection:
        return await connection.ask(path, body)
