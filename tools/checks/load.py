"""Two hundred clients at once, each with sentences of its own whose translations are known: is anything lost, wrong or swapped, and how fast is it?

Server and `nmt translate`, with which it is compared, run on one core, and the clients on the others.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing.util
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tools.checks import process
from tools.checks.check import Trial
from tools.checks.client import Address, Connection
from tools.checks.server import memory, on_first_core, processor, serving, step_aside
from tools.checks.subject import Known, Subject, subjects

CLIENTS = 200
PAUSES = 100
"""503s in a row after which a client gives up."""
RATE, TAIL, GROWTH = "times as long as nmt translate", "p99 over clients / rate", "memory over that after a quarter"
COMPUTED = "processor time over that of nmt translate"
SPENT = "spent.json"


@dataclass
class Seen:
    """What the clients saw."""

    trials: list[Trial] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From request to translation, 503s not counted."""
    elapsed: float = 0.0

    @property
    def pace(self) -> float:
        """Seconds for a sentence."""
        return self.elapsed / len(self.trials)

    def quantile(self, share: float) -> float:
        """Seconds within which so many requests were answered."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] if self.seconds else 0.0


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """A request each, and what they took together at the end."""
    with subjects(runs) as found:
        subject, clients = found[0], min(CLIENTS, max(1, count // 4))
        known = subject.known(count)
        command = translated(subject, known)
        step_aside()
        with serving([subject.path]) as (address, server):
            first = asyncio.run(hammer(address, subject, known[: count // 4], clients))
            before, computed = memory(server), processor(server)
            seen = asyncio.run(hammer(address, subject, known[count // 4 :], clients))
            growth, computing = memory(server) / before, (processor(server) - computed) / len(seen.trials)
        yield from first.trials
        yield from seen.trials[:-1]
        measured = {TAIL: seen.quantile(0.99) / (clients * seen.pace), GROWTH: growth}
        if min(command) > 0:  # on a busy machine loading may seem to take longer than loading and translating
            measured |= {RATE: seen.pace / command.seconds, COMPUTED: computing / command.computing}
        yield seen.trials[-1]._replace(measured=measured)


async def hammer(address: Address, subject: Subject, known: Sequence[Known], clients: int) -> Seen:
    """Clients that ask as fast as they are answered, until everything has been asked; what is 503 is asked again when the server says so."""
    seen, work, begun = Seen(), iter(known), time.monotonic()

    async def client() -> None:
        async with Connection(address) as connection:
            for each in work:
                fault = await _fault(connection, subject, each, seen)
                seen.trials.append(Trial(each.sentence, fault))

    await asyncio.gather(*(client() for _ in range(clients)))
    seen.elapsed = time.monotonic() - begun
    return seen


async def _fault(connection: Connection, subject: Subject, known: Known, seen: Seen) -> str | None:
    for _ in range(PAUSES):
        asked = time.monotonic()
        try:
            answer = await connection.ask("/translate", subject.asking(known.sentence))
        except OSError as error:
            await connection.__aenter__()
            return f"lost: {error}"
        if answer.status != 503:
            break
        await asyncio.sleep(float(answer.headers["retry-after"]))
    seen.seconds.append(time.monotonic() - asked)
    if answer.status != 200:
        return f"answered with {answer.status}"
    text = answer.json["translatedText"]
    return None if text == known.translation else f"expected {known.translation!r}, found {text!r}"


class Command(NamedTuple):
    """What `nmt translate` takes for a sentence, once it has loaded."""

    seconds: float
    computing: float
    """Of the processor."""


def translated(subject: Subject, known: Sequence[Known]) -> Command:
    """Translates with the command, and a single sentence, to know how long it takes to load."""
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        folder = Path(name)
        loading, whole = (_timed(folder, subject, known[:number]) for number in (1, len(known)))
        return Command(*((taken - spent) / len(known) for taken, spent in zip(whole, loading, strict=True)))


def _timed(folder: Path, subject: Subject, known: Sequence[Known]) -> tuple[float, float]:
    (folder / "in.txt").write_text("".join(f"{each.sentence}\n" for each in known), "utf8")
    begun = time.monotonic()
    status = process.finish(
        folder,
        "translate",
        str(subject.path),
        "-i",
        "in.txt",
        "-o",
        "out.txt",
        prelude=partial(_accounted, folder, on_first_core()),
    )
    assert status == 0, process.said(folder)
    return time.monotonic() - begun, float(json.loads((folder / SPENT).read_text()))


def _accounted(folder: Path, first: process.Prelude) -> None:
    """For a process of its own: notes at the end how many seconds it has computed."""
    first()

    def note() -> None:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        (folder / SPENT).write_text(json.dumps(spent.ru_utime + spent.ru_stime))

    multiprocessing.util.Finalize(None, note, exitpriority=1)
