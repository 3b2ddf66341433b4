"""Message catalogues of gettext (.po): messages without a translation get one.

Kept as they are: the header, comments and flags, contexts, obsolete messages, and every message that has a translation,
be it fuzzy. Placeholders and tags within a message are put back by alignment, and line breaks stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nmt.documents.document import Document, Part
from nmt.documents.inline import InlineText

_KEYWORD = re.compile(r"(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s*(?=\")")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*$')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_MARKUP = re.compile(
    r"(%(?:\(\w+\)|\d+\$)?[-+#0]*\d*(?:\.\d+)?(?:hh|h|ll|l|q|j|z|t|L)?[diouxXeEfFgGcrsa]\b|%%|%\d+|\$?\{[^{}\s]*\}"
    r"|</?[a-zA-Z][^<>]*>|&[a-zA-Z]+;)"
)
"""What a program puts values into, and tags."""
_CONTROLS = re.compile(r"([\t\r]+)")
"""What separates columns, each of which is a block."""


class GettextDocument(Document):
    """A catalogue."""

    def __init__(self, text: str) -> None:
        super().__init__(list(_parts(text.split("\n"))))


class _Message:
    """The lines of a message, and its strings by keyword."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.strings: dict[str, str] = {}
        self.keywords: list[str] = []
        """The keyword that each line belongs to; empty for comments and blank lines."""

    def add(self, line: str) -> None:
        """Adds a line."""
        found = _KEYWORD.match(line)
        keyword = found[1] if found else self.keywords[-1] if self.keywords and line.startswith('"') else ""
        string = _STRING.search(line, found.end() if found else 0) if keyword else None
        if string:
            self.strings[keyword] = self.strings.get(keyword, "") + _unescaped(string[1])
        self.lines.append(line)
        self.keywords.append(keyword)

    @property
    def is_complete(self) -> bool:
        """Whether the next keyword or comment begins another message."""
        return any(keyword.startswith("msgstr") for keyword in self.keywords)

    def parts(self) -> Iterator[Part]:
        """The lines, with a block in each empty translation."""
        translations = {name: text for name, text in self.strings.items() if name.startswith("msgstr")}
        is_open = bool(self.strings.get("msgid")) and translations and not any(translations.values())
        for line, keyword in zip(self.lines, self.keywords, strict=True):
            if is_open and keyword in translations:
                if _KEYWORD.match(line):
                    plural = keyword not in ("msgstr", "msgstr[0]") and "msgid_plural" in self.strings
                    yield from (f"{keyword} ", *_string(self.strings["msgid_plural" if plural else "msgid"]), "\n")
            else:
                yield line + "\n"


def _parts(lines: list[str]) -> Iterator[Part]:
    """The lines were split at line feeds, so the last one has none."""
    message = _Message()
    parts: list[Part] = []
    for line in lines:
        if message.is_complete and not line.startswith(('"', "msgstr")):
            parts += message.parts()
            message = _Message()
        message.add(line)
    parts += message.parts()
    last = parts.pop()
    assert isinstance(last, str), "a line ends with a line feed"
    return iter([*parts, last.removesuffix("\n")])


def _string(text: str) -> Iterator[Part]:
    """A string in quotes, with a block for each of its lines; one of several lines is written as gettext does."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    if len(lines) > 1:
        yield '""\n'
    for number, line in enumerate(lines, 1):
        body = line.removesuffix("\n")
        yield '"'
        for place, cell in enumerate(_CONTROLS.split(body)):
            yield from [_escaped(cell)] if place % 2 else _cell(cell)
        yield ("\\n" if body != line else "") + '"' + "\n" * (number < len(lines))


def _cell(text: str) -> list[Part]:
    run = InlineText(_escaped)
    for place, part in enumerate(_MARKUP.split(text)):
        if place % 2:
            _add_markup(run, part)
        elif part:
            run.add_text(part, _escaped(part))
    return run.parts()


def _add_markup(run: InlineText, source: str) -> None:
    name = re.match(r"</?([a-zA-Z][^\s/>]*)", source)
    if name is None or source.endswith("/>"):
        run.mark([_escaped(source)])
    elif source.startswith("</"):
        run.close(name[1], [_escaped(source)])
    else:
        run.open(name[1], [_escaped(source)])


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), text)


def _escaped(text: str) -> str:
    return re.sub(r'[\\"]', r"\\\g<0>", text).replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")
