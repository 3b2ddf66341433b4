"""The sentence splitter: a line is cut after sentences, by rules that stand in sentences.json.

It needs no model and no language code, since a text may mix languages. Any line takes linear time: each match begins at
a mark, and looks back a bounded number of characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

_END = re.compile(r"[.!?…][\"'”’»)\]]*\s+(?=\S)|[。！？][」』”’]*")  # noqa: RUF001 - the full stops of Chinese and Japanese are meant
"""Where a sentence may end."""
_WORD = re.compile(r"\w{0,6}$")


def split_sentences(line: str) -> Iterator[str]:
    """The sentences of a line, each with the white space behind it; joined, they are the line."""
    start = 0
    for found in _END.finditer(line):
        if not _continues(found):
            yield line[start : found.end()]
            start = found.end()
    yield line[start:]


def _continues(end: re.Match[str]) -> bool:
    """Whether the sentence continues: before a small letter, and after an initial, an ordinal or an abbreviation."""
    line, at = end.string, end.start()
    if line[end.end() : end.end() + 1].islower():
        return True
    word = _WORD.search(line, max(0, at - 6), at)
    return line[at] == "." and word is not None and _is_shortened(word[0].casefold())


def _is_shortened(word: str) -> bool:
    return (word.isdigit() and len(word) <= 2) or (word.isalpha() and len(word) == 1) or word in _rules()


@cache
def _rules() -> frozenset[str]:
    """The abbreviations of all languages."""
    stored = json.loads(files("nmt.text").joinpath("sentences.json").read_text(encoding="utf8"))
    return frozenset(word for words in stored["abbreviations"].values() for word in words.split())
