"""What all requests share, and the way of one through it: a key, room, time, and a client that still waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nmt.errors import UserError
from nmt.serving import http_parsing, openapi
from nmt.serving.batcher import Batcher, FullError
from nmt.serving.http_parsing import HttpError
from nmt.serving.keys import Keys
from nmt.serving.limits import Limits
from nmt.serving.metrics import Metrics
from nmt.serving.models import Models

NO_KEY, WRONG_KEY = "Please contact the server operator to get an API key", "Invalid API key"
CLOSED = 499
"""The status of a request whose client hung up; nobody gets to see it but the metrics."""


class Service:
    """What all requests share."""

    def __init__(self, models: Models, limits: Limits, keys: Keys | None) -> None:
        self.models, self.limits, self.keys = models, limits, keys
        self.batcher = Batcher(queue=limits.queue, batch=limits.batch)
        self.metrics = Metrics([*openapi.PATHS, "/"], lambda: self.batcher.pieces)
        self.batcher.observe = self.metrics.computed
        self.draining = False
        """Whether nothing new is accepted."""
        self.working = 0
        """Requests that have been accepted and not been answered."""

    @property
    def refusal(self) -> HttpError | None:
        """Why nothing that takes room would be accepted now, or None."""
        if self.draining:
            return leaving()
        return busy(self.batcher.seconds) if self.batcher.full else None

    def admit(self, request: Request, given: http_parsing.Fields | None = None) -> None:
        """Refuses a request without a key, where there are keys."""
        if self.keys is None:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else given.text("api_key") if given else None
        if not key:
            raise HttpError(400, NO_KEY)
        if not self.keys.admits(key):
            raise HttpError(403, WRONG_KEY)

    async def work(self, request: Request, answer: Callable[[http_parsing.Fields], Awaitable[Any]]) -> Response:
        """Reads and answers a request that costs something, in its time, for as long as its client waits."""
        given = await http_parsing.fields(request, self.limits)
        self.admit(request, given)
        if (
            self.draining
        ):  # since it came in; whether it fits is for the batcher to say, which keeps room for what was being read
            raise leaving()
        self.working += 1
        try:
            async with asyncio.timeout(self.limits.deadline):
                return http_parsing.answer(await while_waiting(request, answer(given)))
        except TimeoutError:
            raise HttpError(504, f"Not translated within {self.limits.deadline:g} seconds") from None
        except FullError as error:
            raise busy(error.seconds) from None
        except UserError as fault:
            raise HttpError(400, f"Invalid request: {fault}") from None
        finally:
            self.working -= 1


def leaving() -> HttpError:
    """That the server is about to be gone."""
    return HttpError(503, "This server is shutting down", Retry_After="5", Connection="close")


def busy(seconds: float) -> HttpError:
    """That the queue is full, and when to come again."""
    return HttpError(
        503, "This server has too much to do; please try again later", Retry_After=str(min(max(round(seconds), 1), 60))
    )


async def while_waiting(request: Request, answer: Awaitable[Any]) -> Any:
    """The answer, or its end as soon as the client hangs up."""
    working = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HttpError(CLOSED, "the client hung up")
    finally:
        gone.cancel()
        working.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
