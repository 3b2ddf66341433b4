"""BLEU by length of the source sentence, which shows the limit of a memory of fixed size.

Sentences are grouped by *source* length; the length of the output or of the reference would depend on the quality.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from nmt.errors import UserError
from nmt.evaluation import metrics

LONGEST = (0, 5, 10, 15, 20, 30, 50)
"""Largest number of words in each bucket; the last bucket is open. The first holds blank lines."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """BLEU of the sentences whose source has ``shortest`` to ``longest`` words (None: open)."""

    shortest: int
    longest: int | None
    sentences: int
    bleu: metrics.Bleu

    @property
    def label(self) -> str:
        """``6-10`` or ``51+``."""
        if self.longest is None:
            return f"{self.shortest}+"
        return f"{self.shortest}-{self.longest}" if self.shortest < self.longest else str(self.longest)

    @property
    def small(self) -> bool:
        """Whether there are fewer than `metrics.SMALL` sentences."""
        return self.sentences < metrics.SMALL

    def as_json(self) -> dict[str, Any]:
        """The fields, the label and `small`."""
        words = {"words": self.label, "shortest": self.shortest, "longest": self.longest}
        return {**words, "sentences": self.sentences, "small": self.small, "bleu": self.bleu.as_json()}


def by_length(
    sources: Sequence[str], hypotheses: Sequence[str], references: Sequence[str], *, target: str
) -> list[Bucket]:
    """The buckets that are not empty, shortest first."""
    metrics.check(hypotheses, references)
    if len(sources) != len(references):
        raise UserError(
            f"{len(sources)} sources, but {len(references)} references: quality by length needs both for every sentence"
        )
    places = [bisect_left(LONGEST, len(source.split())) for source in sources]
    return [
        _bucket(place, [row for row, found in enumerate(places) if found == place], hypotheses, references, target)
        for place in sorted(set(places))
    ]


def _bucket(place: int, rows: list[int], hypotheses: Sequence[str], references: Sequence[str], target: str) -> Bucket:
    shortest, longest = [(0, 0), *((before + 1, last) for before, last in pairwise(LONGEST)), (LONGEST[-1] + 1, None)][
        place
    ]
    bleu = metrics.score_bleu([hypotheses[row] for row in rows], [references[row] for row in rows], target=target)
    return Bucket(shortest=shortest, longest=longest, sentences=len(rows), bleu=bleu)
