"""Sentences that occur more than once: in one split, or in training and in evaluation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from nmt.corpus_checks.report import Found
from nmt.data.pairs import Pairs

_BETWEEN_WORDS = re.compile(r"[\W_]+")


def duplicates(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs that occur before in the same split."""
    for name, pairs in splits.items():
        counts = Counter(zip(pairs.source, pairs.target, strict=True))
        repeated = [" ||| ".join(pair) for pair, times in counts.items() for _ in range(times - 1)]
        yield "duplicates", name, repeated, len(pairs)


def overlaps(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs of which either side also occurs in an earlier split: exactly, or up to case and punctuation (near)."""
    for larger, smaller in combinations(splits, 2):
        pairs, place = list(zip(*_sides(splits[smaller]), strict=True)), f"{smaller} in {larger}"
        same = _shared(pairs, splits[larger], str)
        yield "overlap", place, [" ||| ".join(pairs[row]) for row in same], len(pairs)
        near = sorted(set(_shared(pairs, splits[larger], _bare)) - set(same))
        yield "near overlap", place, [" ||| ".join(pairs[row]) for row in near], len(pairs)


def _shared(pairs: Sequence[tuple[str, str]], larger: Pairs, key: Callable[[str], str]) -> list[int]:
    """The rows of which a side has the key of a text on that side of the larger split."""
    known = [{key(text) for text in side if text} for side in _sides(larger)]
    return [
        row for row, pair in enumerate(pairs) if any(key(text) in side for text, side in zip(pair, known, strict=True))
    ]


def _sides(pairs: Pairs) -> tuple[Sequence[str], Sequence[str]]:
    return pairs.source, pairs.target


def _bare(text: str) -> str:
    """Letters and digits in lower case; a text without any is returned as it is."""
    return _BETWEEN_WORDS.sub(" ", text.casefold()).strip() or text
