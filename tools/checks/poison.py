"""One request in every batch makes the model fail: it alone is answered with 500, and all its neighbours are right.

python -m tools.checks.poison runs/de-en
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.runs import Run
from nmt.serving.app import build
from nmt.serving.batcher import Work
from nmt.serving.limits import Limits
from nmt.serving.models import Models, Served
from nmt.serving.server import listen, prepared
from nmt.serving.service import Service
from tools.checks.client import Address, ask, verdict
from tools.checks.load import sentences_of

MARK = "poisoned"


class Fragile(Served):
    """A real model that fails on every batch in which a marked sentence stands."""

    def translation(self, sentence: str, alternatives: int, details: bool) -> Work:
        """The work of the real model, unless a neighbour breaks it."""
        work = super().translation(sentence, alternatives, details)
        return work._replace(compute=self._fragile(work.compute))

    def _fragile(self, compute: Any) -> Any:
        if not hasattr(self, "_broken"):
            self.spoilt = 0

            def broken(texts: Sequence[str]) -> Sequence[Any]:
                if any(MARK in text for text in texts):
                    self.spoilt += len(texts) > 1
                    raise RuntimeError
                found: Sequence[Any] = compute(texts)
                return found

            self._broken = broken
        return self._broken


@contextmanager
def listening(service: Service) -> Iterator[Address]:
    """The service on loopback, in a thread of this process."""
    with listen("127.0.0.1", 0) as bound:
        address = Address(*bound.getsockname())
        server = prepared(build(service), service)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield address
        server.should_exit = True
        thread.join()


async def poisoned(address: Address, known: Sequence[tuple[str, str]], *, every: int, pair: tuple[str, str]) -> Counter[str]:
    """Asks for all sentences at once in groups, one marked among each so many; how often each was as it should be."""
    found = Counter[str]()

    async def one(sentence: str, expected: str | None) -> None:
        answer = await ask(address, "/translate", {"q": sentence, "source": pair[0], "target": pair[1]})
        if expected is None:
            found["poisoned, 500" if answer.status == 500 else "poisoned, not 500"] += 1
        else:
            found["neighbour, right" if answer.status == 200 and answer.json["translatedText"] == expected else "neighbour, wrong"] += 1

    for start in range(0, len(known), every):
        group = known[start : start + every]
        await asyncio.gather(one(f"{MARK} {start}", None), *(one(*each) for each in group))
    return found


def main(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    count: Annotated[int, typer.Option(min=1, help="Neighbours.")] = 1000,
    every: Annotated[int, typer.Option(min=1, help="Neighbours of each poisoned request.")] = 20,
) -> None:
    """Poisons batches."""
    opened = Run(run)
    model = Fragile(opened, "fragile", Limits().output)
    asked = sentences_of(None, model.source, count)
    from nmt import load

    known = [(each.source, each.text) for each in load(run).translate(asked)]
    with listening(Service(Models([model]), Limits(), None)) as address:
        found = asyncio.run(poisoned(address, known, every=every, pair=(model.source, model.target)))
    right = found["neighbour, right"]
    raise typer.Exit(
        verdict(
            {
                "neighbours right": (f"{right} of {len(known)}", right == len(known)),
                "poisoned requests": (dict(found), not found["poisoned, not 500"]),
                "batches spoilt": (model.spoilt, model.spoilt > 0),
            }
        )
    )


if __name__ == "__main__":
    typer.run(main)
