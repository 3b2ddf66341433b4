"""The checks of serving in small, against a fake model: that they find what is there to be found, and nothing else."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve: pip install 'nmt-recipes[serve]'")
sys.path.insert(0, str(Path(__file__).parents[2]))

from nmt.serving.limits import Limits
from tests.serving.conftest import Shouting, listening
from tools.checks import fuzz, limits, load, overload
from tools.checks.client import Address, Connection

PAIR = ("de", "en")
KNOWN = [(f"eins {number}", f"EINS {number}") for number in range(500)]


def test_under_load_nothing_is_lost_or_swapped() -> None:
    with listening(Shouting(seconds=0.01)) as (url, _):
        seen = asyncio.run(load.hammer(Address.of(url), KNOWN, clients=30, seconds=1.5, pair=PAIR))
    assert (set(seen.statuses), seen.lost, seen.wrong) == ({200}, 0, [])
    assert seen.statuses[200] > 100
    assert seen.rate > 0


def test_a_server_that_swaps_answers_is_caught() -> None:
    class Swapping(Shouting):
        def _shout(self, texts: Sequence[str], alternatives: int) -> list[Any]:
            return super()._shout(texts, alternatives)[::-1]

    with listening(Swapping()) as (url, _):
        seen = asyncio.run(load.hammer(Address.of(url), KNOWN, clients=30, seconds=0.5, pair=PAIR))
    assert seen.wrong
    assert not load.findings(seen, 30, 1.0, 1.0)["wrong or swapped"][1]


def test_strange_requests_are_answered_with_errors() -> None:
    with listening() as (url, _):
        statuses, wrong = asyncio.run(fuzz.throw(Address.of(url), 400))
    assert wrong == []
    assert {200, 400, 403, 404} <= set(statuses)
    assert 500 not in statuses


def test_a_flood_is_refused_and_passes() -> None:
    with listening(Shouting(seconds=0.02), limits=Limits(queue=200, grace=5)) as (url, service):
        seen, _ = asyncio.run(overload.flood(Address.of(url), clients=10, idle=50, seconds=1.5, pair=PAIR))
        assert set(seen.statuses) == {200, 503}
        assert seen.broken == 0
        assert len(seen.health) > 3
        assert service.batcher.pieces == 0


def test_slow_bodies_silent_connections_and_crowds_are_bounded() -> None:
    bounds = Limits(reading=1, connections=20, grace=5)
    with listening(limits=bounds) as (url, _):
        address = Address.of(url)
        found = (
            asyncio.run(limits.times(address, bounds)) | asyncio.run(limits.crowd(address, bounds)) | asyncio.run(limits.sizes(address, bounds, PAIR))
        )
        assert {answer.status for answer in asyncio.run(limits.heavy(address, 3))} == {413}
    assert [name for name, (_, good) in found.items() if not good] == []


def test_what_is_not_http_is_an_error_too() -> None:
    async def shout(address: Address, data: bytes) -> tuple[int, list[str]]:
        async with Connection(address) as connection:
            connection.writer.write(data)
            answer = await connection.answer()
            return answer.status, list(answer.json)

    with listening() as (url, _):
        for data in (b"\x16\x03\x01garbage\r\n\r\n", b"POST /translate?q=" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n"):
            assert asyncio.run(shout(Address.of(url), data)) == (400, ["error"])


def test_the_page_shows_attacks_and_runs_none() -> None:
    chromium = shutil.which("chromium")
    if not chromium or not find_spec("playwright"):
        pytest.skip("needs Playwright and Chromium: pip install playwright, apt-get install chromium")
    page, sync = import_module("tools.checks.page"), import_module("playwright.sync_api")
    with listening(page.Echo("<img src=x onerror=window.harmed=1>", "en")) as (url, _), sync.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        found = page.attacked(browser, f"{url}/", page.ATTACKS[:4])
        browser.close()
    assert [name for name, (_, good) in found.items() if not good] == []
