"""The server process: its socket, uvicorn with timeouts and connection limits, and graceful shutdown."""

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
from nmt.serving.service import Service

BACKLOG = 2048
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _closing_response(status: bytes, error: bytes, *headers: bytes) -> bytes:
    """A complete response, for connections that are closed before a request reaches the application."""
    body = b'{"error": "%b"}' % error
    lines = [
        b"HTTP/1.1 " + status,
        b"Connection: close",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join([*lines, b"", body])


TOO_MANY_CONNECTIONS = _closing_response(
    b"503 Service Unavailable", b"There are too many connections", b"Retry-After: 5"
)
NOT_HTTP = _closing_response(b"400 Bad Request", b"Invalid request: this is not HTTP, or its head is too long")


def bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet, so that a taken port is reported before models are loaded."""
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
            f"--host {host} --port {port}: cannot be served at ({error.strerror});"
            " choose another port, or 0 for any that is free"
        ) from error
    return bound


class Server(uvicorn.Server):
    """Stops at the first of `SIGNALS` after the accepted requests are answered; a second signal stops it at once."""

    def __init__(self, config: uvicorn.Config, service: Service, on_ready: Callable[[], None]) -> None:
        """`on_ready` is called when connections are accepted."""
        super().__init__(config)
        self.service, self.on_ready = service, on_ready
        self._end = 0.0

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handles signals without repeating them afterwards, as uvicorn does: a graceful shutdown has exit status 0."""
        if threading.current_thread() is not threading.main_thread():  # only that thread may set handlers
            yield
            return
        handled = [each for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN]  # nohup ignores SIGHUP
        before = {each: signal.signal(each, self.handle_exit) for each in handled}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal starts draining, the second stops the server."""
        if self.service.draining:
            self.should_exit = self.force_exit = True
        self.service.draining = True
        self._end = monotonic() + self.service.limits.grace

    async def on_tick(self, counter: int) -> bool:
        """Stops when the last request is answered or the grace is over; called ten times a second."""
        if self.service.draining and (not self.service.active or monotonic() > self._end):
            self.should_exit = True
            self.config.timeout_graceful_shutdown = max(1, round(self._end - monotonic()))
        return await super().on_tick(counter)


def freeze_loaded_objects() -> None:
    """Excludes loaded objects from garbage collection, which would walk all of torch while clients wait."""
    gc.collect()
    gc.freeze()


def make_server(app: ASGIApp, service: Service, on_ready: Callable[[], None] = lambda: None) -> Server:
    """A server that is not running yet."""
    limits = service.limits
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",  # warnings would be a line for each request that is not HTTP
        access_log=False,  # it would log query strings
        server_header=False,
        ws="none",
        backlog=BACKLOG,
    )
    config.load()
    config.http_protocol_class = with_timeouts(config.http_protocol_class, service)
    raise_open_files(limits.connections)
    logging.getLogger("python_multipart").disabled = True  # it would log parts of requests
    return Server(config, service, on_ready)


def with_timeouts(protocol: Any, service: Service) -> Any:
    """uvicorn's protocol with limits: connections without a complete request head in time are closed.

    Connections beyond the limit are refused. What is not HTTP is answered with 400, and counted in the metrics.
    """
    limits = service.limits

    class Protocol(protocol):  # type: ignore[misc]  # uvicorn chooses among its protocols when it starts
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                transport.write(TOO_MANY_CONNECTIONS)
                transport.close()
            else:
                self._start_timer()

        def data_received(self, data: bytes) -> None:
            """Parts of a head do not extend the time; the time of a body is limited where it is read."""
            super().data_received(data)
            if self.cycle is not None and not self.cycle.response_complete:
                self._stop_timer()
            elif self._timer is None:
                self._start_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            service.metrics.count_request("", 400, 0.0)
            self.transport.write(NOT_HTTP)
            self.transport.close()

        def _start_timer(self) -> None:
            self._timer = self.loop.call_later(limits.reading, self.transport.close)

        def _stop_timer(self) -> None:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    return Protocol


def raise_open_files(connections: int) -> None:
    """Raises the limit of open files to one for each connection, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + 100
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
            )
