"""What the vocabulary makes of a corpus: pieces for a word, and characters that training does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nmt.corpus_checks.finding import Found
from nmt.corpus_checks.lengths import percentiles
from nmt.data.pairs import Pairs
from nmt.data.vocabulary import Vocabulary

TokenIds = Mapping[tuple[str, str], list[list[int]]]
"""Token ids of the sentences of each split and side."""


def encode(splits: Mapping[str, Pairs], source: Vocabulary, target: Vocabulary) -> TokenIds:
    """The sentences of every split, cut into pieces."""
    sides = {"source": source, "target": target}
    return {
        (name, side): [vocabulary.encode(text) for text in getattr(pairs, side)]
        for name, pairs in splits.items()
        for side, vocabulary in sides.items()
    }


def unknown(splits: Mapping[str, Pairs], encoded: TokenIds, source: Vocabulary, target: Vocabulary) -> Iterator[Found]:
    """Sentences with characters that the vocabulary has to spell in bytes."""
    spelled = {"source": source.bytes, "target": target.bytes}
    for (name, side), sentences in encoded.items():
        texts: Sequence[str] = getattr(splits[name], side)
        faulty = [text for text, tokens in zip(texts, sentences, strict=True) if not spelled[side].isdisjoint(tokens)]
        yield "unknown characters", f"{name} {side}", faulty, len(sentences)


def lengths(splits: Mapping[str, Pairs], encoded: TokenIds) -> list[dict[str, float | str]]:
    """For every split and side: the distribution of lengths in words and in pieces, and pieces for a word."""
    rows: list[dict[str, float | str]] = []
    for (name, side), sentences in encoded.items():
        words = [len(text.split()) for text in getattr(splits[name], side)]
        pieces = list(map(len, sentences))
        place = {"split": name, "side": side}
        rows.append(
            {**place, "unit": "words", **percentiles(words), "pieces per word": sum(pieces) / max(1, sum(words))}
        )
        rows.append(
            {**place, "unit": "pieces", **percentiles(pieces), "pieces per word": sum(pieces) / max(1, sum(words))}
        )
    return rows
