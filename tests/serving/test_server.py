from __future__ import annotations

import asyncio
import gc
import os
import signal

import pytest

from nmt.serving import server
from nmt.serving.admission import Limits
from nmt.serving.app import build
from nmt.serving.models import Models
from nmt.serving.service import Service
from tests.serving.conftest import UppercaseModel, listening
from tools.checks.client import Address, Answer, Connection

CHUNKED = b"POST /detect HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n%b\r\n0\r\n\r\n"


def test_frozen_objects_are_not_collected_again() -> None:
    loaded = [[] for _ in range(1000)]  # type: list[list[object]]
    before = len(gc.get_objects())
    server.freeze_loaded_objects()
    try:
        assert len(gc.get_objects()) < before - len(loaded)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_every_signal_drains_the_server_unless_it_is_ignored(sent: signal.Signals) -> None:
    service = Service(Models([UppercaseModel()]), Limits(), None)
    running = server.make_server(build(service), service)
    before = signal.signal(sent, signal.SIG_DFL)  # the tests may run under nohup, which ignores SIGHUP
    try:
        with running.capture_signals():
            os.kill(os.getpid(), sent)
            assert service.draining
        assert signal.getsignal(sent) == signal.SIG_DFL
        signal.signal(sent, signal.SIG_IGN)  # as nohup does with SIGHUP
        with running.capture_signals():
            assert signal.getsignal(sent) == signal.SIG_IGN
    finally:
        signal.signal(sent, before)


async def answered(address: Address, sent: bytes) -> tuple[Answer, bool]:
    """The answer to raw bytes, and whether the connection is closed after it."""
    async with Connection(address) as connection:
        connection.writer.write(sent)
        answer = await connection.answer()
        connection.writer.write(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            return answer, not await connection.reader.read(1)
        except ConnectionResetError:
            return answer, True


def test_a_request_with_two_lengths_is_the_last_of_its_connection() -> None:
    with listening() as (url, _):
        for extra, closed in ((b"", False), (b"Content-Length: 3\r\n", True)):
            answer, found = asyncio.run(answered(Address.of(url), CHUNKED % extra))
            assert (answer.status, answer.json["error"], found) == (400, "Invalid request: missing q parameter", closed)
            assert (answer.headers.get("connection") == "close") == closed


def test_what_is_not_http_is_counted_and_writes_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    upgrade = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    with listening() as (url, service):
        for sent, status in ((b"\x16\x03\x01garbage\r\n\r\n", 400), (upgrade, 200)):
            assert asyncio.run(answered(Address.of(url), sent))[0].status == status
        assert b'nmt_requests_total{endpoint="other",status="400"} 1.0' in service.metrics.text()
    assert capfd.readouterr().err == ""
