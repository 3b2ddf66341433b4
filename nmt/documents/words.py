"""The words of a text and of its translation, and which belong together."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence

from nmt.inference.offsets import Span
from nmt.inference.translator import Translation

_WORD = re.compile(
    r"\$?\{[^{}\s]{1,80}\}|%(?:\(\w{1,60}\)|\d{1,2}\$)?[sdiufc@](?![^\W\d_])|(?:https?://|www\.)[^\s<>\"]*\w"
    r"|\w+(?:['’.,:/@-]\w+)*|[^\w\s]"  # noqa: RUF001 - apostrophes as they are printed
)
"""Placeholders and addresses, within which no tag may stand, words, and marks of punctuation."""


def word_spans(text: str) -> list[Span]:
    """Where words and marks of punctuation stand; only white space is between them."""
    return [match.span() for match in _WORD.finditer(text)]


def aligned_words(translation: Translation, source: Sequence[Span], target: Sequence[Span]) -> list[int]:
    """For each word of the translation, the number of the source word that it belongs to.

    Equal names, numbers and marks belong together; other words as the alignment of their pieces says. A model without
    alignment has the words between those that are equal by their relative position.
    """
    equal = _equal(translation, source, target)
    voted = _voted(translation, source, target)
    if not voted:
        return _interpolated(equal, len(source), len(target))
    found = [equal.get(word, voted.get(word)) for word in range(len(target))]
    last = next(filter(lambda word: word is not None, found), 0) or 0
    filled = []
    for word in found:
        last = last if word is None else word
        filled.append(last)
    return filled


def _voted(translation: Translation, source: Sequence[Span], target: Sequence[Span]) -> dict[int, int]:
    """The source word to which most pieces of each target word are aligned."""
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    starts = [start for start, _ in source], [start for start, _ in target]
    for from_piece, to_piece in translation.alignment:
        (start, end), (first, last) = translation.source_spans[from_piece], translation.spans[to_piece]
        if start < end and first < last:
            from_word = max(0, bisect_right(starts[0], start) - 1)
            to_word = max(0, bisect_right(starts[1], first) - 1)
            votes[to_word][from_word] += last - first
    return {word: counts.most_common(1)[0][0] for word, counts in votes.items()}


def _equal(translation: Translation, source: Sequence[Span], target: Sequence[Span]) -> dict[int, int]:
    """Target words that stand as often in the source, in order, but for those of small letters alone."""
    places: tuple[dict[str, list[int]], dict[str, list[int]]] = defaultdict(list), defaultdict(list)
    for text, spans, found in ((translation.source, source, places[0]), (translation.text, target, places[1])):
        for place, (start, end) in enumerate(spans):
            if not (text[start:end].islower() and text[start:end].isalpha()):
                found[text[start:end]].append(place)
    return {
        there: here
        for word, there_all in places[1].items()
        if len(places[0].get(word, ())) == len(there_all)
        for here, there in zip(places[0][word], there_all, strict=True)
    }


def _interpolated(equal: dict[int, int], sources: int, targets: int) -> list[int]:
    """The source word at the relative position of each target word, between those that are equal and in order."""
    points = [(-1, -1)]
    for target in sorted(equal):
        if equal[target] > points[-1][1]:
            points.append((target, equal[target]))
    found: list[int] = []
    for (first, start), (last, end) in zip(points, [*points[1:], (targets, sources)], strict=True):
        between, there = end - start - 1, last - first - 1
        found += [
            min(max(start, 0) if not between else start + 1 + place * between // there, sources - 1)
            for place in range(there)
        ]
        if last < targets:
            found.append(end)
    return found
