"""One request in every batch makes the model fail: it alone is answered with 500, and the others are correct."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nmt.serving.admission import Limits
from nmt.serving.batcher import Cancelled, Compute, Job
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from tools.checks.check import Trial
from tools.checks.client import Address, ask
from tools.checks.served_run import Known, ServedRun, served_runs
from tools.checks.server import listening

MARK = "poisoned"
EVERY = 20
"""Other requests for each poisoned one."""


class Fragile(ServedModel):
    """A real model that fails on every batch with a marked sentence."""

    failed_batches = 0
    """Failed batches of more than one sentence."""

    def translation_job(self, sentence: str, alternatives: int, details: bool) -> Job:
        """The job of the real model, which fails if a marked sentence is in its batch."""
        job = super().translation_job(sentence, alternatives, details)
        return job._replace(compute=self._fragile(job.compute))

    @cache  # noqa: B019 - the model lives as long as the check; one function for each, so that jobs share batches
    def _fragile(self, compute: Compute) -> Compute:
        def broken(texts: Sequence[str], cancelled: Cancelled) -> Sequence[Any]:
            if any(MARK in text for text in texts):
                self.failed_batches += len(texts) > 1
                raise RuntimeError
            return compute(texts, cancelled)

        return broken


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """``count`` requests with a poisoned one for every few, and whether they shared batches."""
    with served_runs(runs) as found:
        served = found[0]
        model, known = Fragile(served.run, "fragile", Limits().output), served.known(count)
        with listening(Service(Models([model]), Limits(), None)) as address:
            for start in range(0, count, EVERY):
                yield from asyncio.run(poisoned(address, served, known[start : start + EVERY]))
        yield Trial(
            "poisoned requests in one batch with others",
            None if model.failed_batches else "there was none, so nothing was tested",
        )


async def poisoned(address: Address, served: ServedRun, known: Sequence[Known]) -> list[Trial]:
    """Sends some sentences and a poisoned one at once."""

    async def one(sentence: str, expected: str | None) -> Trial:
        answer = await ask(address, "/translate", served.request(sentence))
        if expected is None:
            return Trial(sentence, None if answer.status == 500 else f"answered with {answer.status}")
        right = answer.status == 200 and answer.json["translatedText"] == expected
        return Trial(sentence, None if right else f"beside a poisoned one: {answer.status} {answer.body[:100]!r}")

    return list(await asyncio.gather(one(f"{MARK} {known[0].sentence}", None), *(one(*each) for each in known)))
