"""Every limit, one step under and one over: the documented status, and bounded memory."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, NamedTuple

from nmt.serving.admission import Limits
from tools.checks import process
from tools.checks.check import Trial
from tools.checks.client import Address, Connection, ask
from tools.checks.server import memory, serving
from tools.checks.subject import Subject, subjects

LIMITS = Limits(reading=2, connections=50, output=3, deadline=1)
"""Where a limit is put to the test by a server of its own; all others are tried as they are by default."""
HEAVY, HEAVIES = 4_000_000, 40
"""Bytes of a body that is far too large, and how many such there are at once."""
HEAD = b"POST /translate HTTP/1.1\r\nHost: check\r\n"
PATIENCE = 60
"""Seconds after which a connection that should have been closed is said to stay open."""
LATE, GROWN = "seconds beyond a limit of 2", "MiB taken by 40 bodies of 4 MB"


class Asked(NamedTuple):
    """The server that is put to the test."""

    address: Address
    server: process.Process
    subject: Subject


Found = tuple[str | None, dict[str, float]]
"""What was wrong, and what was measured."""


def around(under: dict[str, Any], over: dict[str, Any], status: int) -> Callable[[Asked], Coroutine[Any, Any, Found]]:
    """Two requests, of which the second is refused."""

    async def case(asked: Asked) -> Found:
        found = [
            (await ask(asked.address, "/translate", asked.subject.asking("a") | change)).status
            for change in (under, over)
        ]
        return (None if found == [200, status] else f"{found[0]} under, {found[1]} over"), {}

    return case


async def body(asked: Asked) -> Found:
    """As many bytes as are allowed, and one more."""
    around_it = len(json.dumps(asked.subject.asking("a", x="")))
    text = "b" * (LIMITS.body - around_it)
    return await around({"x": text}, {"x": text + "b"}, 413)(asked)


async def heavy(asked: Asked) -> Found:
    """Bodies far over the limit, all at once."""
    before = memory(asked.server)

    async def one() -> int:
        async with Connection(asked.address) as connection:
            connection.writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % HEAVY + b"a" * HEAVY)
            return (await connection.answer()).status

    statuses = set(await asyncio.gather(*(one() for _ in range(HEAVIES))))
    grown = (memory(asked.server) - before) / 2**20
    fault = (
        f"answered with {statuses}"
        if statuses != {413}
        else f"{grown:.1f} MiB"
        if grown > 2 * HEAVIES * LIMITS.body / 2**20
        else None
    )
    return fault, {GROWN: grown}


async def slow_body(asked: Asked) -> Found:
    """A body that never ends arriving."""
    begun = time.monotonic()
    async with Connection(asked.address) as connection:
        connection.writer.write(HEAD + b"Content-Length: 100\r\n\r\nq=")
        status = (await asyncio.wait_for(connection.answer(), PATIENCE)).status
    return (None if status == 408 else f"answered with {status}"), {LATE: time.monotonic() - begun - LIMITS.reading}


async def silent(asked: Asked) -> Found:
    """A connection that never begins."""
    return await _closed(asked, answered=False, sent=b"")


async def halfway(asked: Asked) -> Found:
    """A request that does not go on, after one that did."""
    return await _closed(asked, answered=True, sent=b"POST /translate HTTP/1.1\r\nHost: ")


async def _closed(asked: Asked, *, answered: bool, sent: bytes) -> Found:
    begun = time.monotonic()
    async with Connection(asked.address) as connection:
        if answered and (await connection.ask("/health")).status != 200:
            return "not well", {}
        connection.writer.write(sent)
        said = await asyncio.wait_for(connection.reader.read(), PATIENCE)
    return (f"said {said[:100]!r}" if said else None), {LATE: time.monotonic() - begun - LIMITS.reading}


async def crowd(asked: Asked) -> Found:
    """As many connections as are allowed, and one more."""
    held = [await Connection(asked.address).__aenter__() for _ in range(LIMITS.connections)]
    try:
        status = (await ask(asked.address, "/health")).status
    finally:
        for connection in held:
            connection.writer.close()
    return (None if status == 503 else f"answered with {status}"), {}


async def output(asked: Asked) -> Found:
    """A translation that would be longer."""
    answer = await ask(asked.address, "/translate", asked.subject.asking("Ein Hund schläft im Garten.", details=True))
    pieces = len(answer.json["details"][0]["pieces"])
    return (None if pieces <= LIMITS.output else f"{pieces} pieces"), {}


async def deadline(asked: Asked) -> Found:
    """More than can be translated in time."""
    status = (
        await ask(asked.address, "/translate", asked.subject.asking(["Ein Hund schläft im Garten. " * 100] * 100))
    ).status
    return (None if status == 504 else f"answered with {status}"), {}


READING = ("--reading", f"{LIMITS.reading}")
CASES: tuple[tuple[str, tuple[str, ...], Callable[[Asked], Coroutine[Any, Any, Found]]], ...] = (
    ("a body", (), body),
    ("characters", (), around({"q": "." * LIMITS.characters}, {"q": "." * (LIMITS.characters + 1)}, 400)),
    ("texts", (), around({"q": ["."] * LIMITS.items}, {"q": ["."] * (LIMITS.items + 1)}, 400)),
    ("alternatives", (), around({"alternatives": LIMITS.alternatives}, {"alternatives": LIMITS.alternatives + 1}, 400)),
    ("bodies far too large", (), heavy),
    ("a slow body", READING, slow_body),
    ("a silent connection", READING, silent),
    ("half a request", READING, halfway),
    ("connections", ("--connections", f"{LIMITS.connections}"), crowd),
    ("output", ("--output", f"{LIMITS.output}"), output),
    ("deadline", ("--deadline", f"{LIMITS.deadline}", "--batch", "16"), deadline),
)
"""What each is called, the options of the server that it needs, and what is done."""


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """The first so many cases; those with the same options share a server."""
    with subjects(runs) as found:
        for options, cases in groupby(islice(CASES, count), key=lambda case: case[1]):
            with serving([found[0].path], *options) as (address, server):
                for name, _, case in cases:
                    yield Trial(name, *asyncio.run(case(Asked(address, server, found[0]))))
