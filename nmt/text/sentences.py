"""The sentence splitter: a line is cut after sentences, by rules whose words stand in sentences.json.

It needs no model and no language code: a text may mix languages. Any line takes linear time: runs of marks, quotes
and spaces are matched once and without backtracking, and the words around a mark are looked at within `FAR` characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

FAR = 24
"""Maximum characters of a word that a rule can know."""

_END = re.compile(
    r"(?<![.!?…])[.!?…]++(?:[ \u00a0\u202f][»›](?=\s|$))?+[\"'”“’‘»«›‹)\]]*+\s++(?=\S)|[。！？]++[」』”’]*+"  # noqa: RUF001 - the full stops of Chinese and Japanese are meant
)
"""Where a sentence may end: marks, closing quotes and brackets, white space. A French quote is closed after a space."""
_WORD = re.compile(r"[^\W_]*$")
_LETTERS = re.compile(r"(?:(?<![^\W_])[^\W_]\. ?)*(?<![^\W_])[^\W_]$")
"""Single letters with full stops between them: an initial, or several, or an acronym."""
_AFTER_NUMBER = re.compile(r"\d[ \u00a0\u202f]?$|\d[.,:]$")
"""Before a unit of one letter, and before the decimals of a number."""
_NEXT = re.compile(r"[\"'“„«»‹›‘‚(\[¿¡\s]*((?![^\W_]\.)[^\W_]*)")  # noqa: RUF001 - quotation marks of German are meant


class Rules(NamedTuple):
    """The word lists of sentences.json, those of all languages together, in lower case."""

    never: frozenset[str]
    number: frozenset[str]
    company: frozenset[str]
    starters: frozenset[str]


def split_sentences(line: str) -> Iterator[str]:
    """The sentences of a line, each with the white space behind it; joined, they are the line."""
    start = 0
    for found in _END.finditer(line):
        if not _continues(line, start, found):
            yield line[start : found.end()]
            start = found.end()
    if start < len(line):
        yield line[start:]


def _continues(line: str, start: int, end: re.Match[str]) -> bool:
    """Whether the sentence that begins at ``start`` continues after the marks ``end``."""
    following = _NEXT.match(line, end.end(), end.end() + FAR)
    after = following[1] if following else ""
    if after[:1].islower():
        return True
    at = end.start()
    if line[at] != "." or line[at : at + 2] in ("..", ".!", ".?"):
        return False
    return _is_shortened(line[max(start, at - FAR) : at], after, at_start=at - start <= FAR)


def _is_shortened(before: str, after: str, *, at_start: bool) -> bool:
    """Whether a full stop belongs to the word before it: an abbreviation, an initial, an acronym or an ordinal.

    ``before`` ends with that word, and ``after`` is the next word; ``at_start`` where the sentence is no longer.
    """
    found, rules = _WORD.search(before), _rules()
    assert found is not None, "the pattern matches the empty string"
    word, rest = found[0].casefold(), before[: found.start()]
    may_end = after.casefold() in rules.starters and not (at_start and not any(map(str.isalnum, rest)))
    if letters := _LETTERS.search(before):
        if _AFTER_NUMBER.search(before[: letters.start()]):
            return False
        return letters[0].replace(" ", "").casefold() in rules.never or not may_end
    if word in rules.never or word.endswith("str"):  # Bahnhofstr.
        return True
    if word.isdigit():
        return len(word) <= 2 and not may_end and not _AFTER_NUMBER.search(rest)
    return (word in rules.number and after[:1].isdigit()) or (
        not may_end and (word in rules.company or _is_roman(found[0]))
    )


def _is_roman(word: str) -> bool:
    return bool(word) and not word.strip("IVX")


@cache
def _rules() -> Rules:
    stored = json.loads(files("nmt.text").joinpath("sentences.json").read_text(encoding="utf8"))
    kinds = (stored[kind].values() for kind in Rules._fields)
    return Rules(*(frozenset(word for words in languages for word in words.split()) for languages in kinds))
