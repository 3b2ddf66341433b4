"""Packed test sets: the same sentences k at a time, the outputs of single sentences joined the same way, and quality by place within the pack.

A pack is translated whole, so its output has to be cut before one can ask which of its sentences were lost. It is cut where the cheapest
monotone alignment with the reference crosses from one sentence into the next (Matusov et al. 2005, "Evaluating Machine Translation Output
with Automatic Sentence Segmentation"), not at full stops, which a bad output may lack or repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nmt.data import concatenation
from nmt.errors import UserError
from nmt.evaluation import metrics
from nmt.evaluation.testsets import TestSet

SKIP, OPEN, REPLACE = 2, 1, 4
"""Costs of the alignment, in half words: to leave out or to add a word, to begin doing so, and to put another word in its place.

Words left out together cost less than words left out here and there, and a wrong word no less than two gaps: plain edit distance would
scatter what little there is of one sentence over a pack wherever a word happens to agree.
"""
_NEVER = 1 << 40


@dataclass(frozen=True, kw_only=True)
class BackPointers:
    """chrF2 of all sentences that are number ``position`` of their packs, from 1; the last pack may have none there."""

    position: int
    sentences: int
    chrf: metrics.Score

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def pack(test: TestSet, size: int) -> TestSet:
    """The test set with its sentences ``size`` at a time, named ``NAME.packSIZE``; the last pack takes what is left."""
    if not 1 <= size <= len(test.source):
        raise UserError(f"test set {test.name}: {len(test.source)} sentences, which cannot be packed {size} at a time")
    return TestSet(f"{test.name}.pack{size}", join(test.source, size), join(test.references, size))


def join(lines: Sequence[str], size: int) -> list[str]:
    """Lines joined ``size`` at a time: of outputs for single sentences it makes what a model says that never sees more than one at once."""
    return list(concatenation.concatenate_lines(lines, concatenation.consecutive_groups(len(lines), size)))


def by_position(hypotheses: Sequence[str], references: Sequence[str], size: int, *, target: str) -> list[BackPointers]:
    """Quality by place in the pack, of outputs for packs of ``size`` (or their join) against the references of the single sentences."""
    sentences = concatenation.consecutive_groups(len(references), size)
    if len(hypotheses) != len(sentences):
        raise UserError(
            f"{len(hypotheses)} outputs, but {len(references)} references in packs of {size} make {len(sentences)}"
        )
    expected = [[references[row] for row in rows] for rows in sentences]
    found = [cut(hypothesis, parts) for hypothesis, parts in zip(hypotheses, expected, strict=True)]
    return [_position(place, found, expected, target) for place in range(len(expected[0]))]


def _position(place: int, found: list[list[str]], expected: list[list[str]], target: str) -> BackPointers:
    metric = metrics.METRICS["chrf"](target)
    hypotheses, references = ([parts[place] for parts in side if place < len(parts)] for side in (found, expected))
    result = metric.corpus_score(hypotheses, [references])
    score = metrics.Score(name=result.name, value=float(result.score), signature=str(metric.get_signature()))
    return BackPointers(position=place + 1, sentences=len(references), chrf=score)


def cut(hypothesis: str, parts: Sequence[str]) -> list[str]:
    """The hypothesis in as many pieces as there are parts of the reference, in order and with every word in one of them; some may be empty.

    Words go where the words of the reference stand that they are aligned with. Where several cuts are equally cheap, as before and after a
    word that was added between two sentences, it is in the middle between the first and the last of them, so that neither end is favoured.
    """
    words, sides = hypothesis.split(), [part.split() for part in parts]
    ends = np.cumsum([len(side) for side in sides])[:-1]
    cuts = _cuts([word for side in sides for word in side], words, ends.tolist())
    return [" ".join(words[start:end]) for start, end in pairwise([0, *cuts, len(words)])]


def _cuts(reference: list[str], hypothesis: list[str], ends: list[int]) -> list[int]:
    """For each number of reference words, the number of hypothesis words before it. Earliest and latest cuts both grow, hence so does the middle."""
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    sides = [np.array([numbers[word] for word in side], dtype=np.int64) for side in (reference, hypothesis)]
    forward, backward = _alignments(*(np.stack([side, side[::-1]]) for side in sides))
    whole, skipped, added = (forward + backward[:, ::-1, ::-1])[:, ends]
    # a gap that goes on across the cut was begun once, not twice
    costs = np.minimum(whole, np.minimum(skipped, added) - OPEN)
    cheapest = [np.flatnonzero(row == row.min()) for row in costs]
    return [int(places[0] + places[-1]) // 2 for places in cheapest]


def _alignments(reference: NDArray[np.int64], hypothesis: NDArray[np.int64]) -> NDArray[np.int64]:
    """Costs of aligning the first words of both, ``(direction, word)`` each: ``(direction, 3, reference + 1, hypothesis + 1)``.

    First the cheapest of all, then of those that end in a skipped word of the reference, then of those that end in an added word (Gotoh 1982,
    with a row at a time: the cheapest place to begin adding is a running minimum).
    """
    ramp = SKIP * np.arange(hypothesis.shape[1] + 1)
    table = np.full((len(reference), 3, reference.shape[1] + 1, len(ramp)), _NEVER)
    whole, skipped, added = np.moveaxis(table, 1, 0)
    whole[:, 0, 0] = 0
    whole[:, 0, 1:] = added[:, 0, 1:] = OPEN + ramp[1:]
    for row, word in enumerate(reference.T, start=1):
        skipped[:, row] = np.minimum(whole[:, row - 1] + OPEN, skipped[:, row - 1]) + SKIP
        ended = skipped[:, row].copy()
        ended[:, 1:] = np.minimum(ended[:, 1:], whole[:, row - 1, :-1] + REPLACE * (hypothesis != word[:, None]))
        added[:, row, 1:] = np.minimum.accumulate(ended - ramp, axis=-1)[:, :-1] + OPEN + ramp[1:]
        whole[:, row] = np.minimum(ended, added[:, row])
    return table
