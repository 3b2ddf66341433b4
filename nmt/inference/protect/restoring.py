"""The translation of a sentence from that of its reading: what was set aside is put back, in every field."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

import torch
from torch import Tensor

from nmt.inference.offsets import Span
from nmt.inference.protect.placing import UNIT, Placing
from nmt.inference.protect.reading import CLOSING, OPENING, Aside, Reading
from nmt.inference.translator import Translation
from nmt.text.stand_ins import STAND_IN, Marked

Item = TypeVar("Item")
_INVENTED = re.compile(f" ?{STAND_IN.pattern}")


def restored(reading: Reading, found: Translation) -> Translation:
    """The translation of the sentence, from that of its reading: all parts put back, every field of the whole."""
    if not reading.has_words:
        return _copied(reading.sentence)
    placing = Placing(reading, found.text, found.source_spans, found.spans, found.alignment)
    filling = _Filling(reading, found.text, placing.places())
    source_spans = [reading.in_sentence(*span) for span in found.source_spans]
    sources = _Insertion([(_first(found.source_spans, aside.at), aside) for aside in reading.asides])
    targets = _Insertion([(_first(found.spans, filling.starts[place]), aside) for place, aside in filling.order])
    pairs = [(sources.moved(source), targets.moved(target)) for source, target in found.alignment]
    if found.alignment:
        pairs += [(sources.places[aside], targets.places[aside]) for aside in reading.asides]
    pieces = {aside: _as_piece(reading.sentence[aside.start : aside.end]) for aside in reading.asides}
    return replace(
        found,
        source=reading.sentence,
        text=filling.text,
        pieces=targets.merged(found.pieces, pieces),
        source_pieces=sources.merged(found.source_pieces, pieces),
        weights=None if found.weights is None else _weights(found.weights, sources, targets),
        alternatives=_alternatives(reading, found, filling.text),
        alignment=sorted(pairs, key=lambda pair: pair[1]),
        source_spans=_in_order(
            sources.merged(source_spans, {aside: (aside.start, aside.end) for aside in reading.asides})
        ),
        spans=_in_order(targets.merged([filling.moved(span) for span in found.spans], filling.spans)),
    )


def unmarked(marked: Marked, found: Translation) -> Translation:
    """The translation of the sentence, from that of its text with stand-ins; alternatives without one are left out."""
    return replace(
        found,
        source=marked.sentence,
        text=marked.filled(found.text),
        pieces=[_filled_piece(marked, piece) for piece in found.pieces],
        source_pieces=[_filled_piece(marked, piece) for piece in found.source_pieces],
        alternatives=[(marked.filled(text), score) for text, score in found.alternatives if not marked.missing(text)],
        alignment=_aligned_to_itself(found),
        source_spans=[marked.moved(marked.text, span) for span in found.source_spans],
        spans=[marked.moved(found.text, span) for span in found.spans],
        warnings=[marked.filled(warning) for warning in found.warnings],
    )


def _aligned_to_itself(found: Translation) -> list[tuple[int, int]]:
    """The alignment, in which each stand-in is aligned to itself, whatever the attention looked at."""
    places = {name: place for place, piece in enumerate(found.source_pieces) for name in STAND_IN.findall(piece)}
    named = {
        target: places[name]
        for target, piece in enumerate(found.pieces)
        for name in STAND_IN.findall(piece)
        if name in places
    }
    return [(named.get(target, source), target) for source, target in found.alignment]


def without_invented(found: Translation) -> Translation:
    """The translation without stand-ins if what was read has none: a model may write one all the same."""
    if STAND_IN.search(found.source):
        return found
    text = _INVENTED.sub("", found.text).strip()
    different: dict[str, float] = {}
    for other, score in found.alternatives:
        different.setdefault(_INVENTED.sub("", other).strip(), score)
    return replace(
        found,
        text=text,
        pieces=[STAND_IN.sub("", piece) for piece in found.pieces],
        alternatives=[(other, score) for other, score in different.items() if other != text],
        spans=[(_closed_up(found.text, start), _closed_up(found.text, end)) for start, end in found.spans],
    )


def _closed_up(text: str, at: int) -> int:
    """A position in a text, as one in the text without stand-ins."""
    before = text[:at].removesuffix(" ") if STAND_IN.match(text, at) else text[:at]
    return len(_INVENTED.sub("", before).lstrip())


def _filled_piece(marked: Marked, piece: str) -> str:
    return "▁".join(marked.filled(piece).split(" "))


def _copied(sentence: str) -> Translation:
    """A sentence without words, which is one piece."""
    piece, span = _as_piece(sentence), (0, len(sentence))
    return Translation(
        sentence, sentence, pieces=[piece], source_pieces=[piece], alignment=[(0, 0)], source_spans=[span], spans=[span]
    )


def _as_piece(text: str) -> str:
    """A text as one piece, which begins a word."""
    return "▁" + text.replace(" ", "▁")


def _alternatives(reading: Reading, found: Translation, best: str) -> list[tuple[str, float]]:
    """Alternatives have no alignment, so places in them are relative."""
    different: dict[str, float] = {}
    for text, score in found.alternatives:
        filled = _Filling(reading, text, Placing(reading, text).places()).text
        if filled != best:
            different.setdefault(filled, score)
    return list(different.items())


def _in_order(spans: Sequence[Span]) -> list[Span]:
    """The spans, with those of pieces without characters where the one before ends."""
    found: list[Span] = []
    for start, end in spans:
        last = found[-1][1] if found else 0
        found.append((last, last) if start == end else (start, end))
    return found


def _first(spans: Sequence[Span], at: int) -> int:
    """The position behind the last piece with characters that begins before ``at``."""
    place = bisect_left(spans, at, key=lambda span: span[0])
    while place and spans[place - 1][0] == spans[place - 1][1]:
        place -= 1
    return place


def _weights(weights: Tensor, sources: _Insertion, targets: _Insertion) -> Tensor:
    """The weights with a row for each part that was put back, which is all at its own column."""
    rows, columns = weights.shape
    one_slot = columns == 1
    new = torch.zeros(rows + len(targets.places), 1 if one_slot else columns + len(sources.places))
    kept = torch.tensor([targets.moved(row) for row in range(rows)], dtype=torch.long)
    slots = torch.tensor([0] if one_slot else [sources.moved(slot) for slot in range(columns)], dtype=torch.long)
    new[kept[:, None], slots] = weights.float()
    for aside, row in targets.places.items():
        new[row, 0 if one_slot else sources.places[aside]] = 1.0
    return new


class _Insertion:
    """Items inserted into a list of pieces: where each goes, and where the others move."""

    def __init__(self, before: Sequence[tuple[int, Aside]]) -> None:
        """The position of the piece before which each item goes, in order."""
        self.before = [place for place, _ in before]
        self.places = {aside: place + rank for rank, (place, aside) in enumerate(before)}

    def moved(self, place: int) -> int:
        """The new position of a piece."""
        return place + bisect_right(self.before, place)

    def merged(self, items: Sequence[Item], inserted: dict[Aside, Item]) -> list[Item]:
        """The items with the inserted ones."""
        every = {self.moved(place): item for place, item in enumerate(items)}
        every |= {place: inserted[aside] for aside, place in self.places.items()}
        return [every[place] for place in sorted(every)]


class _Filling:
    """A translation with the parts of the sentence put back between its units."""

    def __init__(self, reading: Reading, text: str, places: Sequence[int]) -> None:
        """``places`` are numbers of units before each part."""
        self.reading, self.old = reading, text
        units = [match.span() for match in UNIT.finditer(text)]
        self.ends = [0, *(end for _, end in units)]
        """Where the unit before each place ends."""
        self.starts = [*(start for start, _ in units), len(text)]
        """Where the unit behind each place begins."""
        self.order = sorted(zip(places, reading.asides, strict=True), key=lambda item: item[0])
        self.spans: dict[Aside, Span] = {}
        self.cuts: list[tuple[int, int]] = []
        """The old positions from which on text has moved, and how far."""
        self.text = self._fill()

    def moved(self, span: Span) -> Span:
        """The span of a piece in the new text. A piece around a part ends before it."""
        start, end = span
        rank = bisect_right(self.cuts, start, key=lambda cut: cut[0])
        if rank < len(self.cuts):
            end = min(end, self.cuts[rank][0])
        return start + self._shift(start), end + self._shift(end - (start < end))

    def _shift(self, at: int) -> int:
        rank = bisect_right(self.cuts, at, key=lambda cut: cut[0])
        return self.cuts[rank - 1][1] if rank else 0

    def _fill(self) -> str:
        parts: list[str] = []
        length = copied = 0
        for place, group in groupby(self.order, key=lambda item: item[0]):
            asides = [aside for _, aside in group]
            parts.append(self.old[copied : self.ends[place]] + self._before(place, asides[0]))
            length += len(parts[-1])
            for aside, following in zip(asides, [*asides[1:], None], strict=True):
                own = self.reading.sentence[aside.start : aside.end]
                self.spans[aside] = (length, length + len(own))
                apart = following is not None and not aside.is_tag and not following.is_tag
                parts.append(own + " " * apart)
                length += len(parts[-1])
            parts.append(self._behind(place, asides[-1]))
            length += len(parts[-1])
            copied = self.starts[place]
            self.cuts.append((copied, length - copied))
        return "".join(parts) + self.old[copied:]

    def _before(self, place: int, aside: Aside) -> str:
        """The blank before a part, or none: at the beginning, after an opening bracket, and where the sentence has
        none."""
        before = self.old[self.ends[place] - 1 : self.ends[place]] if place else ""
        return "" if not before or before in OPENING or _is_attached(aside.left, before) else " "

    def _behind(self, place: int, aside: Aside) -> str:
        behind = self.old[self.starts[place] : self.starts[place] + 1]
        return "" if not behind or behind in CLOSING or _is_attached(aside.right, behind) else " "


def _is_attached(own: str, found: str) -> bool:
    """Whether the character beside a part in the sentence is like the one beside it in the translation."""
    return bool(own) and (own == found or (own.isalnum() and found.isalnum()))
