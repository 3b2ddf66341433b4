"""Every limit, one step under and one over: the documented status, and bounded memory.

python -m tools.checks.limits runs/de-en
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.serving.limits import Limits
from tools.checks.client import Address, Answer, Connection, ask, memory, serving, verdict

Findings = dict[str, tuple[Any, bool]]


async def sizes(address: Address, limits: Limits, pair: tuple[str, str]) -> Findings:
    """Body, characters, items and alternatives."""
    good = {"q": "a", "source": pair[0], "target": pair[1]}
    around = len(json.dumps({**good, "x": ""}))
    cases: dict[str, tuple[Any, Any, int]] = {
        "body": ({"x": "b" * (limits.body - around)}, {"x": "b" * (limits.body - around + 1)}, 413),
        "characters": ({"q": "." * limits.characters}, {"q": "." * (limits.characters + 1)}, 400),
        "items": ({"q": ["."] * limits.items}, {"q": ["."] * (limits.items + 1)}, 400),
        "alternatives": ({"alternatives": limits.alternatives}, {"alternatives": limits.alternatives + 1}, 400),
    }
    found: Findings = {}
    for name, (under, over, status) in cases.items():
        statuses = [(await ask(address, "/translate", {**good, **change})).status for change in (under, over)]
        found[name] = (f"{statuses[0]} under, {statuses[1]} over", statuses == [200, status])
    return found


async def times(address: Address, limits: Limits) -> Findings:
    """A body that never ends arriving, a connection that never begins, and a request that does not go on."""
    begun = time.monotonic()
    async with Connection(address) as connection:
        connection.writer.write(b"POST /translate HTTP/1.1\r\nHost: check\r\nContent-Length: 100\r\n\r\nq=")
        slow = (await connection.answer()).status
    seconds = time.monotonic() - begun
    begun = time.monotonic()
    async with Connection(address) as connection:
        closed = await connection.reader.read() == b""
    silent = time.monotonic() - begun
    begun = time.monotonic()
    async with Connection(address) as connection:
        answered = (await connection.ask("/health")).status == 200
        connection.writer.write(b"POST /translate HTTP/1.1\r\nHost: ")
        halted = await connection.reader.read() == b""
    halfway = time.monotonic() - begun
    return {
        "half a head, after an answer": (f"closed after {halfway:.1f} s", answered and halted and halfway < limits.reading + 2),
        "a slow body": (f"{slow} after {seconds:.1f} s", slow == 408 and seconds < limits.reading + 2),
        "a silent connection": (f"closed after {silent:.1f} s", closed and silent < limits.reading + 2),
    }


async def heavy(address: Address, count: int) -> list[Answer]:
    """Bodies far over the limit, one after the other and at once."""

    async def one() -> Answer:
        async with Connection(address) as connection:
            connection.writer.write(b"POST /translate HTTP/1.1\r\nHost: check\r\nContent-Length: 4000000\r\n\r\n" + b"a" * 4_000_000)
            return await connection.answer()

    return list(await asyncio.gather(*(one() for _ in range(count))))


async def crowd(address: Address, limits: Limits) -> Findings:
    """As many connections as allowed, and one more."""
    held = [await Connection(address).__aenter__() for _ in range(limits.connections)]
    try:
        status = (await ask(address, "/health")).status
    except OSError:
        status = 0
    for connection in held:
        connection.writer.close()
    return {"connections": (f"{status} over", status == 503)}


def main(run: Annotated[Path, typer.Argument(help="A run folder.")]) -> None:
    """Steps over every limit."""
    from nmt.runs import Run

    limits = Limits(reading=2, connections=50, output=3, deadline=1)
    data = Run(run).recipe.data
    pair = (data.source, data.target)
    options = ["--reading", str(limits.reading), "--connections", str(limits.connections)]
    with serving([run], *options) as (address, _):
        found = asyncio.run(sizes(address, limits, pair)) | asyncio.run(times(address, limits)) | asyncio.run(crowd(address, limits))
    with serving([run]) as (address, process):
        before = memory(process.pid)
        answers = asyncio.run(heavy(address, 40))
        grown = (memory(process.pid) - before) / 2**20
        found["bodies of 4 MB"] = ({answer.status for answer in answers}, {answer.status for answer in answers} == {413})
        found["memory for 40 of them"] = (f"{grown:.1f} MiB more", grown < 40 * 2 * limits.body / 2**20)
    asked = {"q": "Ein Hund schläft im Garten. " * 100, "source": pair[0], "target": pair[1], "details": True}
    with serving([run], "--output", str(limits.output), "--deadline", str(limits.deadline)) as (address, _):
        details = asyncio.run(ask(address, "/translate", {**asked, "q": "Ein Hund schläft im Garten."})).json["details"]
        found["output"] = (f"{len(details[0]['pieces'])} pieces", len(details[0]["pieces"]) <= limits.output)
    with serving([run], "--deadline", "1", "--batch", "16") as (address, _):
        late = asyncio.run(ask(address, "/translate", {**asked, "q": [asked["q"]] * 100}))
        found["deadline"] = (late.status, late.status == 504)
    raise typer.Exit(verdict(found))


if __name__ == "__main__":
    typer.run(main)
