"""HTML: the text of a block element, with its inline tags, is one block to translate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape, unescape

from nmt.documents import counted
from nmt.documents.document import Block, Document, Part, cleaned, has_words
from nmt.documents.inline import InlineText
from nmt.documents.tags import Token, attributes, elements, tokens
from nmt.inference.translator import Translation

BREAKS = elements("breaks")
"""Elements that end a block; all others stand within a sentence. A line break ends one too."""
KEPT = elements("kept")
"""Elements whose text is not translated."""
VOID = elements("void")
"""Elements without an end tag."""
_IMPLIED = {
    **{name: ["p"] for name in BREAKS - {"br", "button", "input", "select", "option", "body", "html"}},
    "li": ["p", "li"],
    "dt": ["p", "dt", "dd"],
    "dd": ["p", "dt", "dd"],
    "td": ["p", "td", "th"],
    "th": ["p", "td", "th"],
    "tr": ["p", "td", "th", "tr"],
    "option": ["option"],
}
"""Elements without an end tag of their own that a start tag ends."""


class HtmlDocument(Document):
    """A document, a fragment, or several documents. Tags and everything that is not translated are the source's, to the
    character.

    Left alone is the text in `KEPT` elements, and in elements with ``translate="no"`` or the class ``notranslate``. The
    attributes ``alt``, ``title``, ``placeholder`` and ``aria-label`` are blocks too.
    """

    def __init__(self, text: str) -> None:
        self._source = text
        super().__init__(html_parts(text))

    def rebuilt(self, translations: Sequence[Translation]) -> str:
        """The translated document; a `UserError` if it does not hold everything that it should."""
        result = super().rebuilt(translations)
        texts = [cleaned(translation).text for translation in translations]
        counted.check(self._source, result, self.blocks, texts)
        return result


def html_parts(text: str) -> list[Part]:
    """The parts of a document or a fragment."""
    reader = _Reader()
    for token in tokens(text):
        reader.read(token)
    return reader.finish()


class _Reader:
    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._run = InlineText(_text)
        self._stack: list[str] = []  # names of open elements
        self._open = Counter[str]()
        self._kept: list[str] = []  # the source of an element that is not translated, so far
        self._depth = 0  # of that element in the stack, from 1; 0 outside

    def read(self, token: Token) -> None:
        """Adds a token."""
        if token.kind == "start":
            self._start(token)
        elif token.kind == "end":
            self._end(token)
        elif self._depth:
            self._kept.append(token.source)
        elif token.kind == "text":
            self._run.add_text(unescape(token.source), token.source)
        else:
            self._run.mark([token.source])

    def finish(self) -> list[Part]:
        """The parts of everything that has been read."""
        self._leave()
        self._flush()
        return self._parts

    def _start(self, token: Token) -> None:
        ended = _IMPLIED.get(token.name, ())
        while self._stack and self._stack[-1] in ended:
            self._pop()
        values = attributes(token.source)
        if not self._depth and _is_kept(token, values):
            if token.name in BREAKS:
                self._flush()
            self._depth = len(self._stack) + 1
        if self._depth:
            self._kept.append(token.source)
        elif token.name in BREAKS:
            self._flush()
            self._parts += _translatable(token, values)
        elif token.name in VOID:
            self._run.mark(_translatable(token, values))
        else:
            self._run.open(token.name, _translatable(token, values))
        if token.name not in VOID:
            self._stack.append(token.name)
            self._open[token.name] += 1
        elif self._depth == len(self._stack) + 1:
            self._leave(token.name)

    def _end(self, token: Token) -> None:
        opened = self._open[token.name] > 0
        if opened:
            while self._stack[-1] != token.name:
                self._pop()
        if self._depth:
            self._kept.append(token.source)
        elif token.name in BREAKS:
            self._flush()
            self._parts.append(token.source)
        elif token.name == "sup":
            self._run.close_note(token.name, [token.source])
        else:
            self._run.close(token.name, [token.source])
        if opened:
            self._pop()

    def _pop(self) -> None:
        """Closes the innermost element."""
        name = self._stack.pop()
        self._open[name] -= 1
        if self._depth == len(self._stack) + 1:
            self._leave(name)

    def _leave(self, name: str = "") -> None:
        """Ends an element that is not translated."""
        kept, self._kept, self._depth = "".join(self._kept), [], 0
        if name in BREAKS:
            self._parts.append(kept)
        elif kept:
            self._run.mark([kept])

    def _flush(self) -> None:
        self._parts += self._run.parts()
        self._run = InlineText(_text)


def _is_kept(token: Token, values: dict[str, tuple[int, int]]) -> bool:
    def value(name: str) -> str:
        start, end = values.get(name, (0, 0))
        return unescape(token.source[start:end]).lower()

    return token.name in KEPT or value("translate") == "no" or "notranslate" in value("class").split()


def _translatable(token: Token, values: dict[str, tuple[int, int]]) -> list[Part]:
    """A start tag with a block for each attribute that is text."""
    parts: list[Part] = []
    done = 0
    for name, (start, end) in values.items():
        text = unescape(token.source[start:end])
        if name not in counted.TRANSLATED or token.name in ("link", "style") or not has_words(text):
            continue
        bare = token.source[start - 1] not in "\"'"
        parts += [token.source[done:start], Block(text, _quoted if bare else escape)]
        done = end
    return [*parts, token.source[done:]]


def _text(text: str) -> str:
    return escape(text, quote=False)


def _quoted(text: str) -> str:
    return f'"{escape(text)}"'
