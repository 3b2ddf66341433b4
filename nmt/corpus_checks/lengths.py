"""How long sentences are: percentiles, blank ones, and pairs whose lengths do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from nmt.corpus_checks.finding import Found
from nmt.data.pairs import Pairs

RATIO, SLACK = 2.5, 20
"""Lengths do not go together when one is this many times what the other lets expect, this many characters being granted to both."""


def blanks(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs with nothing on one side or both."""
    for name, pairs in splits.items():
        yield (
            "blank",
            name,
            [
                " ||| ".join(pair)
                for pair in zip(pairs.source, pairs.target, strict=True)
                if not all(map(str.strip, pair))
            ],
            len(pairs),
        )


def ratios(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs whose lengths in characters do not go together as those of the training split do."""
    train = splits["train"]
    usual = median(
        len(target) / len(source) for source, target in zip(train.source, train.target, strict=True) if source
    )
    for name, pairs in splits.items():
        faulty = [" ||| ".join(pair) for pair in zip(pairs.source, pairs.target, strict=True) if not _fit(*pair, usual)]
        yield "length ratio", name, faulty, len(pairs)


def _fit(source: str, target: str, usual: float) -> bool:
    return 1 / RATIO <= (len(target) + SLACK) / (usual * len(source) + SLACK) <= RATIO


def percentiles(lengths: Sequence[int]) -> dict[str, float]:
    """The distribution of lengths in one unit."""
    found = np.percentile(lengths, [50, 95, 99, 100]) if len(lengths) else np.zeros(4)
    return {
        "mean": float(np.mean(lengths)) if len(lengths) else 0.0,
        **dict(zip(("median", "95 %", "99 %", "longest"), found.tolist(), strict=True)),
    }
