"""Servers with a fake model that answers in capitals, fails on poisoned texts, and is as slow as a test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve: pip install 'nmt-recipes[serve]'")

from nmt.inference.translator import Translation
from nmt.serving.admission import Limits
from nmt.serving.app import build
from nmt.serving.batcher import Cancelled, Compute, Job
from nmt.serving.models import Models, ServedModel
from nmt.serving.server import bind, make_server
from nmt.serving.service import Service
from nmt.text import detection

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from nmt.serving.admission import ApiKeys

POISON = "poison"


class FakeInterpretation(NamedTuple):
    """In place of an `Interpretation`."""

    kind: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "rows": [], "columns": [], "values": []}


class UppercaseModel(ServedModel):
    """A model that answers in capitals, and offers as many exclamation marks as alternatives."""

    def __init__(self, source: str = "de", target: str = "en", name: str = "uppercase", seconds: float = 0.0) -> None:
        """Every batch takes ``seconds``."""
        self.source, self.target, self.name, self.seconds = source, target, name, seconds
        self.batches: list[list[str]] = []
        self._computes: dict[int, Compute] = {}

    def tokens(self, sentence: str) -> int:
        return len(sentence.split()) + 1

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        compute = self._computes.setdefault(
            alternatives, lambda texts, cancelled: self._uppercase(texts, alternatives, cancelled)
        )
        return Job(compute, sentence, self.tokens(sentence))

    def interpretation_job(self, sentence: str, kind: str | None) -> Job:
        return Job(
            lambda texts, cancelled: [FakeInterpretation(kind or "attention", text) for text in texts], sentence, 1
        )

    def _uppercase(self, texts: Sequence[str], alternatives: int, cancelled: Cancelled) -> list[Translation]:
        self.batches.append(list(texts))
        time.sleep(self.seconds)
        assert not any(POISON in text for text in texts), "a message that holds the text: secret"
        choices = [
            [(text.upper() + "!" * number, -float(number)) for number in range(1, alternatives + 1)] for text in texts
        ]
        return [
            Translation(text, text.upper(), alternatives=others) for text, others in zip(texts, choices, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": self.source,
            "target": self.target,
            "title": "a fake",
            "kinds": ["attention"],
            "notes": [],
        }


Serve = Callable[..., "tuple[TestClient, Service]"]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """`serve(model, limits, keys)`: a client of a server in this process, and its service; no language detection."""
    from starlette.testclient import TestClient

    monkeypatch.setattr(detection, "available", lambda: False)
    with ExitStack() as stack:

        def start(
            *models: ServedModel, limits: Limits | None = None, keys: ApiKeys | None = None, origins: Sequence[str] = ()
        ) -> tuple[TestClient, Service]:
            service = Service(Models(models or [UppercaseModel()]), limits or Limits(), keys)
            return stack.enter_context(TestClient(build(service, origins), raise_server_exceptions=False)), service

        yield start


@contextmanager
def listening(
    *models: ServedModel, limits: Limits | None = None, keys: ApiKeys | None = None
) -> Iterator[tuple[str, Service]]:
    """A server on loopback in a thread of this process: its address and its service."""
    service = Service(Models(models or [UppercaseModel()]), limits or Limits(grace=5), keys)
    bound = bind("127.0.0.1", 0)
    server = make_server(build(service), service)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}", service
    finally:
        server.should_exit = True
        thread.join(20)
