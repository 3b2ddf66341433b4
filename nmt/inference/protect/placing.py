"""Where in a translation the parts of a sentence belong that were set aside, found by alignment."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence

from nmt.inference.offsets import Span
from nmt.inference.protect.reading import Aside, Reading

UNIT = re.compile(r"⟦[1-8]⟧|\w++(?:[-'’.]\w++)*+|[^\w\s]")  # noqa: RUF001 - an apostrophe
"""Words and punctuation marks; a stand-in is a mark, which the translation has as often."""
FINAL = frozenset(".!?…\"'”’»)]")  # noqa: RUF001 - quotation marks of several languages are meant


class Placing:
    """Places between the words of a translation, as the number of units before them."""

    def __init__(
        self,
        reading: Reading,
        text: str,
        source_spans: Sequence[Span] = (),
        spans: Sequence[Span] = (),
        alignment: Sequence[tuple[int, int]] = (),
    ) -> None:
        """``text`` is the translation of the reading, and the spans are those of pieces in both. Without an alignment,
        places are relative."""
        self.reading = reading
        self.source = [match.span() for match in UNIT.finditer(reading.text)]
        self.target = [match.span() for match in UNIT.finditer(text)]
        self.source_words, self.target_words = _texts(reading.text, self.source), _texts(text, self.target)
        self.source_ends = [end for _, end in self.source]
        self.source_marks, self.target_marks = _marks(self.source_words), _marks(self.target_words)
        self.tail = _before_final(self.source_words)
        self.links = self._links(source_spans, spans, alignment)
        """The units of the translation that are aligned to each unit of the reading."""

    def _links(
        self, source_spans: Sequence[Span], spans: Sequence[Span], alignment: Sequence[tuple[int, int]]
    ) -> dict[int, set[int]]:
        """A unit of the translation belongs to the one of the reading that most of its characters are aligned to; a
        unit of the reading that has none this way has all that are aligned to it at all. Words are aligned to words
        and marks to marks: the rest is noise of the attention."""
        starts, target_starts = [start for start, _ in self.source], [start for start, _ in self.target]
        counts: dict[int, Counter[int]] = {}
        for source, target in alignment:
            for unit in _units(target_starts, spans[target]):
                size = min(spans[target][1], self.target[unit][1]) - max(spans[target][0], self.target[unit][0])
                alike = [
                    other
                    for other in _units(starts, source_spans[source])
                    if _is_word(self.source_words[other]) == _is_word(self.target_words[unit])
                ]
                counts.setdefault(unit, Counter()).update(dict.fromkeys(alike, size))
        links: dict[int, set[int]] = {}
        further: dict[int, set[int]] = {}
        for unit, count in counts.items():
            for rank, (source, _) in enumerate(count.most_common()):
                (further if rank else links).setdefault(source, set()).add(unit)
        return further | links

    def places(self) -> list[int]:
        """The place of each part that is set aside. No tag overtakes another."""
        found = []
        last = 0
        for aside in self.reading.asides:
            place = self._place(aside)
            if aside.is_tag:
                place = last = max(place, last)
            found.append(place)
        return found

    def _place(self, aside: Aside) -> int:
        before = bisect_right(self.source_ends, aside.at)
        if before == 0:
            return 0
        if aside.left.isalnum() and not aside.right.isalnum() and before - 1 in self.links:
            return max(self.links[before - 1]) + 1
        if before >= self.tail:
            return self._end(before)
        if (place := self._mark(before)) is not None:
            return place
        if not self.links:
            return self._relative(before)
        return self._aligned(before)

    def _end(self, before: int) -> int:
        """The end of the translation; before its final punctuation, unless the part stood behind that."""
        if before == len(self.source) and self.source_words[-1] in ".!?…":
            return len(self.target)
        return _before_final(self.target_words)

    def _mark(self, unit: int) -> int | None:
        """The same punctuation mark in the translation, where both sides have as many of them."""
        own = self.source_marks.get(self.source_words[unit], [])
        found = self.target_marks.get(self.source_words[unit], [])
        return found[bisect_left(own, unit)] if own and len(own) == len(found) else None

    def _aligned(self, before: int) -> int:
        """Before the word aligned to the next source word, else behind that of the previous one, else those further
        away."""
        following, previous = self.links.get(before, set()), self.links.get(before - 1, set())
        if beside := [unit for unit in following if unit - 1 in previous]:
            return min(beside)
        if not following and (mark := self._mark(before - 1)) is not None:
            return mark + 1
        for distance in range(max(before, len(self.source) - before) + 1):
            if found := self.links.get(before + distance):
                return min(found)
            if found := self.links.get(before - 1 - distance):
                return max(found) + 1
        return len(self.target)

    def _relative(self, before: int) -> int:
        """The place with the same share of words before it."""
        words = [place for place, word in enumerate(self.target_words) if _is_word(word)]
        share = _count(self.source_words[:before]) / max(1, _count(self.source_words))
        rank = round(share * len(words))
        return words[rank] if rank < len(words) else self._end(before)


def _before_final(words: Sequence[str]) -> int:
    """The number of words before the final punctuation."""
    end = len(words)
    while end and words[end - 1] in FINAL:
        end -= 1
    return end


def _texts(text: str, spans: Sequence[Span]) -> list[str]:
    return [text[start:end] for start, end in spans]


def _marks(units: Sequence[str]) -> dict[str, list[int]]:
    """Where each punctuation mark stands."""
    found: dict[str, list[int]] = {}
    for place, unit in enumerate(units):
        if not _is_word(unit):
            found.setdefault(unit, []).append(place)
    return found


def _is_word(unit: str) -> bool:
    return unit[0].isalnum()


def _count(units: Sequence[str]) -> int:
    return sum(map(_is_word, units))


def _units(starts: Sequence[int], span: Span) -> set[int]:
    """The units of the first and the last character of a piece; none for a piece without characters."""
    if span[0] == span[1] or not starts:
        return set()
    return {max(0, bisect_right(starts, at) - 1) for at in (span[0], span[1] - 1)}
