"""Two hundred clients at once, whose sentences have known translations: lost, wrong and swapped answers, throughput and
memory.

The server, and `nmt translate` for comparison, run on one core; the clients run on the others.
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
from tools.checks.served_run import Known, ServedRun, served_runs
from tools.checks.server import leave_first_core, memory, on_first_core, processor_seconds, serving

CLIENTS = 200
PAUSES = 100
"""Responses 503 in a row after which a client gives up."""
RATE, TAIL, GROWTH = "times as long as nmt translate", "p99 over clients / rate", "memory over that after a quarter"
COMPUTED = "processor time over that of nmt translate"
SPENT = "spent.json"


@dataclass
class Seen:
    """What the clients saw."""

    trials: list[Trial] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From request to translation, without refused attempts."""
    elapsed: float = 0.0

    @property
    def seconds_per_sentence(self) -> float:
        """Seconds per sentence."""
        return self.elapsed / len(self.trials)

    def quantile(self, share: float) -> float:
        """A quantile of the seconds to an answer."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] if self.seconds else 0.0


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """One request each; the last trial carries the measurements."""
    with served_runs(runs) as found:
        served, clients = found[0], min(CLIENTS, max(1, count // 4))
        known = served.known(count)
        command = time_command(served, known)
        leave_first_core()
        with serving([served.path]) as (address, server):
            first = asyncio.run(send_all(address, served, known[: count // 4], clients))
            before, computed = memory(server), processor_seconds(server)
            seen = asyncio.run(send_all(address, served, known[count // 4 :], clients))
            growth, computing = memory(server) / before, (processor_seconds(server) - computed) / len(seen.trials)
        yield from first.trials
        yield from seen.trials[:-1]
        measured = {TAIL: seen.quantile(0.99) / (clients * seen.seconds_per_sentence), GROWTH: growth}
        if min(command) > 0:  # on a busy machine, loading alone may take longer than loading and translating
            measured |= {RATE: seen.seconds_per_sentence / command.seconds, COMPUTED: computing / command.computing}
        yield seen.trials[-1]._replace(measured=measured)


async def send_all(address: Address, served: ServedRun, known: Sequence[Known], clients: int) -> Seen:
    """Sends all sentences with ``clients`` clients; a refused request is sent again after Retry-After."""
    seen, work, begun = Seen(), iter(known), time.monotonic()

    async def client() -> None:
        async with Connection(address) as connection:
            for each in work:
                fault = await _fault(connection, served, each, seen)
                seen.trials.append(Trial(each.sentence, fault))

    await asyncio.gather(*(client() for _ in range(clients)))
    seen.elapsed = time.monotonic() - begun
    return seen


async def _fault(connection: Connection, served: ServedRun, known: Known, seen: Seen) -> str | None:
    for _ in range(PAUSES):
        asked = time.monotonic()
        try:
            answer = await connection.ask("/translate", served.request(known.sentence))
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


class CommandTime(NamedTuple):
    """The time of `nmt translate` per sentence, without loading."""

    seconds: float
    computing: float
    """Seconds of processor time."""


def time_command(served: ServedRun, known: Sequence[Known]) -> CommandTime:
    """Times the command on all sentences and on a single one, and subtracts."""
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        folder = Path(name)
        loading, whole = (_timed(folder, served, known[:number]) for number in (1, len(known)))
        return CommandTime(*((taken - spent) / len(known) for taken, spent in zip(whole, loading, strict=True)))


def _timed(folder: Path, served: ServedRun, known: Sequence[Known]) -> tuple[float, float]:
    (folder / "in.txt").write_text("".join(f"{each.sentence}\n" for each in known), "utf8")
    begun = time.monotonic()
    status = process.finish(
        folder,
        "translate",
        str(served.path),
        "-i",
        "in.txt",
        "-o",
        "out.txt",
        prelude=partial(_accounted, folder, on_first_core()),
    )
    assert status == 0, process.stderr_lines(folder)
    return time.monotonic() - begun, float(json.loads((folder / SPENT).read_text()))


def _accounted(folder: Path, first: process.Prelude) -> None:
    """A prelude that writes the processor time of the process when it ends."""
    first()

    def note() -> None:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        (folder / SPENT).write_text(json.dumps(spent.ru_utime + spent.ru_stime))

    multiprocessing.util.Finalize(None, note, exitpriority=1)
