"""The count of what went into an HTML document and what came out, by another parser than the one that translated it.

The parser is `html.parser` of the standard library. Characters of text are counted without their order: those of the
source, less those of its blocks, and those of the translations must be those of the result. Tags, comments and
attributes that are not translated must be the same ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser

from nmt.errors import UserError

TRANSLATED = ("alt", "title", "placeholder", "aria-label")
"""Attributes whose value is text for readers."""
_BEGINNINGS = ((re.compile("<[a-zA-Z/!?]"), ">"), (re.compile("<!--"), "-->"), (re.compile(r"<!\["), "]"))
UNENDED = 1000
"""Most marks that begin a tag or a comment and have no end behind them; `html.parser` looks for the end of each."""


class Count(HTMLParser):
    """The characters and tags of a document. As in the HTML standard, a title holds text and no tags."""

    CDATA_CONTENT_ELEMENTS = ("script", "style", "title")  # type: ignore[misc]  # final for typeshed only

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.characters: Counter[str] = Counter()
        self.tags: Counter[tuple[str, ...]] = Counter()
        try:
            self.feed(text)
            self.close()
            if self.cdata_elem and self.rawdata:  # of an element without an end, some versions of Python leave the rest
                self.handle_data(self.rawdata)
        except AssertionError as error:  # what `html.parser` raises where it does not know a declaration
            raise UserError(f"the document cannot be read as HTML: {error}") from error

    def handle_data(self, data: str) -> None:
        self.characters.update(_visible(unescape(data) if self.cdata_elem == "title" else data))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags["start", tag, *(f"{name}={value}" for name, value in attrs if name not in TRANSLATED)] += 1
        for name, value in attrs:
            if name in TRANSLATED:
                self.tags["attribute", tag, name] += 1
                self.characters.update(_visible(value or ""))

    def handle_endtag(self, tag: str) -> None:
        self.tags["end", tag] += 1

    def handle_comment(self, data: str) -> None:
        self.tags["comment", data] += 1

    def handle_decl(self, decl: str) -> None:
        self.tags["declaration", decl] += 1

    def handle_pi(self, data: str) -> None:
        self.tags["instruction", data] += 1

    def unknown_decl(self, data: str) -> None:
        self.tags["declaration", data] += 1


def check(source: str, result: str, blocks: Iterable[str], translations: Iterable[str]) -> None:
    """A `UserError` unless the result holds everything of the source, with the translations for the blocks."""
    before, after = Count(guarded(source)), Count(result)
    expected = before.characters.copy()
    expected.subtract(Counter("".join(map(_visible, blocks))))
    expected.update("".join(map(_visible, translations)))
    if before.tags != after.tags or +expected != after.characters or min(expected.values(), default=0) < 0:
        raise UserError("the document cannot be read as HTML without losing text or tags; correct its markup")


def guarded(text: str) -> str:
    """The text; a `UserError` if counting would take time that grows with its square."""
    for begin, end in _BEGINNINGS:
        if sum(1 for _ in begin.finditer(text, text.rfind(end) + 1)) > UNENDED:
            raise UserError(f"the document cannot be read as HTML: more than {UNENDED} tags or comments without {end}")
    return text


def _visible(text: str) -> str:
    return "".join(text.split())
