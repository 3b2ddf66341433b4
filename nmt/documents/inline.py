"""Inline markup: tags within a sentence are set aside, and put back around the words that they belong to."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nmt.documents.document import Block, Part, Translations, cleaned, has_words, joined
from nmt.documents.placement import Node, place_in_order, place_nodes
from nmt.documents.words import aligned_words, word_spans
from nmt.inference.offsets import Span

WHITE = " \t\n\f\r"
_WHITE = re.compile(f"[{WHITE}]+")
_CLOSING = re.compile(r"[,.;:!?)\]}»”]")


NOTE = 40
"""Characters and items of the longest sign of a note."""


@dataclass(eq=False)
class Item:
    """Markup at a position of the text: a tag, or something that is kept between words."""

    markup: tuple[Part, ...]
    kind: Literal["open", "close", "mark"]
    position: int
    """In characters of the text."""
    before: bool = False
    """Whether white space stands before it."""
    after: bool = False
    partner: Item | None = None
    """The other tag of a pair."""


class InlineText:
    """Collects text and inline markup up to the end of a block."""

    def __init__(self, write: Callable[[str], str], layout: Callable[[str], str] = str) -> None:
        """``write`` spells plain text in the format of the document, ``layout`` arranges the whole block, with tags."""
        self._write, self._layout = write, layout
        self._raw: list[Part] = []
        self._items: list[Item] = []
        self._open: dict[str, list[Item]] = defaultdict(list)
        self._text, self._lead = "", ""
        self._space, self._owed = "", False  # white space since the last text or item, and before the last item

    def add_text(self, text: str, raw: str) -> None:
        """Plain text, and how it stands in the source."""
        self._raw.append(raw)
        body = text.strip(WHITE)
        start = len(text) - len(text.lstrip(WHITE))
        self._add_space(text[:start])
        if body:
            self._add_words(_WHITE.sub(" ", body))
            self._add_space(text[start + len(body) :])

    def open(self, name: str, markup: Sequence[Part]) -> None:
        """The first tag of a pair."""
        item = self._add(markup, "open")
        self._open[name].append(item)

    def close(self, name: str, markup: Sequence[Part]) -> None:
        """The last tag of a pair, or one whose first tag stands in an earlier block."""
        item = self._add(markup, "close")
        if self._open[name]:
            item.partner = self._open[name].pop()
            item.partner.partner = item

    def close_note(self, name: str, markup: Sequence[Part]) -> None:
        """The last tag of a pair that is a mark as a whole if there is no letter in it, such as the sign of a note."""
        first = self._open[name][-1] if self._open[name] else None
        if (
            first is None
            or len(self._text) - first.position > NOTE
            or any(map(str.isalpha, self._text[first.position :]))
        ):
            self.close(name, markup)
            return
        place = next(place for place in range(len(self._items) - 1, -1, -1) if self._items[place] is first)
        inside = self._items[place:]
        if len(inside) > NOTE or any(item.kind != "mark" and item.partner not in inside for item in inside[1:]):
            self.close(name, markup)
            return
        start = next(start for start in range(len(self._raw) - 1, -1, -1) if self._raw[start] is first.markup[0])
        whole = (*self._raw[start:], *markup)
        self._open[name].pop()
        self._raw += markup
        self._text = self._text[: first.position]
        first.markup, first.kind, first.after = whole, "mark", False
        del self._items[place + 1 :]
        self._space, self._owed = "", first.before

    def mark(self, markup: Sequence[Part]) -> None:
        """Markup without text of its own: an empty element, a comment, content that is not translated."""
        self._add(markup, "mark")

    def parts(self) -> list[Part]:
        """The block and the white space around it, or the source as it stands if there is nothing to translate."""
        if not has_words(self._text):
            return self._raw
        return [self._lead, MarkedBlock(self._text, self._items, self._write, self._layout), self._space]

    def _add_space(self, space: str) -> None:
        if not space:
            return
        if not self._space and self._items and self._items[-1].position == len(self._text):
            self._items[-1].after = True
        self._space += space

    def _add_words(self, words: str) -> None:
        if not self._text:
            self._lead = self._lead if self._items else self._space
        elif self._space or self._owed:
            dropped = self._items and self._items[-1].kind == "mark" and self._items[-1].position == len(self._text)
            self._text += "" if dropped and not self._space and _CLOSING.match(words) else " "
        self._text += words
        self._space, self._owed = "", False

    def _add(self, markup: Sequence[Part], kind: Literal["open", "close", "mark"]) -> Item:
        self._raw += markup
        if not self._text and not self._items:
            self._lead, self._space = self._space, ""
        item = Item(tuple(markup), kind, len(self._text), bool(self._space) and bool(self._text or self._items))
        self._owed = self._owed or bool(self._space)
        self._space = ""
        self._items.append(item)
        return item


class MarkedBlock(Block):
    """A text with inline markup."""

    def __init__(
        self, text: str, items: Sequence[Item], write: Callable[[str], str], layout: Callable[[str], str] = str
    ) -> None:
        super().__init__(text, write)
        self.items, self.layout = items, layout

    def inner(self) -> Iterator[Block]:
        for item in self.items:
            yield from (part for part in item.markup if not isinstance(part, str))

    def written(self, translations: Translations) -> str:
        if not self.items:
            return self.layout(super().written(translations))
        translation = cleaned(translations[self])
        source, target = word_spans(self.text), word_spans(translation.text)
        if not target:
            placed = [(0, item) for item in self.items]
        else:
            placed = _placed(self.items, source, aligned_words(translation, source, target))
        return self.layout(self._assembled(translation.text, target, placed, translations))

    def _assembled(
        self, text: str, words: Sequence[Span], placed: Sequence[tuple[int, Item]], translations: Translations
    ) -> str:
        """The text with each item before the word of its number, and white space around it as in the source."""
        out: list[str] = []
        done = 0

        def copy(end: int) -> None:
            nonlocal done
            if done < end:
                out.append(self.write(text[done:end]))
                done = end

        for word, item in placed:
            if word:
                copy(words[word - 1][1])
            start = words[word][0] if word < len(words) else len(text)
            gap = done < start
            if item.kind == "open" or (item.kind == "mark" and not item.before and not item.after):
                copy(start)
            spaced = not out or out[-1][-1:].isspace()
            if item.before and not spaced and (item.kind == "mark" or word == len(words)):
                out.append(" ")
                done = max(done, start)
            out.append(joined(item.markup, translations))
            glued = self.text[item.position : item.position + 2].strip()[:1].isalnum()
            if item.kind == "mark" and word < len(words) and (item.after or (gap and item.before and not glued)):
                out.append(" ")
                done = max(done, start)
        copy(len(text))
        return "".join(out)


def _placed(items: Sequence[Item], source: Sequence[Span], aligned: Sequence[int]) -> list[tuple[int, Item]]:
    """Each item with the number of the target word before which it stands, in order."""
    words = [_word(item, source) for item in items]
    first, last = _outermost(items, words, len(source))
    lead, core, tail = items[:first], items[first:last], items[last:]
    nodes = _nodes(core, words[first:last])
    if nodes is None:
        places = place_in_order(words[first:last], len(source), aligned)
        inside = list(zip(places, core, strict=True))
    else:
        inside = [(place, core[item]) for place, item in place_nodes(nodes, len(source), aligned)]
    return [*((0, item) for item in lead), *inside, *((len(aligned), item) for item in tail)]


def _word(item: Item, source: Sequence[Span]) -> int:
    """The source word before which an item stands; a word that begins or ends within a pair belongs to it."""
    if item.kind == "open" and (item.partner is None or item.partner.position > item.position):
        return bisect_right(source, item.position, key=lambda span: span[1])
    return bisect_left(source, item.position, key=lambda span: span[0])


def _outermost(items: Sequence[Item], words: Sequence[int], count: int) -> tuple[int, int]:
    """How many items stand before all words, and the first of those behind all words: their place is not in doubt.

    A pair is among them with both tags or with none.
    """
    places = {id(item): place for place, item in enumerate(items)}
    first, last = 0, len(items)
    while first < last and words[first] == 0 and _is_outside(items[first], words, places, count):
        first += 1
    while last > first and words[last - 1] == count and _is_outside(items[last - 1], words, places, count):
        last -= 1
    for place in (*range(first), *range(last, len(items))):
        partner = items[place].partner
        if partner is not None and first <= places[id(partner)] < last:
            return 0, len(items)
    return first, last


def _is_outside(item: Item, words: Sequence[int], places: dict[int, int], count: int) -> bool:
    return item.partner is None or words[places[id(item.partner)]] in (0, count)


def _nodes(items: Sequence[Item], words: Sequence[int]) -> list[Node] | None:
    """The pairs and marks as a tree, in document order; None if a tag has no partner here or pairs cross."""
    nodes: list[Node] = []
    open_nodes: list[Node] = []
    for place, (item, word) in enumerate(zip(items, words, strict=True)):
        if item.kind == "close":
            if not open_nodes or items[open_nodes[-1].first] is not item.partner:
                return None
            open_nodes[-1].last, open_nodes[-1].source = place, (open_nodes[-1].source[0], word)
            open_nodes.pop()
            continue
        sides = (2 - item.before, 2 - item.after) if item.before != item.after else (1, 1)
        nodes.append(Node(place, place, (word, word), open_nodes[-1] if open_nodes else None, sides))
        if item.kind == "open":
            open_nodes.append(nodes[-1])
    return None if open_nodes else nodes
