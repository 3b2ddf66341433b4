"""Translations whose words are aligned as a test says."""

from __future__ import annotations

from collections.abc import Sequence

from nmt.documents.words import word_spans
from nmt.inference.translator import Translation


def aligned(source: str, text: str, pairs: Sequence[tuple[str, str]]) -> Translation:
    """A translation in which each word is a piece; ``pairs`` are words of the source and of the translation."""
    spans, target_spans = word_spans(source), word_spans(text)
    words = [source[start:end] for start, end in spans]
    target = [text[start:end] for start, end in target_spans]
    return Translation(
        source,
        text,
        pieces=target,
        source_pieces=words,
        alignment=[(words.index(first), target.index(last)) for first, last in pairs],
        source_spans=spans,
        spans=target_spans,
    )


def uppercase(source: str) -> Translation:
    """The translation into capitals, word by word, without alignment."""
    return Translation(source, source.upper())
