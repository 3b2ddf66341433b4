"""Markdown: paragraphs, headings, list items and table cells are blocks; everything else is kept.

markdown-it-py finds the blocks and the lines on which they stand (CommonMark, and tables as on GitHub). A paragraph
comes back on one line, since its line breaks are spaces; hard line breaks stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from html import unescape
from itertools import accumulate
from typing import NamedTuple

from markdown_it import MarkdownIt

from nmt.documents.document import Document, Part
from nmt.documents.html import html_parts
from nmt.documents.inline import InlineText
from nmt.documents.tags import elements, tokens

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(?:.*\n)*?(?:\1|\.\.\.)[ \t]*(?:\n|\Z)")
_HARD = re.compile(r"(?:[ \t]{2,}|\\)$")
"""The end of a line that breaks within a paragraph."""
NESTED = 100
"""Open marks of emphasis among which the first of a pair is looked for; elsewhere, bounds keep the time linear too."""
_NOTE = re.compile(r"^([ >]*\[\^[^\]\s]+\]):", re.MULTILINE)
"""The beginning of a footnote, which CommonMark does not know: of one word, it would be the target of a link. So the
parser is given another mark in the place of its colon."""
_READ_NOTE = re.compile(r"\[\^[^\]\s]+\][;:]")
_KEPT = "|".join(sorted(elements("kept")))
_INLINE = re.compile(
    rf"""(?P<mark>(`++)[^`](?:.{{0,2000}}?[^`])??\2(?!`)"""
    r"""|\A\[[ xX]\](?=\s)|\A\[\^[^\]\s]+\]:|\[\^[^\]\s]+\]|<!--.{0,2000}?-->"""
    r"""|\$\$[^$]{1,2000}\$\$|(?<![\w$])\$(?=[^\s$])(?=[^$]{0,300}[\^_\\=])[^$]{1,300}(?<=\S)\$(?![\w$])"""
    rf"""|<({_KEPT})\b[^>]*>.{{0,2000}}?</\3>"""
    r"""|<(?:[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>]*|[^\s<>@]+@[^\s<>]+)>|(?:https?://|www\.)[^\s<>]*[^\s<>.,;:!?)\]'"*_])"""
    r"""|\\(?P<escaped>[!-/:-@\[-`{-~])"""
    r"""|(?P<tag></?[a-zA-Z][^<>]*>)"""
    r"""|(?P<first>!?\[)"""
    r"""|(?P<last>\](?:\((?:<[^<>]*>|(?:[^()\s\\]|\\.|\([^()\s]*\))*+)(?:\s+(?:"[^"]{0,500}"|'[^']{0,500}'|\([^()]*\)))?"""
    r"""\s*\)|\[[^\[\]]*\])?)"""
    r"""|(?P<emphasis>\*{1,3}|_{1,3}|~~)"""
    r"""|(?P<text>\w+|&#?\w+;|.)""",
    re.DOTALL,
)
_ESCAPED = re.compile(
    r"[\\`*]|~~|(?<!\w)_|_(?!\w)|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|\](?=[(\[:])|^[#>+-](?=\s)|^\d{1,9}[.)](?=\s)"
)


class MarkdownDocument(Document):
    """A document; front matter, code, formulas between dollars, HTML comments and targets of links are kept."""

    def __init__(self, text: str) -> None:
        super().__init__(_parts(text))


class _Token(NamedTuple):
    kind: str
    source: str
    start: int


def _parts(text: str) -> list[Part]:
    """Where a block cannot be found in its lines, it is left as it is."""
    front = _FRONT_MATTER.match(text)
    blank = re.sub(r"[^\n]", "", front[0]) + text[front.end() :] if front else text
    blank = _NOTE.sub(r"\1;", blank)
    starts = list(accumulate((len(line) for line in text.split("\n")), lambda start, size: start + size + 1, initial=0))
    environment: dict[str, dict[str, object]] = {}
    parts: list[Part] = []
    done = 0
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(blank, environment):
        if token.map is None or token.type not in ("inline", "html_block"):
            continue
        first, last = token.map[0], min(token.map[1], len(starts) - 1)
        if token.type == "html_block":
            start, end = max(done, starts[first]), starts[last]
            found = html_parts(text[start:end]) if text[start:end].strip() == token.content.strip() else None
        else:
            start, end, found = _paragraph(text, token.content, max(done, starts[first]), starts[last], environment)
        if found is not None:
            parts += [text[done:start], *found]
            done = end
    return [*parts, text[done:]]


