"""One short sentence after the other on an idle server: how much slower is that than the model itself?

    python -m tools.checks.latency runs/de-en

On a busy machine the times mean nothing.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from tools.checks.client import Address, Connection, serving, verdict

BOUND = 0.005
TEXT = "Ein Hund schläft."


async def asked(address: Address, count: int, pair: tuple[str, str]) -> list[float]:
    """Seconds of each request."""
    taken = []
    async with Connection(address) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            await connection.ask("/translate", {"q": TEXT, "source": pair[0], "target": pair[1]})
            taken.append(time.perf_counter() - begun)
    return taken


def main(run: Annotated[Path, typer.Argument(help="A run folder.")], count: Annotated[int, typer.Option(min=10)] = 300) -> None:
    """Compares a server with its model."""
    from nmt import load

    translator = load(run, keep_weights=False)
    own = []
    for _ in range(count):
        begun = time.perf_counter()
        translator.translate(TEXT)
        own.append(time.perf_counter() - begun)
    from nmt.runs import Run

    data = Run(run).recipe.data
    with serving([run]) as (address, _):
        served = asyncio.run(asked(address, count, (data.source, data.target)))
    alone, whole = median(own[10:]), median(served[10:])
    raise typer.Exit(verdict({"p50 (ms)": (f"{1000 * whole:.1f}, the model alone {1000 * alone:.1f}", whole - alone <= BOUND)}))


if __name__ == "__main__":
    typer.run(main)
