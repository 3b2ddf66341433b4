"""One short sentence after the other on an idle server: how much slower is that than the model itself?"""

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
from tools.checks.server import kept_like_a_server, serving
from tools.checks.subject import Subject, subjects

WARMING = 5
"""Requests that are made beforehand."""
ADDED = "milliseconds added to the model's own"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """A request each, and at the end the difference between the medians of server and model."""
    with subjects(runs) as found:
        subject = found[0]
        known = subject.known(1) * (WARMING + count)
        with serving([subject.path]) as (address, _), kept_like_a_server():
            each = asyncio.run(asked(address, subject, known[0].sentence, len(known)))[WARMING:]
        faults = [None if one.text == known[0].translation else f"found {one.text!r}" for one in each]
        *first, last = (Trial(known[0].sentence, fault) for fault in faults)
        yield from first
        yield last._replace(
            measured={ADDED: 1000 * (median(one.served for one in each) - median(one.alone for one in each))}
        )


class Answer(NamedTuple):
    """What a server answered, and the seconds that it and the model took."""

    text: str
    served: float
    alone: float


async def asked(address: Address, subject: Subject, sentence: str, count: int) -> list[Answer]:
    """So many answers, model and server in turn: a core is slower in one minute than in the next."""
    translator = nmt.load(subject.path, keep_weights=False)
    answers = []
    async with Connection(address) as connection:
        for _ in range(count):
            begun = time.perf_counter()
            translator.translate(sentence)
            between = time.perf_counter()
            answer = await connection.ask("/translate", subject.asking(sentence))
            text = answer.json.get("translatedText", f"status {answer.status}")
            answers.append(Answer(text, time.perf_counter() - between, between - begun))
    return answers