def _paragraph(
    text: str, content: str, start: int, end: int, environment: dict[str, dict[str, object]]
) -> tuple[int, int, list[Part] | None]:
    """Where the content of a paragraph begins and ends in the text, and its parts, one for each hard line break."""
    spans: list[tuple[int, int]] = []
    is_cell = False
    for line in content.split("\n"):
        body = line.strip()
        place = text.find(body, start, end)
        if place < 0 and _READ_NOTE.match(body):
            body = body.replace("];", "]:", 1)
            place = text.find(body, start, end)
        elif place < 0:
            body, is_cell = body.replace("|", "\\|"), True
            place = text.find(body, start, end)
        if place < 0:
            return start, start, None
        spans.append((place, place + len(body)))
        start = place + len(body)
    references = set(environment.get("references", {}))
    parts: list[Part] = []
    lines: list[str] = []
    for number, (first, last) in enumerate(spans):
        lines.append(text[first:last])
        following = spans[number + 1][0] if number + 1 < len(spans) else last
        hard = _HARD.search(text[first:following].partition("\n")[0])
        if hard or number + 1 == len(spans) or _READ_NOTE.match(text, following):
            body = "\n".join(lines)
            kept = "\\" * (hard is not None and body.endswith("\\"))
            parts += [*_inline(body.removesuffix(kept), references, is_cell), kept, text[last:following]]
            lines = []
    return spans[0][0], spans[-1][1], parts


def _inline(text: str, references: set[str], is_cell: bool) -> list[Part]:
    found = list(_tokens(text))
    closes = _pairs(found, text, references)
    opened = set(closes.values())
    parts: list[Part] = []
    run = InlineText(partial(_escaped, is_cell=is_cell))
    for place, token in enumerate(found):
        if token.kind == "mark":
            run.mark([token.source])
        elif token.kind == "tag" and token.source[1:3].lower() == "br":
            parts += [*run.parts(), token.source]
            run = InlineText(partial(_escaped, is_cell=is_cell))
        elif token.kind == "tag":
            _add_tag(run, token.source)
        elif place in opened:
            run.open(str(place), [token.source])
        elif place in closes:
            first = found[closes[place]]
            label = text[first.start + len(first.source) : token.start]
            shortcut = f"][{label}]" if token.source in ("]", "][]") else token.source
            run.close(str(closes[place]), [shortcut if token.kind == "last" else token.source])
        else:
            run.add_text(token.source[1:] if token.kind == "escaped" else unescape(token.source), token.source)
    return [*parts, *run.parts()]


def _tokens(text: str) -> Iterator[_Token]:
    """The tokens of a paragraph; of three stars or underscores, those that end the inner emphasis are a token first."""
    opened: list[str] = []
    for match in _INLINE.finditer(text):
        kind, source, start = match.lastgroup or "", match[0], match.start()
        if kind != "emphasis":
            yield _Token(kind, source, start)
            continue
        closing = opened and text[start - 1 : start].strip() and opened[-1][0] == source[0]
        size = len(opened[-1]) if closing and len(source) == 3 else len(source) - (len(source) == 3)
        for part in filter(None, (source[:size], source[size:])):
            if closing and opened and opened[-1] == part:
                opened.pop()
            else:
                opened.append(part)
            yield _Token(kind, part, start)
            start += len(part)


def _pairs(found: Sequence[_Token], text: str, references: set[str]) -> dict[int, int]:
    """The place of the opening token for that of each closing one; what is left over is text."""
    closes: dict[int, int] = {}
    stack: list[int] = []
    for place, token in enumerate(found):
        if token.kind == "first":
            stack.append(place)
        elif token.kind == "last":
            while stack and found[stack[-1]].kind != "first":
                stack.pop()
            if stack:
                first = stack.pop()
                label = text[found[first].start + len(found[first].source) : token.start]
                if token.source not in ("]", "][]") or " ".join(label.split()).upper() in references:
                    closes[place] = first
        elif token.kind == "emphasis":
            _pair_emphasis(found, place, text, stack, closes)
    return closes


def _pair_emphasis(found: Sequence[_Token], place: int, text: str, stack: list[int], closes: dict[int, int]) -> None:
    token = found[place]
    before, behind = text[token.start - 1 : token.start], text[token.start + len(token.source) :][:1]
    inside = token.source[0] == "_" and before.isalnum() and behind.isalnum()
    level = _opener(found, token.source, stack)
    if before.strip() and not inside and level is not None:
        closes[place] = stack[level]
        del stack[level:]
    elif behind.strip() and not inside:
        stack.append(place)


def _opener(found: Sequence[_Token], source: str, stack: list[int]) -> int | None:
    """Where in the stack the same mark of emphasis stands, within the brackets that were opened last."""
    for level in range(len(stack) - 1, max(len(stack) - NESTED, 0) - 1, -1):
        if found[stack[level]].kind != "emphasis":
            return None
        if found[stack[level]].source == source:
            return level
    return None


def _add_tag(run: InlineText, source: str) -> None:
    (token,) = list(tokens(source))[:1]
    if token.kind == "end":
        run.close(f"<{token.name}", [source])
    elif token.name in elements("void") or source.endswith("/>"):
        run.mark([source])
    else:
        run.open(f"<{token.name}", [source])


def _escaped(text: str, is_cell: bool) -> str:
    written = _ESCAPED.sub(_escape, text)
    return written.replace("|", "\\|") if is_cell else written


def _escape(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&amp;"
    return found[0][:-1] + "\\" + found[0][-1] if found[0][0].isdigit() else "".join(f"\\{each}" for each in found[0])
