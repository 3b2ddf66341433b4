"""One short sentence after the other on an idle server: how much slower is that than the model itself?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import nmt
from tools.checks.check import Check, Trial, run
from tools.checks.client import Address, Connection
from tools.checks.server import serving
from tools.checks.subject import Subject, subjects

WARMING = 5
"""Requests that are made beforehand."""
ADDED = "milliseconds added to the model's own"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """A request each, and at the end the difference between the medians of server and model."""
    with subjects(runs) as found:
        subject = found[0]
        known = subject.known(1) * (WARMING + count)
        alone = _alone(subject, known[0].sentence, len(known))
        with serving([subject.path]) as (address, _):
            texts, served = asyncio.run(asked(address, subject, known[0].sentence, len(known)))
        faults = [None if text == known[0].translation else f"found {text!r}" for text in texts[WARMING:]]
        *first, last = (Trial(known[0].sentence, fault) for fault in faults)
        yield from first
        yield last._replace(measured={ADDED: 1000 * (median(served[WARMING:]) - median(alone[WARMING:]))})


def _alone(subject: Subject, sentence: str, count: int) -> list[float]:
    """Seconds that the model takes each time."""
    translator, taken = nmt.load(subject.path, keep_weights=False), []
    for _ in range(count):
        begun = time.perf_counter()
        translator.translate(sentence)
        taken.append(time.perf_counter() - begun)
    return taken


async def asked(address: Address, subject: Subject, sentence: str, count: int) -> tuple[list[str], list[float]]:
    """The answer to each request, and its seconds."""
    texts, taken = [], []
    async with Connection(address) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            answer = await connection.ask("/translate", subject.asking(sentence))
            taken.append(time.perf_counter() - begun)
            texts.append(answer.json.get("translatedText", f"status {answer.status}"))
    return texts, taken


CHECK = Check(
    number=23,
    name="latency",
    promise="A sentence that nobody else competes with is answered within 5 ms of the time that the model itself takes.",
    held="answered rightly",
    full=300,
    trials=trials,
    of_runs=True,
    bounds={ADDED: 5.0},
)

if __name__ == "__main__":
    run(CHECK)
