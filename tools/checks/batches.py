"""Sentences are translated alone and in mixed batches of 2 to 64 with beam 5: the same text, or nearly equal scores."""

from __future__ import annotations

from collections.abc import Iterator

import nmt
from nmt.data.builtin import pairs
from nmt.lab.bench import batching
from tools.checks import toy
from tools.checks.check import Trial

BEAM = 5


def trials(count: int) -> Iterator[Trial]:
    """A trial is one sentence translated by all families."""
    sentences = [source for source, _ in pairs("train", count=count)]
    with toy.toys(("fp32",)) as toys:
        for found in zip(*(_pairs(each, sentences) for each in toys), strict=True):
            yield _trial(*found)


def _pairs(trained: toy.Toy, sentences: list[str]) -> list[batching.Pair]:
    assert trained.train() == 0, trained.stderr_lines
    translator = nmt.load(trained.run, beam=BEAM, max_ratio=2.0, max_extra=20, keep_weights=False)
    return list(batching.pairs(translator, sentences))


def _trial(*found: batching.Pair) -> Trial:
    differing = [
        f"{family}: {pair.alone.text!r} alone, {pair.together.text!r} in company"
        for family, pair in zip(toy.FAMILIES, found, strict=True)
        if not pair.same
    ]
    measured = {"nats between scores": max(pair.difference for pair in found)}
    return Trial(found[0].alone.source, "; ".join(differing) or None, measured)
