"""Every limit, one step below and one above: the documented status, and bounded memory."""

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
from tools.checks.client import Address, Connection, ask, request
from tools.checks.served_run import ServedRun, served_runs
from tools.checks.server import memory, serving

LIMITS = Limits(reading=2, connections=50, output=3, deadline=1, tokens=40)
"""Lower limits for servers of their own; the other limits are tried at their defaults."""
HEAVY, HEAVIES = 4_000_000, 40
"""Bytes of a body that is far too large, and the number of such bodies at once."""
HEAD = b"POST /translate HTTP/1.1\r\nHost: check\r\n"
PATIENCE = 60
"""Seconds after which a connection that should have been closed counts as open."""
LETTER = "\U00020000"
"""A letter that training has not seen: most vocabularies spell it as four tokens."""
LATE, GROWN = "seconds beyond a limit of 2", "MiB taken by 40 bodies of 4 MB"
FREED = "seconds to an answer after another client hung up"
BESIDE = "seconds to an answer beside a text of 9,000 tokens"


class Tested(NamedTuple):
    """The server under test."""

    address: Address
    server: process.Process
    run: ServedRun


Result = tuple[str | None, dict[str, float]]
"""The fault, and measurements."""


def around(under: dict[str, Any], over: dict[str, Any], status: int) -> Callable[[Tested], Coroutine[Any, Any, Result]]:
    """Two requests, of which the second must be refused."""

    async def case(tested: Tested) -> Result:
        found = [
            (await ask(tested.address, "/translate", tested.run.request("a") | change)).status
            for change in (under, over)
        ]
        return (None if found == [200, status] else f"{found[0]} under, {found[1]} over"), {}

    return case


async def body(tested: Tested) -> Result:
    """A body at the limit, and one more byte."""
    around_it = len(json.dumps(tested.run.request("a", x="")))
    text = "b" * (LIMITS.body - around_it)
    return await around({"x": text}, {"x": text + "b"}, 413)(tested)


async def tokens(tested: Tested) -> Result:
    """As many texts as have no more tokens than allowed, and one more."""
    each = len(tested.run.run.vocabularies[0].encode("a")) + 1
    texts = ["a"] * (LIMITS.tokens // each)
    return await around({"q": texts}, {"q": [*texts, "a"]}, 400)(tested)


async def hang_up(tested: Tested) -> Result:
    """A client that leaves while its one long sentence is translated, and another that asks at once."""
    return await _two_clients(tested, FREED, leaves=True)


async def turns(tested: Tested) -> Result:
    """A client whose one long sentence is translated, and another that asks meanwhile."""
    return await _two_clients(tested, BESIDE, leaves=False)


async def _two_clients(tested: Tested, measured: str, *, leaves: bool) -> Result:
    letters = 9000 // len(tested.run.run.vocabularies[0].encode(LETTER * 2)) * 2
    async with Connection(tested.address) as connection:
        body = tested.run.request(LETTER * min(letters, Limits.characters), alternatives=Limits.alternatives)
        connection.writer.write(request("/translate", body))
        await connection.writer.drain()
        await asyncio.sleep(0.5)
        if leaves:
            connection.writer.close()
        begun = time.monotonic()
        while (answer := await ask(tested.address, "/translate", tested.run.request("Ein Hund."))).status == 503:
            await asyncio.sleep(0.01)
        seconds = time.monotonic() - begun
    return (None if answer.status == 200 else f"answered with {answer.status}"), {measured: seconds}


async def heavy(tested: Tested) -> Result:
    """Bodies far beyond the limit, all at once."""
    before = memory(tested.server)

    async def one() -> int:
        async with Connection(tested.address) as connection:
            connection.writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % HEAVY + b"a" * HEAVY)
            return (await connection.answer()).status

    statuses = set(await asyncio.gather(*(one() for _ in range(HEAVIES))))
    grown = (memory(tested.server) - before) / 2**20
    fault = (
        f"answered with {statuses}"
        if statuses != {413}
        else f"{grown:.1f} MiB"
        if grown > 2 * HEAVIES * LIMITS.body / 2**20
        else None
    )
    return fault, {GROWN: grown}


