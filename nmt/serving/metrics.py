"""What the server counts. Labels are endpoints and statuses alone: no text, no key and no address is among them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one server, in a registry of its own."""

    def __init__(self, endpoints: Collection[str], waiting: Callable[[], float]) -> None:
        """Other endpoints than these are counted together; `waiting` tells the pieces in the queue."""
        self._endpoints = frozenset(endpoints)
        self._registry = CollectorRegistry()
        self._requests = Counter("nmt_requests", "Requests answered.", ["endpoint", "status"], registry=self._registry)
        self._seconds = Histogram(
            "nmt_request_seconds", "From request to answer.", ["endpoint"], buckets=SECONDS, registry=self._registry
        )
        self._texts = Histogram(
            "nmt_batch_sentences", "Sentences computed together.", buckets=TEXTS, registry=self._registry
        )
        self._pieces = Counter("nmt_source_pieces", "Source pieces computed.", registry=self._registry)
        self._busy = Counter("nmt_busy_seconds", "Time spent computing.", registry=self._registry)
        Gauge("nmt_queue_pieces", "Source pieces that wait or are computed.", registry=self._registry).set_function(
            waiting
        )

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Counts a request."""
        endpoint = path if path in self._endpoints else "other"
        self._requests.labels(endpoint, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def computed(self, texts: int, pieces: int, seconds: float) -> None:
        """Counts a batch."""
        self._texts.observe(texts)
        self._pieces.inc(pieces)
        self._busy.inc(seconds)

    def text(self) -> bytes:
        """In the format that Prometheus reads."""
        return generate_latest(self._registry)
