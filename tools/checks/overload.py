"""Five times the load that a server can take, with slow, silent and leaving clients: it refuses, and recovers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nmt.serving.server import raise_open_files
from tools.checks.check import Trial
from tools.checks.client import Address, Connection, ask, request
from tools.checks.served_run import served_runs
from tools.checks.server import leave_first_core, serving

TEXT = "Der alte Mann kocht heute Abend in der Küche, weil seine Frau müde ist. " * 8
CLIENTS, MISBEHAVING = 100, 5
"""Clients that send as fast as they can, and clients of each misbehaving kind."""
QUEUE = 3000
"""Tokens that may wait: a fifth of those that the clients send."""
RETRY_AFTER = 0.5
"""Seconds after which a refused client sends its next request."""
REFUSED, HEALTHY, RECOVERED = "seconds to 503 (p99)", "seconds to /health (p99)", "seconds until normal"


@dataclass
class Seen:
    """The responses that clients got."""

    trials: list[Trial] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[float] = field(default_factory=list)
    """Seconds to each 503."""
    health: list[float] = field(default_factory=list)
    """Seconds to each answer of /health."""


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """``count`` requests beside nearly as many silent connections and requests to /health; then one request more."""
    idle = count * 9 // 10
    raise_open_files(idle + CLIENTS)
    leave_first_core()
    with served_runs(runs) as found, serving([found[0].path], "--queue", f"{QUEUE}") as (address, _):
        seen, recovered = asyncio.run(flood(address, found[0].request(TEXT), count, idle))
    yield from seen.trials
    times = {name: _p99(seconds) for name, seconds in ((REFUSED, seen.refusals), (HEALTHY, seen.health)) if seconds}
    yield Trial("the flood", None if seen.statuses[503] else "nothing was refused, so overload was not tested", times)
    yield Trial("a request afterwards", None, {RECOVERED: recovered})


async def flood(address: Address, body: dict[str, Any], count: int, idle: int) -> tuple[Seen, float]:
    """Overloads a server; returns the responses, and the seconds until it answers normally again."""
    seen, work = Seen(), iter(range(count))
    silent = [await Connection(address).__aenter__() for _ in range(idle)]
    others = [
        _check_health(address, seen),
        *(each(address, body) for each in (_send_slowly, _hang_up) for _ in range(MISBEHAVING)),
    ]
    beside = [asyncio.create_task(each) for each in others]
    await asyncio.gather(*(_send(address, body, work, seen) for _ in range(CLIENTS)))
    for each in beside:
        each.cancel()
    await asyncio.gather(*beside, return_exceptions=True)
    for connection in silent:
        connection.writer.close()
    begun = time.monotonic()
    while (await ask(address, "/translate", body | {"q": "Ein Hund."})).status != 200:
        await asyncio.sleep(0.1)
    return seen, time.monotonic() - begun


async def _send(address: Address, body: dict[str, Any], work: Iterator[int], seen: Seen) -> None:
    for number in work:
        begun = time.monotonic()
        try:
            status = (await ask(address, "/translate", body)).status
        except OSError as error:
            seen.trials.append(Trial(f"request {number}", f"ended without an answer: {error}"))
            continue
        seen.statuses[status] += 1
        seen.trials.append(Trial(f"request {number}", None if status in (200, 503, 504) else f"answered with {status}"))
        if status == 503:
            seen.refusals.append(time.monotonic() - begun)
            await asyncio.sleep(RETRY_AFTER)


async def _check_health(address: Address, seen: Seen) -> None:
    while True:
        begun = time.monotonic()
        status = (await ask(address, "/health")).status
        seen.health.append(time.monotonic() - begun)
        seen.trials.append(Trial("/health", None if status == 200 else f"answered with {status}"))
        await asyncio.sleep(0.1)


async def _send_slowly(address: Address, body: dict[str, Any]) -> None:
    """Sends requests byte by byte, again and again."""
    while True:
        with suppress(OSError):
            async with Connection(address) as connection:
                for byte in request("/translate", body):
                    connection.writer.write(bytes([byte]))
                    await connection.writer.drain()
                    await asyncio.sleep(0.05)


async def _hang_up(address: Address, body: dict[str, Any]) -> None:
    """Sends requests and hangs up, again and again."""
    while True:
        with suppress(OSError):
            async with Connection(address) as connection:
                connection.writer.write(request("/translate", body))
                await asyncio.sleep(0.05)


def _p99(seconds: Sequence[float]) -> float:
    """The 99th percentile."""
    return sorted(seconds)[int(0.99 * (len(seconds) - 1))]
