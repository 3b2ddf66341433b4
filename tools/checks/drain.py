"""SIGTERM under load: every accepted request is answered, and the server exits with status 0 in time.

A request counts as accepted if it was sent before the signal. Later ones may get 503 or no connection.
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
from tools.checks.served_run import ServedRun, served_runs
from tools.checks.server import leave_first_core, serving

CLIENTS, SENTENCES = 50, 9
GRACE = 30
"""Seconds of the server's option --grace."""
IN_FLIGHT = 0.05
"""Seconds before the signal in which a request may not have left the kernel's buffers yet."""
SECONDS = "seconds to leave"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """One server each, stopped at a random moment."""
    leave_first_core()
    with served_runs(runs) as found:
        for number in range(count):
            with serving([found[0].path], "--grace", str(GRACE)) as (address, server):
                yield asyncio.run(
                    stop_under_load(address, server, found[0], random.Random(f"drain {number}").uniform(0.5, 3))
                )


async def stop_under_load(address: Address, server: process.Process, served: ServedRun, after: float) -> Trial:
    """Sends SIGTERM to a server under load."""
    body = served.request(served.sentences(SENTENCES))
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
                lost += not signalled or sent < signalled[0] - IN_FLIGHT
                continue
            answered += answer.status == 200 and len(answer.json["translatedText"]) == len(body["q"])

    async def stop() -> None:
        await asyncio.sleep(after)
        while not answered:  # on a slow machine there may be no answer yet
            await asyncio.sleep(0.1)
        signalled.append(time.monotonic())
        os.kill(server.pid or 0, signal.SIGTERM)

    await asyncio.gather(stop(), *(client() for _ in range(CLIENTS)))
    status = await asyncio.to_thread(process.wait, server)
    fault = f"{lost} of {answered + lost} accepted requests lost" if lost else f"exit {status}" if status else None
    return Trial(f"SIGTERM after {after:.2f} s", fault, {SECONDS: time.monotonic() - signalled[0]})
