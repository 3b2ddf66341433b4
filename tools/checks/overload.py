"""Five times what a server can do, with clients that read slowly, say nothing, or hang up: it refuses at once, stays alive, and recovers.

python -m tools.checks.overload runs/de-en
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from tools.checks.client import Address, Connection, ask, request, serving, verdict

REFUSED, HEALTHY, RECOVERED = 0.1, 0.1, 5.0
"""Bounds in seconds: to be told 503, for /health, and until a request is answered as usual again."""
TEXT = "Der alte Mann kocht heute Abend in der Küche, weil seine Frau müde ist. " * 8


@dataclass
class Seen:
    """What clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    broken: int = 0
    """Connections that ended without an answer."""


async def flood(address: Address, *, clients: int, idle: int, seconds: float, pair: tuple[str, str]) -> tuple[Seen, float]:
    """Clients that come again at once, beside others that misbehave; what was seen, and the seconds until all was well again."""
    seen, end = Seen(), time.monotonic() + seconds
    body = {"q": TEXT, "source": pair[0], "target": pair[1]}
    silent = [await Connection(address).__aenter__() for _ in range(idle)]
    slow = [asyncio.create_task(_slow(address, body, end)) for _ in range(5)]
    leaving = [asyncio.create_task(_leaving(address, body, end)) for _ in range(5)]
    pushing = [asyncio.create_task(_pushing(address, body, end, seen)) for _ in range(clients)]
    await asyncio.gather(_watch(address, end, seen), *pushing, *leaving, *slow)
    for connection in silent:
        connection.writer.close()
    begun = time.monotonic()
    while (await ask(address, "/translate", {**body, "q": "Ein Hund."})).status != 200:
        await asyncio.sleep(0.1)
    return seen, time.monotonic() - begun


async def _pushing(address: Address, body: Any, end: float, seen: Seen) -> None:
    while time.monotonic() < end:
        begun = time.monotonic()
        try:
            status = (await ask(address, "/translate", body)).status
        except OSError:
            seen.broken += 1
            continue
        seen.statuses[status] += 1
        if status == 503:
            seen.refusals.append(time.monotonic() - begun)
            await asyncio.sleep(0.5)


async def _watch(address: Address, end: float, seen: Seen) -> None:
    while time.monotonic() < end:
        begun = time.monotonic()
        assert (await ask(address, "/health")).status == 200
        seen.health.append(time.monotonic() - begun)
        await asyncio.sleep(0.1)


async def _slow(address: Address, body: Any, end: float) -> None:
    """Sends a letter at a time, and would read as slowly."""
    while time.monotonic() < end:
        try:
            async with Connection(address) as connection:
                for byte in request("/translate", body):
                    connection.writer.write(bytes([byte]))
                    await connection.writer.drain()
                    await asyncio.sleep(0.05)
                    if time.monotonic() > end:
                        break
        except OSError:
            pass


async def _leaving(address: Address, body: Any, end: float) -> None:
    while time.monotonic() < end:
        async with Connection(address) as connection:
            connection.writer.write(request("/translate", body))
            await asyncio.sleep(0.05)


def findings(seen: Seen, recovered: float) -> dict[str, tuple[Any, bool]]:
    """What was seen, and whether it is good enough; times of the slowest one in a hundred."""
    refused, health = (sorted(times)[int(0.99 * (len(times) - 1))] if times else 0.0 for times in (seen.refusals, seen.health))
    return {
        "requests by status": (dict(seen.statuses), set(seen.statuses) <= {200, 503, 504} and bool(seen.statuses[503])),
        "ended without an answer": (seen.broken, not seen.broken),
        "seconds to 503": (f"{refused:.3f}", refused <= REFUSED),
        "seconds to /health": (f"{health:.3f}", health <= HEALTHY),
        "seconds until normal": (f"{recovered:.3f}", recovered <= RECOVERED),
    }


def main(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    clients: Annotated[int, typer.Option(help="That never wait.")] = 100,
    idle: Annotated[int, typer.Option(help="Connections that say nothing.")] = 9000,
    seconds: Annotated[float, typer.Option()] = 60,
    queue: Annotated[int, typer.Option(help="Pieces that may wait: a fifth of what the clients ask for.")] = 3000,
) -> None:
    """Floods a server."""
    from nmt.runs import Run
    from nmt.serving.server import raise_files

    raise_files(idle + clients)
    data = Run(run).recipe.data
    with serving([run], "--queue", str(queue)) as (address, _):
        found = asyncio.run(flood(address, clients=clients, idle=idle, seconds=seconds, pair=(data.source, data.target)))
    raise typer.Exit(verdict(findings(*found)))


if __name__ == "__main__":
    typer.run(main)
