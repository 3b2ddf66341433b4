"""How sentences are written: damaged encodings, markup, and text that was split into tokens before."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from nmt.corpus_checks.finding import Found
from nmt.data.pairs import Pairs

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]{2,8}|#[0-9]{2,6}|#x[0-9a-fA-F]{2,6});")
_TOKENS = re.compile(r"\w [.,](?: |$)|@-@|@@ |\w '(?:s|re|ve|ll|d|m) |\w n't ")
_FOREIGN = re.compile(r"[^\x00-\x7f]{2,}")
_NEVER = {"Cc", "Cn", "Co", "Cs"}
"""Categories of characters that no text has: control characters, unassigned ones, private ones, halves of pairs."""


def faults(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences of either side with each fault."""
    checks: dict[str, Callable[[str], object]] = {
        "damaged": damaged,
        "markup": _MARKUP.search,
        "tokenised": _TOKENS.search,
    }
    for name, pairs in splits.items():
        for side, sentences in (("source", pairs.source), ("target", pairs.target)):
            for check, test in checks.items():
                yield check, f"{name} {side}", [text for text in sentences if test(text)], len(sentences)


def damaged(text: str) -> bool:
    """Whether a text went through a wrong encoding: it has the mark of what was lost, characters that no text has, or UTF-8 read as Latin-1."""
    if text.isascii() and text.isprintable():
        return False
    odd = any(
        character in "\ufffd\ufeff" or unicodedata.category(character) in _NEVER
        for character in text
        if character != "\t"
    )
    return odd or any(map(_misread, _FOREIGN.findall(text)))


def _misread(characters: str) -> bool:
    """Whether characters beyond ASCII are valid UTF-8 when they are written back as the bytes that they were read from."""
    try:
        characters.encode("cp1252").decode()
    except UnicodeDecodeError:
        return False
    except UnicodeEncodeError:  # not of Windows, whose table has holes; of Latin-1 then
        return _misread_latin(characters)
    return True


def _misread_latin(characters: str) -> bool:
    try:
        characters.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True
