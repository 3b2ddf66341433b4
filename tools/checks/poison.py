"""One request in every batch makes the model fail: it alone is answered with 500, and all its neighbours are right."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nmt.serving.admission import Limits
from nmt.serving.batcher import Compute, Job
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from tools.checks.check import Trial
from tools.checks.client import Address, ask
from tools.checks.server import listening
from tools.checks.subject import Known, Subject, subjects

MARK = "poisoned"
EVERY = 20
"""Neighbours of each poisoned request."""


class Fragile(ServedModel):
    """A real model that fails on every batch in which a marked sentence stands."""

    spoilt = 0
    """Batches that failed with neighbours in them."""

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        """The work of the real model, unless a neighbour breaks it."""
        work = super().translation_job(sentence, alternatives, details)
        return work._replace(compute=self._fragile(work.compute))

    @cache  # noqa: B019 - the model lives as long as the check; batches are of equal computes
    def _fragile(self, compute: Compute) -> Compute:
        def broken(texts: Sequence[str]) -> Sequence[Any]:
            if any(MARK in text for text in texts):
                self.spoilt += len(texts) > 1
                raise RuntimeError
            return compute(texts)

        return broken


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """So many neighbours, a poisoned request for every few of them, and whether they met."""
    with subjects(runs) as found:
        subject = found[0]
        model, known = Fragile(subject.run, "fragile", Limits().output), subject.known(count)
        with listening(Service(Models([model]), Limits(), None)) as address:
            for start in range(0, count, EVERY):
                yield from asyncio.run(poisoned(address, subject, known[start : start + EVERY]))
        yield Trial(
            "poisoned requests in one batch with others",
            None if model.spoilt else "there was none, so nothing was put to the test",
        )


async def poisoned(address: Address, subject: Subject, known: Sequence[Known]) -> list[Trial]:
    """Asks for some sentences and a poisoned one at once."""

    async def one(sentence: str, expected: str | None) -> Trial:
        answer = await ask(address, "/translate", subject.asking(sentence))
        if expected is None:
            return Trial(sentence, None if answer.status == 500 else f"answered with {answer.status}")
        right = answer.status == 200 and answer.json["translatedText"] == expected
        return Trial(sentence, None if right else f"beside a poisoned one: {answer.status} {answer.body[:100]!r}")

    return list(await asyncio.gather(one(f"{MARK} {known[0].sentence}", None), *(one(*each) for each in known)))
