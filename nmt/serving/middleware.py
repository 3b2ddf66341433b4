"""ASGI middleware around the routes: metrics, security headers and errors outside, admission inside."""

from __future__ import annotations

import sys
import traceback
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nmt.serving.http_parsing import HttpError
from nmt.serving.service import CLIENT_CLOSED, Service

HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
QUEUED = ("/translate", "/translate_file", "/inspect", "/detect")
"""The paths whose requests need the queue."""
FAILED = HttpError(500, "This server failed; the request may be tried again")


class ObservingMiddleware:
    """Counts and times requests, adds headers, and answers exceptions by status 500 without their text.

    A request with two lengths, ``Content-Length`` and ``Transfer-Encoding``, is the last of its connection (RFC 9112,
    section 6.1): a proxy may have seen another end of it.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = monotonic(), 0
        headers = (*HEADERS, *(((b"connection", b"close"),) if _has_two_lengths(scope) else ()))

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            report(error)
            if not status:
                await FAILED.response()(scope, receive, send_with_headers)
        finally:
            self.service.metrics.count_request(scope["path"], status or CLIENT_CLOSED, monotonic() - begun)


class AdmissionMiddleware:
    """Refuses requests for which the queue has no room, before routing and reading them: cheap under overload."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        queued = scope["type"] == "http" and scope["path"] in QUEUED and scope["method"] == "POST"
        refusal = self.service.refusal if queued else None
        await (refusal.response() if refusal else self.app)(scope, receive, send)


def _has_two_lengths(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return {b"content-length", b"transfer-encoding"} <= names


def report(error: Exception) -> None:
    """Prints the type and place of an error to stderr, without its message, which may hold a client's text."""
    frames = [
        f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-3:]
    ]
    print(f"nmt serve: {type(error).__name__} at {' < '.join(reversed(frames))}", file=sys.stderr, flush=True)
