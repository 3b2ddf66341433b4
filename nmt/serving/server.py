"""The process: a socket, uvicorn with patience for nobody, and an end in order."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from nmt.errors import UserError
from nmt.serving.limits import Limits
from nmt.serving.service import Service

BACKLOG = 2048


def _closing(status: bytes, error: bytes, *headers: bytes) -> bytes:
    """A whole answer, for connections that are closed before any request reaches the application."""
    body = b'{"error": "%b"}' % error
    lines = [
        b"HTTP/1.1 " + status,
        b"Connection: close",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


CROWDED = _closing(b"503 Service Unavailable", b"There are too many connections", b"Retry-After: 5")
GARBLED = _closing(b"400 Bad Request", b"Invalid request: this is not HTTP, or its head is too long")


def listen(host: str, port: int) -> socket.socket:
    """A socket that is ours but does not listen yet, so that a port that is taken is known before models are loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as stack:
            bound = stack.enter_context(socket.socket(family, kind, protocol))
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            stack.pop_all()
    except OSError as error:
        raise UserError(
            f"--host {host} --port {port}: cannot be served at ({error.strerror}); choose another port, or 0 for any that is free"
        ) from error
    return bound


class Server(uvicorn.Server):
    """Ends at SIGTERM or SIGINT: refuses what is new, answers what was accepted, and then closes; a second signal ends it at once."""

    def __init__(self, config: uvicorn.Config, service: Service, begun: Callable[[], None]) -> None:
        """`begun` is called when connections are taken."""
        super().__init__(config)
        self.service, self.begun = service, begun
        self._end = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's own, does not repeat the signal at the end: an end in order is status 0."""
        if threading.current_thread() is not threading.main_thread():  # which alone may listen to signals
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the end, the second hurries it."""
        if self.service.draining:
            self.should_exit = self.force_exit = True
        self.service.draining = True
        self._end = monotonic() + self.service.limits.grace

    async def on_tick(self, counter: int) -> bool:
        """Asked ten times a second whether to leave."""
        if self.service.draining and (not self.service.working or monotonic() > self._end):
            self.should_exit = True
            self.config.timeout_graceful_shutdown = max(1, round(self._end - monotonic()))
        return await super().on_tick(counter)


def settle() -> None:
    """Tells the garbage collector that what has been loaded stays: a full collection looked through all of torch, with every client waiting."""
    gc.collect()
    gc.freeze()


def prepared(app: ASGIApp, service: Service, begun: Callable[[], None] = lambda: None) -> Server:
    """A server that is yet to be run."""
    limits = service.limits
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # its lines hold queries
        server_header=False,
        ws="none",
        backlog=BACKLOG,
    )
    config.load()
    config.http_protocol_class = impatient(config.http_protocol_class, limits)
    raise_files(limits.connections)
    logging.getLogger("python_multipart").disabled = True  # it quotes what it cannot read
    return Server(config, service, begun)


def impatient(protocol: Any, limits: Limits) -> Any:
    """The protocol, but it closes connections on which no whole head of a request arrives in time, and refuses those that are too many."""

    class Impatient(protocol):  # type: ignore[misc]  # uvicorn chooses among its protocols when it starts
        _patience: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(CROWDED)
                transport.close()
            else:
                self._expect()

        def data_received(self, data: bytes) -> None:
            """Parts of a head do not buy more time, and how long a body may take is the business of who reads it."""
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._relax()
            elif self._patience is None:
                self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            self._relax()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            self.transport.write(GARBLED)
            self.transport.close()

        def _expect(self) -> None:
            self._patience = self.loop.call_later(limits.reading, self.transport.close)

        def _relax(self) -> None:
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None

    return Impatient


def raise_files(connections: int) -> None:
    """Each connection is an open file; as many as the system allows us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 100
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )
