"""Defects of single sentences: damaged encodings, markup, and tokenised text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from nmt.corpus_checks.report import Found
from nmt.data.pairs import Pairs

_MARKUP = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]{2,8}|#[0-9]{2,6}|#x[0-9a-fA-F]{2,6});")
_TOKENS = re.compile(r"\w [.,](?: |$)|@-@|@@ |\w '(?:s|re|ve|ll|d|m) |\w n't ")
_FOREIGN = re.compile(r"[^\x00-\x7f]{2,}")
_NEVER = {"Cc", "Cn", "Co", "Cs"}
"""Unicode categories that text does not have: control, unassigned, private, surrogate."""


def defects(splits: Mapping[str, Pairs]) -> Iterator[Found]:
    """Sentences of either side with each defect."""
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
    """Whether a text was decoded wrongly: it has U+FFFD, characters no text has, or UTF-8 read as Latin-1."""
    if text.isascii() and text.isprintable():
        return False
    odd = any(
        character in "\ufffd\ufeff" or unicodedata.category(character) in _NEVER
        for character in text
        if character != "\t"
    )
    return odd or any(map(_misread, _FOREIGN.findall(text)))


def _misread(characters: str) -> bool:
    """Whether these characters give valid UTF-8 when they are encoded as Windows-1252 or Latin-1."""
    try:
        characters.encode("cp1252").decode()
    except UnicodeDecodeError:
        return False
    except UnicodeEncodeError:  # the table of Windows-1252 has holes
        return _misread_latin(characters)
    return True


def _misread_latin(characters: str) -> bool:
    try:
        characters.encode("latin-1").decode()
    except UnicodeError:
        return False
    return True
