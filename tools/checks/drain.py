"""SIGTERM under load, many times over: every accepted request is answered, and the server leaves with status 0 in time.

    python -m tools.checks.drain runs/de-en

A request counts as accepted if it was sent before the signal. After it, clients may find 503, or no server.
"""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from tools.checks.client import Address, Connection, serving, verdict

TEXTS = ["Ein Hund schläft.", "Die Frau liest ein Buch.", "Zwei Kinder spielen im Park."]


async def stopped(address: Address, process: subprocess.Popen[str], *, clients: int, after: float, pair: tuple[str, str]) -> tuple[int, int, float]:
    """Requests that were answered, those sent before the signal that were not, and the seconds until the server had left."""
    answered = lost = 0
    signalled: list[float] = []

    async def client() -> None:
        nonlocal answered, lost
        while not signalled:
            sent = time.monotonic()
            try:
                async with Connection(address) as connection:
                    sent = time.monotonic()
                    answer = await connection.ask("/translate", {"q": TEXTS * 3, "source": pair[0], "target": pair[1]})
            except OSError:
                # What was sent within a moment of the signal may still have lain in the kernel's hands.
                lost += not signalled or sent < signalled[0] - 0.05
                continue
            answered += answer.status == 200 and len(answer.json["translatedText"]) == 3 * len(TEXTS)

    async def stop() -> None:
        await asyncio.sleep(after)
        signalled.append(time.monotonic())
        process.send_signal(signal.SIGTERM)

    await asyncio.gather(stop(), *(client() for _ in range(clients)))
    await asyncio.to_thread(process.wait, 60)
    return answered, lost, time.monotonic() - signalled[0]


def main(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    times: Annotated[int, typer.Option(min=1)] = 20,
    clients: Annotated[int, typer.Option(min=1)] = 50,
    grace: Annotated[int, typer.Option(min=1, help="Seconds that the server gives itself.")] = 30,
) -> None:
    """Stops a server under load, again and again."""
    from nmt.runs import Run

    data, draw = Run(run).recipe.data, random.Random(1)
    findings: dict[str, tuple[Any, bool]] = {}
    for number in range(times):
        with serving([run], "--grace", str(grace)) as (address, process):
            load = stopped(address, process, clients=clients, after=draw.uniform(0.5, 3), pair=(data.source, data.target))
            answered, lost, seconds = asyncio.run(load)
            good = answered > 0 and not lost and process.returncode == 0 and seconds <= grace
            findings[f"stop {number + 1}"] = (f"{answered} answered, {lost} lost, status {process.returncode} after {seconds:.1f} s", good)
    raise typer.Exit(verdict(findings))


if __name__ == "__main__":
    typer.run(main)