async def slow_body(tested: Tested) -> Result:
    """A body that never arrives completely."""
    begun = time.monotonic()
    async with Connection(tested.address) as connection:
        connection.writer.write(HEAD + b"Content-Length: 100\r\n\r\nq=")
        status = (await asyncio.wait_for(connection.answer(), PATIENCE)).status
    return (None if status == 408 else f"answered with {status}"), {LATE: time.monotonic() - begun - LIMITS.reading}


async def silent(tested: Tested) -> Result:
    """A connection without a request."""
    return await _closed(tested, answered=False, sent=b"")


async def halfway(tested: Tested) -> Result:
    """Half a request after a complete one."""
    return await _closed(tested, answered=True, sent=b"POST /translate HTTP/1.1\r\nHost: ")


async def _closed(tested: Tested, *, answered: bool, sent: bytes) -> Result:
    begun = time.monotonic()
    async with Connection(tested.address) as connection:
        if answered and (await connection.ask("/health")).status != 200:
            return "not well", {}
        connection.writer.write(sent)
        data = await asyncio.wait_for(connection.reader.read(), PATIENCE)
    return (f"answered {data[:100]!r}" if data else None), {LATE: time.monotonic() - begun - LIMITS.reading}


async def crowd(tested: Tested) -> Result:
    """As many connections as allowed, and one more."""
    held = [await Connection(tested.address).__aenter__() for _ in range(LIMITS.connections)]
    try:
        status = (await ask(tested.address, "/health")).status
    finally:
        for connection in held:
            connection.writer.close()
    return (None if status == 503 else f"answered with {status}"), {}


async def output(tested: Tested) -> Result:
    """A translation that would be longer than the limit."""
    answer = await ask(tested.address, "/translate", tested.run.request("Ein Hund schläft im Garten.", details=True))
    pieces = len(answer.json["details"][0]["pieces"])
    return (None if pieces <= LIMITS.output else f"{pieces} pieces"), {}


async def deadline(tested: Tested) -> Result:
    """More text than can be translated in time."""
    status = (
        await ask(tested.address, "/translate", tested.run.request(["Ein Hund schläft im Garten. " * 100] * 100))
    ).status
    return (None if status == 504 else f"answered with {status}"), {}


READING = ("--reading", f"{LIMITS.reading}")
CASES: tuple[tuple[str, tuple[str, ...], Callable[[Tested], Coroutine[Any, Any, Result]]], ...] = (
    ("a body", (), body),
    ("characters", (), around({"q": "." * LIMITS.characters}, {"q": "." * (LIMITS.characters + 1)}, 400)),
    ("texts", (), around({"q": ["."] * LIMITS.items}, {"q": ["."] * (LIMITS.items + 1)}, 400)),
    ("alternatives", (), around({"alternatives": LIMITS.alternatives}, {"alternatives": LIMITS.alternatives + 1}, 400)),
    ("bodies far too large", (), heavy),
    ("a client that leaves", (), hang_up),
    ("a client beside a long text", (), turns),
    ("a slow body", READING, slow_body),
    ("a silent connection", READING, silent),
    ("half a request", READING, halfway),
    ("connections", ("--connections", f"{LIMITS.connections}"), crowd),
    ("output", ("--output", f"{LIMITS.output}"), output),
    ("tokens", ("--tokens", f"{LIMITS.tokens}"), tokens),
    ("deadline", ("--deadline", f"{LIMITS.deadline}", "--batch", "16", "--tokens", "1000000"), deadline),
)
"""Name, options of the server, and function of each case."""


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """The first ``count`` cases; those with equal options share a server."""
    with served_runs(runs) as found:
        for options, cases in groupby(islice(CASES, count), key=lambda case: case[1]):
            with serving([found[0].path], *options) as (address, server):
                for name, _, case in cases:
                    yield Trial(name, *asyncio.run(case(Tested(address, server, found[0]))))
