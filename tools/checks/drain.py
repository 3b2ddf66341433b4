"""SIGTERM under load, many times over: every accepted request is answered, and the server leaves with status 0 in time.

A request counts as accepted if it was sent before the signal. After it, clients may find 503, or no server.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.checks import process
from tools.checks.check import Trial
from tools.checks.client import Address, Connection
from tools.checks.server import serving, step_aside
from tools.checks.subject import Subject, subjects

CLIENTS, SENTENCES = 50, 9
GRACE = 30
"""Seconds that the server gives itself."""
IN_HAND = 0.05
"""Seconds before the signal within which a request may still have lain in the kernel's hands."""
SECONDS = "seconds to leave"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """A server each, stopped at a moment drawn by chance."""
    step_aside()
    with subjects(runs) as found:
        for number in range(count):
            with serving([found[0].path], "--grace", str(GRACE)) as (address, server):
                yield asyncio.run(stopped(address, server, found[0], random.Random(f"drain {number}").uniform(0.5, 3)))


async def stopped(address: Address, server: process.Process, subject: Subject, after: float) -> Trial:
    """Stops a server under load."""
    body = subject.asking(subject.sentences(SENTENCES))
    answered = lost = 0
    signalled: list[float] = []

    async def client() -> None:
        nonlocal answered, lost
        while not signalled:
            sent = time.monotonic()
            try:
                async with Connection(address) as connection:
                    sent = time.monotonic()
                    answer = await connection.ask("/translate", body)
            except OSError:
                lost += not signalled or sent < signalled[0] - IN_HAND
                continue
            answered += answer.status == 200 and len(answer.json["translatedText"]) == len(body["q"])

    async def stop() -> None:
        await asyncio.sleep(after)
        while not answered:  # a slow machine may not have come so far
            await asyncio.sleep(0.1)
        signalled.append(time.monotonic())
        os.kill(server.pid or 0, signal.SIGTERM)

    await asyncio.gather(stop(), *(client() for _ in range(CLIENTS)))
    status = await asyncio.to_thread(process.wait, server)
    fault = f"{lost} of {answered + lost} accepted requests lost" if lost else f"exit {status}" if status else None
    return Trial(f"SIGTERM after {after:.2f} s", fault, {SECONDS: time.monotonic() - signalled[0]})
