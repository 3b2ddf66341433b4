"""Two hundred clients at once, each with sentences of its own whose translations are known: is anything lost, wrong or swapped, and how fast is it?

    python -m tools.checks.load runs/de-en --input sentences.de

The server and `nmt translate`, with which it is compared, run on one core and the clients on another. On a busy machine the times mean nothing.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from tools.checks.client import Address, Connection, memory, pinned, processor, serving, verdict

GROWTH, SHARE, PATIENCE = 1.05, 0.8, 2.0
"""Bounds: memory at the end over that after a quarter, rate over that of `nmt translate`, p99 over Little's law."""


@dataclass
class Seen:
    """What the clients saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    """Sentence, expected and found."""
    lost: int = 0
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        """Sentences a second."""
        return self.statuses[200] / self.elapsed

    def quantile(self, share: float) -> float:
        """Seconds within which so many requests were answered."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))]


async def hammer(address: Address, known: Sequence[tuple[str, str]], *, clients: int, seconds: float, pair: tuple[str, str]) -> Seen:
    """Clients that ask as fast as they are answered; what is 503 is asked again when the server says so."""
    seen, work, begun = Seen(), iter(_endless(known)), time.monotonic()

    async def client() -> None:
        async with Connection(address) as connection:
            while time.monotonic() < begun + seconds:
                await _once(connection, *next(work), pair, seen)

    await asyncio.gather(*(client() for _ in range(clients)))
    seen.elapsed = time.monotonic() - begun
    return seen


async def _once(connection: Connection, sentence: str, expected: str, pair: tuple[str, str], seen: Seen) -> None:
    asked = time.monotonic()
    try:
        answer = await connection.ask("/translate", {"q": sentence, "source": pair[0], "target": pair[1]})
    except OSError:
        seen.lost += 1
        await connection.__aenter__()
        return
    seen.statuses[answer.status] += 1
    if answer.status == 503:
        await asyncio.sleep(float(answer.headers["retry-after"]))
    elif answer.status == 200:
        seen.seconds.append(time.monotonic() - asked)
        if (found := answer.json["translatedText"]) != expected:
            seen.wrong.append((sentence, expected, found))


def _endless(known: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    while True:
        yield from known


class Command(NamedTuple):
    """What `nmt translate` makes of sentences."""

    texts: list[str]
    rate: float
    """Sentences a second, once it has loaded."""
    computing: float
    """Seconds of the processor for a sentence."""


def translated(run: Path, sentences: Sequence[str], core: int | None) -> Command:
    """Translates with the command, and once more a single sentence, to know how long it takes to load."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")

        def timed(lines: Sequence[str]) -> tuple[float, float]:
            source.write_text("".join(f"{line}\n" for line in lines), "utf8")
            begun, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(
                [*pinned(core), sys.executable, "-m", "nmt", "translate", str(run), "-q", "-i", str(source), "-o", str(target)], check=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return time.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        loading = min(timed(sentences[:1]) for _ in range(2))
        whole = timed(sentences)
        seconds, computing = (taken - spent for taken, spent in zip(whole, loading, strict=True))
        return Command(target.read_text("utf8").split("\n")[:-1], len(sentences) / seconds, computing / len(sentences))


def sentences_of(path: Path | None, source: str, count: int) -> list[str]:
    """Different sentences of a file, or of the built-in corpus, none of which the server would take for two."""
    from nmt.serving.passages import Passage
    from nmt.text.builtin.corpus import pairs

    found = path.read_text("utf8").split("\n") if path else [source for source, _ in pairs("train", source, count=count)]
    return [each for each in dict.fromkeys(found) if Passage(each).sentences == [each]][:count]


def main(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    input: Annotated[Path | None, typer.Option("--input", help="Sentences, one a line; by default those of the built-in corpus.")] = None,
    clients: Annotated[int, typer.Option(min=1)] = 200,
    seconds: Annotated[float, typer.Option(min=1)] = 60,
    sentences: Annotated[int, typer.Option(min=1, help="How many to take at most.")] = 10_000,
    core: Annotated[int | None, typer.Option(help="Of server and command.")] = None,
    clients_core: Annotated[int | None, typer.Option(help="Of the clients.")] = None,
) -> None:
    """Loads a server and says whether it stands it."""
    from nmt.runs import Run

    if clients_core is not None:
        os.sched_setaffinity(0, {clients_core})
    data = Run(run).recipe.data
    asked = sentences_of(input, data.source, sentences)
    command = translated(run, asked, core)
    known = list(zip(asked, command.texts, strict=True))
    with serving([run], core=core) as (address, process):
        pair = (data.source, data.target)
        asyncio.run(hammer(address, known, clients=clients, seconds=seconds / 4, pair=pair))
        before, computed = memory(process.pid), processor(process.pid)
        seen = asyncio.run(hammer(address, known, clients=clients, seconds=seconds, pair=pair))
        growth, computing = memory(process.pid) / before, (processor(process.pid) - computed) / seen.statuses[200]
    found = findings(seen, clients, command.rate, growth)
    ratio = f"{1000 * computing:.1f}, {computing / command.computing:.2f} times the {1000 * command.computing:.1f} of nmt translate"
    raise typer.Exit(verdict({**found, "milliseconds of the processor for a sentence": (ratio, True)}))


def findings(seen: Seen, clients: int, rate: float, growth: float) -> dict[str, tuple[Any, bool]]:
    """What was seen, and whether it is good enough."""
    bound = PATIENCE * clients / seen.rate
    other = {status for status in seen.statuses if status not in (200, 503)}
    return {
        "requests by status": (dict(seen.statuses), not other and bool(seen.statuses[200])),
        "lost": (seen.lost, not seen.lost),
        "wrong or swapped": (f"{len(seen.wrong)} {seen.wrong[:3]}", not seen.wrong),
        "sentences a second": (f"{seen.rate:.1f}, {seen.rate / rate:.2f} of the {rate:.1f} of nmt translate", seen.rate >= SHARE * rate),
        "p50, p99 (s)": (f"{seen.quantile(0.5):.3f}, {seen.quantile(0.99):.3f}, at most {bound:.3f}", seen.quantile(0.99) <= bound),
        "memory at the end": (f"{growth:.3f} of that at the beginning", growth <= GROWTH),
    }


if __name__ == "__main__":
    typer.run(main)
