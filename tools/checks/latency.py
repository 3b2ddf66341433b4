"""One short sentence after another on an idle server: the time that the server adds to the model's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import nmt
from tools.checks.check import Trial
from tools.checks.client import Address, Connection
from tools.checks.served_run import ServedRun, served_runs
from tools.checks.server import on_server_core, serving

WARM_UP = 5
"""Requests that are not measured."""
ADDED = "milliseconds added to the model's own"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """One request each; the last trial carries the difference between the medians of server and model."""
    with served_runs(runs) as found:
        served = found[0]
        known = served.known(1) * (WARM_UP + count)
        with serving([served.path]) as (address, _), on_server_core():
            each = asyncio.run(ask_in_turn(address, served, known[0].sentence, len(known)))[WARM_UP:]
        faults = [None if one.text == known[0].translation else f"found {one.text!r}" for one in each]
        *first, last = (Trial(known[0].sentence, fault) for fault in faults)
        yield from first
        yield last._replace(
            measured={ADDED: 1000 * (median(one.served for one in each) - median(one.alone for one in each))}
        )


class TimedAnswer(NamedTuple):
    """An answer of a server, and the seconds that server and model took."""

    text: str
    served: float
    alone: float


async def ask_in_turn(address: Address, served: ServedRun, sentence: str, count: int) -> list[TimedAnswer]:
    """Asks model and server in turn, since the speed of a core changes from minute to minute."""
    translator = nmt.load(served.path, keep_weights=False)
    answers = []
    async with Connection(address) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            translator.translate(sentence)
            between = time.perf_counter()
            answer = await connection.ask("/translate", served.request(sentence))
            text = answer.json.get("translatedText", f"status {answer.status}")
            answers.append(TimedAnswer(text, time.perf_counter() - between, between - begun))
    return answers
