"""A tokenizer of HTML that keeps every character: its tokens, joined, are the document.

It follows the tokenizer of the HTML standard (section 13.2.5) in where text, tags and comments begin and end. There is
no tree, so neither depth nor what stands behind ``</html>`` matters, and nothing is written that did not stand there;
libxml2 drops text beyond 256 levels and behind ``</html>``, and writes tags anew. Any document takes linear time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Literal, NamedTuple

from nmt.inference.offsets import Span

_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = (
    rf"[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+(?:{_SPACE}*+={_SPACE}*+"
    r"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|(?=>|\Z)|[^ \t\n\f\r>]++))?+"""
)
_TOKEN = re.compile(
    rf"""(?P<text>(?:[^<]++|<(?![a-zA-Z/!?]))++)
    |(?P<comment><!--(?:-?>|[\s\S]*?(?:--!?>|\Z))|<[!?][^>]*+(?:>|\Z)|</(?![a-zA-Z])[^>]*+(?:>|\Z))
    |</(?P<end>[a-zA-Z][^ \t\n\f\r/>]*+)(?:[ \t\n\f\r/]++|{_ATTRIBUTE})*+(?:>|\Z)
    |<(?P<start>[a-zA-Z][^ \t\n\f\r/>]*+)(?:[ \t\n\f\r/]++|{_ATTRIBUTE})*+(?:>|\Z)""".replace("\n    |", "|")
)
_NAMED = re.compile(
    rf"""(?P<name>[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)"""
    rf"""(?:{_SPACE}*+={_SPACE}*+(?:"(?P<double>[^"]*+)"?|'(?P<single>[^']*+)'?"""
    r"""|(?P<bare>[^ \t\n\f\r>"'][^ \t\n\f\r>]*+))?+)?+"""
)


def elements(kind: str) -> frozenset[str]:
    """Names of elements in elements.json: ``breaks``, ``kept``, ``raw`` or ``void``."""
    stored = json.loads(files("nmt.documents").joinpath("elements.json").read_text(encoding="utf8"))
    return frozenset(name for names in stored[kind] for name in names.split())


RAW = elements("raw")
"""Elements that hold characters and no tags, and no text to translate."""


class Token(NamedTuple):
    """A part of the source."""

    kind: Literal["text", "comment", "start", "end", "raw"]
    source: str
    name: str = ""
    """Of a tag, in small letters."""


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a document; what a raw element holds is one token."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None, "every character begins a token"
        kind = found.lastgroup or ""
        name = found[kind].lower() if kind in ("start", "end") else ""
        yield Token(kind, found[0], name)  # type: ignore[arg-type]  # the names of the groups
        at = found.end()
        if kind == "start" and (name in RAW or name == "title"):
            end = _end(name, text, at)
            if end > at:
                yield Token("raw" if name in RAW else "text", text[at:end])
            at = end


def attributes(tag: str) -> dict[str, Span]:
    """Where the value of each attribute of a start tag stands, by its name in small letters; the first one counts."""
    found: dict[str, Span] = {}
    begin = re.match(r"<[^ \t\n\f\r/>]*+", tag)
    assert begin is not None
    for attribute in _NAMED.finditer(tag, begin.end()):
        group = next((name for name in ("double", "single", "bare") if attribute[name] is not None), None)
        span = attribute.span(group) if group else (attribute.end(), attribute.end())
        found.setdefault(attribute["name"].lower(), span)
    return found


def _end(name: str, text: str, start: int) -> int:
    found = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE).search(text, start)
    return found.start() if found else len(text)
