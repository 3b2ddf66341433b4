"""What must survive translation as it is: numbers, addresses, file names, placeholders, tags, code, emoji, and the
prefixes of lines.

It needs no model and no language code. Any text takes linear time: a pattern begins where none of its own characters
stands before, repeats without going back, or is bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class VerbatimSpan(NamedTuple):
    """A part of a text that must survive translation as it is."""

    start: int
    end: int
    kind: str

    @property
    def is_read(self) -> bool:
        """Whether models may translate it well themselves: they often copy numbers, and need them for grammar."""
        return self.kind in READ

    def text_in(self, text: str) -> str:
        """The span as it stands in its text."""
        return text[self.start : self.end]


READ = frozenset({"number", "date", "time", "name", "count"})
"""Kinds that a model reads before they are set aside. A ``count`` is an integer up to 12 alone, also as an ordinal,
which may be translated as a word."""
LARGEST_COUNT = 12
_BLANK = "[ \u00a0\u2009\u202f]"
_CLOSING = ".,;:!?…'\"”’»*_"  # noqa: RUF001 - quotation marks of several languages are meant
_LINK = r"\((?:[^()\s]|\([^()\s]{0,100}\)){1,300}\)"
"""The address of a Markdown link."""
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_EMOJI = (
    "[\U0001f000-\U0001faff\u2190-\u21ff\u231a-\u23ff\u25a0-\u27bf\u2b00-\u2bff]"
    "\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]{0,8}"
)
_PLAIN = re.compile(r"[^\W\d_]+(?:[ ,'’\-][^\W\d_]+|[ ,])*+[.!?…]?")  # noqa: RUF001 - an apostrophe
"""A text of words alone, which has nothing to find."""

_PREFIX = re.compile(
    r"(?:(?:>|\#{1,6}(?=\s)|[-*+•‣▪◦·–—](?=\s)|\(?\d{1,3}[.)](?=\s)|\(?[A-Za-z]\)(?=\s)"  # noqa: RUF001 - a dash is a bullet
    r"|\d{1,3}(?:\.\d{1,3}){1,5}\.(?=\s)|\[[ xX]\](?=\s)|[☐☑☒✓✔✗✘])\s*){1,12}"
)
"""Bullets, numbering, headings, quotation marks of mail, and boxes, at the beginning of a line."""


def prefix_end(text: str, start: int = 0) -> int:
    """Where the prefix of a line ends that begins at ``start``; there, where it has none."""
    found = _PREFIX.match(text, start)
    return found.end() if found else start


def find_spans(text: str) -> list[VerbatimSpan]:
    """The spans of a text that must survive, in order, without overlaps."""
    if _PLAIN.fullmatch(text):
        return []
    found = (_span(match) for match in _pattern().finditer(text))
    return [span for span in found if span.end > span.start]


def _span(match: re.Match[str]) -> VerbatimSpan:
    kind, text = str(match.lastgroup), match[0]
    if kind in ("url", "path"):
        text = _without_closing(text)
    if kind == "number" and re.fullmatch(r"\d{1,2}\.?", text) and int(text.rstrip(".")) <= LARGEST_COUNT:
        kind = "count"
    return VerbatimSpan(match.start(), match.start() + len(text), kind)


def _without_closing(address: str) -> str:
    """An address without the punctuation behind it; a bracket that it opens itself is its own."""
    open_brackets = {close: address.count(opening) - address.count(close) for close, opening in _BRACKETS.items()}
    end = len(address)
    while end and (address[end - 1] in _CLOSING or open_brackets.get(address[end - 1], 0) < 0):
        end -= 1
        if address[end] in open_brackets:
            open_brackets[address[end]] += 1
    return address[:end]


@cache
def number_words(language: str) -> dict[int, frozenset[str]] | None:
    """The words for integers up to 12, cardinal and ordinal; None for a language that spans.json does not have."""
    words = _stored()["words"].get(language)
    return words and {int(number): frozenset(each.split()) for number, each in words.items()}


@cache
def _stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("nmt.text").joinpath("spans.json").read_text(encoding="utf8"))
    return found


@cache
def _pattern() -> re.Pattern[str]:
    """All kinds; at the same place, the one that is named first."""
    units, endings, domains = (_any(_stored()[name].split()) for name in ("units", "endings", "domains"))
    kinds = {
        "code": r"``[^`\n]{1,300}``|`[^`\n]{1,300}`",
        "tag": r"</?[A-Za-z][\w:.-]{0,40}(?:\s[^<>]{0,300})?/?>|<!--[^<>]{0,300}-->"
        rf"|\[(?=[^\[\]\n]{{1,200}}\]{_LINK})|\]{_LINK}"
        r"|(?<![\w*])\*{1,3}(?=[^\s*])|(?<=[^\s*])\*{1,3}(?![\w*])|(?<!\w)(?:__|~~)(?=\w)|(?<=\w)(?:__|~~)(?!\w)",
        "entity": r"&(?:\#\d{1,7}|\#[xX][\dA-Fa-f]{1,6}|[A-Za-z]{2,31});",
        "url": r"(?<!\w)(?:(?:https?|ftps?|sftp|file|ssh|git)://|mailto:|www\.)[^\s<>\"`]++"
        rf"|(?<![\w@./-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,4}}(?:{domains})(?![\w@-])(?!\.\w)(?:[:/?\#][^\s<>\"`]++)?",
        "mail": r"(?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}",
        "handle": r"(?<![\w@\#&/])(?:@\w{1,60}(?:@[\w-]{1,60}(?:\.[\w-]{1,60}){1,4})?|\#[^\W\d]\w{0,60})",
        "placeholder": r"\$?\{{1,3}[^{}\n]{1,80}\}{1,3}|\{\}|\[\[[^\[\]\n]{1,80}\]\]|\$[A-Za-z_]\w{0,60}"
        r"|%\(\w{1,60}\)[-+0-9.]{0,6}[a-z]|(?<!\w)%[A-Z_]{2,40}%"
        r"|(?<!\d)%(?:\d{1,2}\$)?[-+0\#]{0,3}\d{0,3}(?:\.\d{1,2})?(?:hh?|ll?|[jzt])?[sdiufFeEgGxXoc@](?![^\W\d_])"
        r"|%%|⟦[1-8]⟧|(?<!\d)%\d{1,2}(?!\w)|\\[nrt\"](?![^\W_]*\\)",
        "path": rf"(?<![\w./\\+-])(?:[A-Za-z]:\\|~/|\.{{0,2}}/)?(?:[\w.+-]{{1,100}}[/\\]){{0,12}}[\w+-]{{1,100}}"
        rf"(?:\.[\w+-]{{1,40}}){{0,5}}\.(?i:{endings})(?!\w)"
        r"|(?<![\w./\\<>)\]:-])(?:[A-Za-z]:\\|~/|\.{0,2}/)[\w.+-]++(?:[/\\][\w.+-]++)*+[/\\]?",
        "identifier": r"(?<!\w)[^\W_]++_[^\W_]\w*+",
        "phone": r"(?<!\w)\+\d{1,3}(?:[ /()-]{1,2}\d{1,12}){1,8}(?!\w)"
        r"|(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?!\w)",
        "date": r"(?<!\w)(?:\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:?\d\d)?)?"
        r"|\d{1,2}\.\d{1,2}\.(?:\d{4}|\d\d)|\d{1,2}/\d{1,2}/(?:\d{4}|\d\d))(?!\w)",
        "time": r"(?<!\w)\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,3})?(?:[–-]\d{1,2}:\d\d)?"  # noqa: RUF001 - a dash
        r"(?:[ \u00a0]?(?:[AaPp]\.?[Mm]\b\.?))?(?!\w)|(?<!\w)\d{1,2} ?h ?\d\d(?!\w)",
        "number": rf"(?:(?:US\$|[$€£¥]|(?<!\w)(?:EUR|USD|CHF|GBP)){_BLANK}?|(?<!\S)[+−-])?(?<!\w)"  # noqa: RUF001 - a minus
        rf"\d++(?:[.,:/'’·×x–-]\d++|{_BLANK}\d{{3}}(?!\d))*+"  # noqa: RUF001 - separators
        rf"(?:{_BLANK}?(?:{units})(?!\w)|\.(?={_BLANK}\S)|(?!\w))|\#\d{{1,9}}(?!\w)",
        "name": r"(?<!\w)(?=\w{0,60}\d)\w++(?:[-./]\w*\d\w*+)*+|(?<!\w)[^\W\d_]{1,20}-\d\w*+(?:[-.]\d\w*+)*+",
        "emoji": rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_EMOJI}(?:\u200d{_EMOJI}){{0,8}}|[\d\#*]\ufe0f?\u20e3"
        r"|[©®™]|(?<!\S)[:;]-?[)(DPp](?!\w)",
    }
    return re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items()))


def _any(words: Iterable[str]) -> str:
    """An alternation, longest words first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
