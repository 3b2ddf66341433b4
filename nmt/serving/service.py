"""What all requests share (models, limits, keys, batcher, metrics), and how one request is checked and answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from nmt.errors import UserError
from nmt.serving import http_parsing, openapi
from nmt.serving.admission import ApiKeys, Limits
from nmt.serving.batcher import Batcher, QueueFullError, TooManyTokensError
from nmt.serving.http_parsing import HttpError, Parameters
from nmt.serving.models import Models

NO_KEY, WRONG_KEY = "Please contact the server operator to get an API key", "Invalid API key"
CLIENT_CLOSED = 499
"""The status of a request whose client hung up; only the metrics show it."""
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server, in its own registry. Labels are endpoints and statuses; no text, key or address."""

    def __init__(self, endpoints: Collection[str], queue_tokens: Callable[[], float]) -> None:
        """Requests to other than these endpoints are counted together."""
        self._endpoints = frozenset(endpoints)
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("nmt_requests", "Requests answered.", ["endpoint", "status"], registry=registry)
        self._seconds = Histogram(
            "nmt_request_seconds", "From request to answer.", ["endpoint"], buckets=SECONDS, registry=registry
        )
        self._texts = Histogram("nmt_batch_sentences", "Sentences computed together.", buckets=TEXTS, registry=registry)
        self._tokens = Counter("nmt_source_pieces", "Source pieces computed.", registry=registry)
        self._busy = Counter("nmt_busy_seconds", "Time spent computing.", registry=registry)
        waiting = Gauge("nmt_queue_pieces", "Source pieces that wait or are computed.", registry=registry)
        waiting.set_function(queue_tokens)

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Counts a request that has been answered."""
        endpoint = path if path in self._endpoints else "other"
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def count_batch(self, texts: int, tokens: int, seconds: float) -> None:
        """Counts a batch that has been computed."""
        self._texts.observe(texts)
        self._tokens.inc(tokens)
        self._busy.inc(seconds)

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class Service:
    """What all requests share."""

    def __init__(self, models: Models, limits: Limits, keys: ApiKeys | None) -> None:
        self.models, self.limits, self.keys = models, limits, keys
        self.batcher = Batcher(queue=limits.queue, batch=limits.batch, most=limits.tokens)
        self.metrics = Metrics([*openapi.PATHS, "/"], lambda: self.batcher.tokens)
        self.batcher.observe = self.metrics.count_batch
        self.draining = False
        """Whether new requests are refused because the server is about to stop."""
        self.active = 0
        """Requests that have been accepted and not been answered."""

    @property
    def refusal(self) -> HttpError | None:
        """The error for a new request that needs the queue, or None if it would be accepted."""
        if self.draining:
            return shutting_down()
        return busy(self.batcher.expected_wait) if self.batcher.full else None

    def check_key(self, request: Request, parameters: Parameters | None = None) -> None:
        """Refuses a request without a valid key, if the server has keys."""
        if self.keys is None:
            return
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else parameters.text("api_key") if parameters else None
        if not key:
            raise HttpError(400, NO_KEY)
        if not self.keys.accepts(key):
            raise HttpError(403, WRONG_KEY)

    async def respond(self, request: Request, handle: Callable[[Parameters], Awaitable[Any]]) -> Response:
        """Reads, checks and handles a request within its deadline, or until its client hangs up."""
        parameters = await http_parsing.read_parameters(request, self.limits)
        self.check_key(request, parameters)
        # Draining may have begun while the body was read. Whether there is room is for the batcher to say: it reserves
        # some for requests that are being read.
        if self.draining:
            raise shutting_down()
        self.active += 1
        try:
            async with asyncio.timeout(self.limits.deadline):
                return http_parsing.json_response(await while_connected(request, handle(parameters)))
        except TimeoutError:
            raise HttpError(504, f"Not translated within {self.limits.deadline:g} seconds") from None
        except TooManyTokensError as error:
            size, limit = f"{error.tokens} tokens", f"{error.most} tokens"
            raise HttpError(400, f"Invalid request: request ({size}) exceeds text limit ({limit})") from None
        except QueueFullError as error:
            raise busy(error.seconds) from None
        except UserError as error:
            raise HttpError(400, f"Invalid request: {error}") from None
        finally:
            self.active -= 1


def shutting_down() -> HttpError:
    """The error of a server that drains."""
    return HttpError(503, "This server is shutting down", {"Retry-After": "5", "Connection": "close"})


def busy(seconds: float) -> HttpError:
    """The error of a full queue that is expected to have room in ``seconds``."""
    retry = str(min(max(round(seconds), 1), 60))
    return HttpError(503, "This server has too much to do; please try again later", {"Retry-After": retry})


async def while_connected(request: Request, handling: Awaitable[Any]) -> Any:
    """The result, or a cancellation as soon as the client hangs up."""
    working = asyncio.ensure_future(handling)
    disconnected = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({working, disconnected}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise HttpError(CLIENT_CLOSED, "the client hung up")
    finally:
        disconnected.cancel()
        working.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
