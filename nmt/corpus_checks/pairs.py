"""Checks of pairs: repeated, blank, of odd lengths, untranslated; and the lengths of a corpus."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, product
from statistics import median

import numpy as np

from nmt.corpus_checks.report import SIDES, Found, odd_pairs
from nmt.data.pairs import Pairs, copied_words
from nmt.data.vocabulary import Vocabulary

TokenIds = Mapping[tuple[str, str], list[list[int]]]
"""Token ids of the sentences of each split and side."""
RATIO, SLACK = 2.5, 20
"""A length ratio is odd beyond this factor of the usual one, after this many characters are added to both sides."""
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


def blanks(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs with a blank side."""
    return odd_pairs("blank", splits, lambda source, target: not (source.strip() and target.strip()))


def untranslated(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs whose target repeats words of the source."""
    return odd_pairs("untranslated", splits, copied_words)


def ratios(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs with another ratio of lengths in characters than the training split."""
    train = splits["train"]
    usual = median(
        len(target) / len(source) for source, target in zip(train.source, train.target, strict=True) if source
    )

    def odd(source: str, target: str) -> bool:
        return not 1 / RATIO <= (len(target) + SLACK) / (usual * len(source) + SLACK) <= RATIO

    return odd_pairs("length ratio", splits, odd)


def encode(splits: Mapping[str, Pairs], source: Vocabulary, target: Vocabulary) -> TokenIds:
    """The token ids of every split."""
    sides = {"source": source, "target": target}
    return {
        (name, side): [vocabulary.encode(text) for text in getattr(pairs, side)]
        for name, pairs in splits.items()
        for side, vocabulary in sides.items()
    }


def unknown_characters(
    splits: Mapping[str, Pairs], encoded: TokenIds, source: Vocabulary, target: Vocabulary
) -> Iterator[Found]:
    """Sentences with characters that the vocabulary spells in bytes."""
    spelled = {"source": source.bytes, "target": target.bytes}
    for (name, side), sentences in encoded.items():
        texts: Sequence[str] = getattr(splits[name], side)
        unknown = [text for text, tokens in zip(texts, sentences, strict=True) if not spelled[side].isdisjoint(tokens)]
        yield "unknown characters", f"{name} {side}", unknown, len(sentences)


def table(splits: Mapping[str, Pairs], encoded: TokenIds) -> list[dict[str, float | str]]:
    """For every split and side, the distribution of lengths in words, and in tokens with tokens per word if these are
    known."""
    rows: list[dict[str, float | str]] = []
    for name, side in product(splits, SIDES):
        words = [len(text.split()) for text in getattr(splits[name], side)]
        tokens = list(map(len, encoded.get((name, side), ())))
        ratio = {"pieces per word": sum(tokens) / max(1, sum(words))} if encoded else {}
        for unit, lengths in (("words", words), ("pieces", tokens)) if encoded else (("words", words),):
            rows.append({"split": name, "side": side, "unit": unit, **_percentiles(lengths), **ratio})
    return rows


def _percentiles(lengths: Sequence[int]) -> dict[str, float]:
    """The distribution of lengths in one unit."""
    found = np.percentile(lengths, [50, 95, 99, 100]) if len(lengths) else np.zeros(4)
    return {
        "mean": float(np.mean(lengths)) if len(lengths) else 0.0,
        **dict(zip(("median", "95 %", "99 %", "longest"), found.tolist(), strict=True)),
    }
