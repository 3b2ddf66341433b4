"""Lengths of sentences in words and tokens, blank sentences, odd length ratios, and characters without a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from nmt.corpus_checks.report import Found
from nmt.data.pairs import Pairs
from nmt.data.vocabulary import Vocabulary

TokenIds = Mapping[tuple[str, str], list[list[int]]]
"""Token ids of the sentences of each split and side."""
RATIO, SLACK = 2.5, 20
"""A length ratio is odd beyond this factor of the usual one, after this many characters are added to both sides."""


def blanks(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs with a blank side."""
    for name, pairs in splits.items():
        sides = zip(pairs.source, pairs.target, strict=True)
        blank = [" ||| ".join(pair) for pair in sides if not all(map(str.strip, pair))]
        yield "blank", name, blank, len(pairs)


def ratios(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Pairs with another ratio of lengths in characters than the training split."""
    train = splits["train"]
    usual = median(
        len(target) / len(source) for source, target in zip(train.source, train.target, strict=True) if source
    )
    for name, pairs in splits.items():
        odd = [" ||| ".join(pair) for pair in zip(pairs.source, pairs.target, strict=True) if not _fit(*pair, usual)]
        yield "length ratio", name, odd, len(pairs)


def _fit(source: str, target: str, usual: float) -> bool:
    return 1 / RATIO <= (len(target) + SLACK) / (usual * len(source) + SLACK) <= RATIO


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
    """For every split and side, the distribution of lengths in words and in tokens, and tokens per word."""
    rows: list[dict[str, float | str]] = []
    for (name, side), sentences in encoded.items():
        words = [len(text.split()) for text in getattr(splits[name], side)]
        tokens = list(map(len, sentences))
        for unit, lengths in (("words", words), ("pieces", tokens)):
            ratio = sum(tokens) / max(1, sum(words))
            rows.append({"split": name, "side": side, "unit": unit, **_percentiles(lengths), "pieces per word": ratio})
    return rows


def _percentiles(lengths: Sequence[int]) -> dict[str, float]:
    """The distribution of lengths in one unit."""
    found = np.percentile(lengths, [50, 95, 99, 100]) if len(lengths) else np.zeros(4)
    return {
        "mean": float(np.mean(lengths)) if len(lengths) else 0.0,
        **dict(zip(("median", "95 %", "99 %", "longest"), found.tolist(), strict=True)),
    }
