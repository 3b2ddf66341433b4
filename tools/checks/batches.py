"""Sentences translated alone and in mixed batches of 2 to 64, beam 5, by models of every family: the same text, or as good as the same score."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import nmt
from nmt.evaluation import batching
from nmt.text.builtin.corpus import pairs
from tools.checks import process, toy
from tools.checks.check import Check, Trial, run

BEAM = 5


def trials(count: int) -> Iterator[Trial]:
    """A trial is a sentence by every family, so that a count of sentences is a count of trials."""
    with tempfile.TemporaryDirectory(prefix="nmt-batches-") as name:
        folder = Path(name)
        toy.write(folder)
        sentences = [source for source, _ in pairs("train", count=count)]
        for found in zip(*(_pairs(folder, family, sentences) for family in toy.MODELS), strict=True):
            yield _trial(*found)


def _pairs(folder: Path, family: str, sentences: list[str]) -> list[batching.Pair]:
    run = family.replace(" ", "-")
    status, said = process.finish(folder, "train", toy.recipe(family), "--run", run)
    assert status == 0, said
    translator = nmt.load(folder / run, beam=BEAM, max_ratio=2.0, max_extra=20, keep_weights=False)
    return list(batching.pairs(translator, sentences))


def _trial(*found: batching.Pair) -> Trial:
    differing = [
        f"{family}: {pair.alone.text!r} alone, {pair.together.text!r} in company"
        for family, pair in zip(toy.MODELS, found, strict=True)
        if not pair.same
    ]
    measured = {"nats between scores": max(pair.difference for pair in found)}
    return Trial(found[0].alone.source, "; ".join(differing) or None, measured)


CHECK = Check(
    number=11,
    name="batches",
    promise="A sentence has the same translation alone and in any batch, in fp32, but for one in a thousand, whose two translations are as probable.",
    held="translated alike",
    full=1_000,
    trials=trials,
    share=0.999,
)

if __name__ == "__main__":
    run(CHECK)
