"""Where each piece stands in its text, in characters: the way from the alignment of pieces to that of text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""First and last position of a piece in its text, the last one excluded."""

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_CONTROL = {"<pad>", "<unk>", "<s>", "</s>"}
_SPACE = "▁"


def piece_offsets(text: str, pieces: Sequence[str]) -> list[Span]:
    """The span of each piece in the text that the pieces spell; empty for control pieces.

    The vocabulary normalizes text, so pieces are matched word by word, and characters are counted within a word. Of a
    character that is spelled in several bytes, each byte has the whole span.
    """
    words = [match.span() for match in re.finditer(r"[^\s▁]+", text)]
    spelled = [list(word) for _, word in groupby(_letters(pieces), key=lambda letter: letter[0])]
    found: list[Span | None] = [None] * len(pieces)
    for (start, end), word in zip(words, spelled, strict=False):
        edges = _edges(text[start:end], len(word))
        for place, (_, owners) in enumerate(word):
            for owner in owners:
                first = found[owner] or (start + edges[place], 0)
                found[owner] = (first[0], start + edges[place + 1])
    return _filled(found, len(text))


def _letters(pieces: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
    """For each character but spaces, the number of its word and the pieces that spell it."""
    word, begun = 0, False
    for is_byte, run in groupby(enumerate(pieces), key=lambda item: bool(_BYTE.fullmatch(item[1]))):
        if is_byte:
            yield from ((word, owners) for owners in _bytes(list(run)))
            begun = True
            continue
        for place, piece in run:
            for letter in "" if piece in _CONTROL else piece:
                if letter == _SPACE or letter.isspace():
                    word, begun = word + begun, False
                else:
                    yield word, [place]
                    begun = True
            if piece in _CONTROL:
                word, begun = word + begun, False


def _bytes(run: list[tuple[int, str]]) -> Iterator[list[int]]:
    """The pieces of each character of a run of bytes; a byte that belongs to none is one of its own."""
    values = [int(piece[3:5], 16) for _, piece in run]
    start = 0
    while start < len(values):
        size = max(1, len(f"{values[start]:08b}".split("0")[0])) if values[start] >= 0xC0 else 1
        yield [place for place, _ in run[start : start + size]]
        start += size


def _edges(word: str, count: int) -> list[int]:
    """The positions of a word's ``count`` letters in it, and its end; NFC may have composed several into one."""
    if len(word) == count:
        return list(range(count + 1))
    edges = [0]
    for place in range(1, len(word)):
        if not unicodedata.combining(word[place]):
            edges.append(place)
    edges.append(len(word))
    return [edges[min(place, len(edges) - 1)] for place in range(count)] + [len(word)]


def _filled(found: Sequence[Span | None], length: int) -> list[Span]:
    """An empty span, where its predecessor ends, for pieces without characters."""
    spans: list[Span] = []
    for span in found:
        end = spans[-1][1] if spans else 0
        spans.append(span or (min(end, length), min(end, length)))
    return spans
