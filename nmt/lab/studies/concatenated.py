"""Test sets of k concatenated sentences, and quality by the position of a sentence among them.

Concatenated sentences are translated as one, so quality by position needs the output cut into sentences. It is cut
where the cheapest monotone alignment with the reference crosses from one sentence into the next (Matusov et al. 2005,
"Evaluating Machine Translation Output with Automatic Sentence Segmentation"); full stops are no guide, as a bad output
may lack or repeat them.
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
"""Costs of the alignment in half words: a skipped or added word, the start of such a gap, and a replaced word.

One long gap costs less than many short ones, and a replacement no less than two gaps: plain edit distance would scatter
a short output over all sentences, wherever a word happens to agree.
"""
_NEVER = 1 << 40


@dataclass(frozen=True, kw_only=True)
class PositionScore:
    """chrF2 of all sentences at one position, counted from 1; the last concatenation may be shorter."""

    position: int
    sentences: int
    chrf: metrics.Score

    def as_json(self) -> dict[str, Any]:
        """The fields, ready for JSON."""
        return asdict(self)


def consecutive_groups(count: int, size: int) -> list[range]:
    """Rows 0, 1, 2, ... in groups of ``size``; the last group may be smaller."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def concatenate(test: TestSet, size: int) -> TestSet:
    """The test set, ``size`` sentences at a time, named ``NAME.concatenatedSIZE``; the last takes the rest."""
    if not 1 <= size <= len(test.source):
        raise UserError(f"test set {test.name}: {len(test.source)} sentences cannot be concatenated {size} at a time")
    return TestSet(f"{test.name}.concatenated{size}", join(test.source, size), join(test.references, size))


def join(lines: Sequence[str], size: int) -> list[str]:
    """Lines joined ``size`` at a time."""
    return list(concatenation.concatenate_lines(lines, consecutive_groups(len(lines), size)))


def by_position(hypotheses: Sequence[str], references: Sequence[str], size: int, *, target: str) -> list[PositionScore]:
    """Quality by position of outputs for ``size`` concatenated sentences; ``references`` are of single sentences."""
    sentences = consecutive_groups(len(references), size)
    if len(hypotheses) != len(sentences):
        raise UserError(
            f"{len(hypotheses)} outputs, but {len(references)} references, {size} at a time, make {len(sentences)}"
        )
    expected = [[references[row] for row in rows] for rows in sentences]
    found = [cut(hypothesis, parts) for hypothesis, parts in zip(hypotheses, expected, strict=True)]
    return [_position(place, found, expected, target) for place in range(len(expected[0]))]


def _position(place: int, found: list[list[str]], expected: list[list[str]], target: str) -> PositionScore:
    metric = metrics.METRICS["chrf"](target)
    hypotheses, references = ([parts[place] for parts in side if place < len(parts)] for side in (found, expected))
    result = metric.corpus_score(hypotheses, [references])
    score = metrics.Score(name=result.name, value=float(result.score), signature=str(metric.get_signature()))
    return PositionScore(position=place + 1, sentences=len(references), chrf=score)


def cut(hypothesis: str, parts: Sequence[str]) -> list[str]:
    """The hypothesis cut into one part for each part of the reference, in order; parts may be empty.

    A word goes to the part of the reference word that it is aligned with. Among equally cheap cuts, as before and after
    a word added between two sentences, the middle one is taken, so that neither side is favoured.
    """
    words, sides = hypothesis.split(), [part.split() for part in parts]
    ends = np.cumsum([len(side) for side in sides])[:-1]
    cuts = _cuts([word for side in sides for word in side], words, ends.tolist())
    return [" ".join(words[start:end]) for start, end in pairwise([0, *cuts, len(words)])]


def _cuts(reference: list[str], hypothesis: list[str], ends: list[int]) -> list[int]:
    """For each number of reference words, the number of hypothesis words before the cut.

    The earliest and the latest cuts both grow, and so does their middle.
    """
    numbers = {word: number for number, word in enumerate(dict.fromkeys([*reference, *hypothesis]))}
    sides = [np.array([numbers[word] for word in side], dtype=np.int64) for side in (reference, hypothesis)]
    forward, backward = _alignments(*(np.stack([side, side[::-1]]) for side in sides))
    whole, skipped, added = (forward + backward[:, ::-1, ::-1])[:, ends]
    # a gap across the cut was opened once, not twice
    costs = np.minimum(whole, np.minimum(skipped, added) - OPEN)
    cheapest = [np.flatnonzero(row == row.min()) for row in costs]
    return [int(places[0] + places[-1]) // 2 for places in cheapest]


def _alignments(reference: NDArray[np.int64], hypothesis: NDArray[np.int64]) -> NDArray[np.int64]:
    """Costs of aligning prefixes of both, ``(direction, word)``: ``(direction, 3, reference + 1, hypothesis + 1)``.

    The three tables hold the cheapest alignments, the cheapest that end in a skipped reference word, and the cheapest
    that end in an added word (Gotoh 1982, row by row: the cheapest start of an addition is a running minimum).
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
