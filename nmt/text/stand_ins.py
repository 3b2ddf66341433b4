"""Stand-ins: ⟦1⟧ to ⟦8⟧, which stand for what must survive translation, in training text and in what a model reads.

Tags keep to the words that they belong to, and integers up to 12 may become words; neither has a stand-in.
"""

from __future__ import annotations

import random
import re
import zlib
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from nmt.text.spans import VerbatimSpan, find_spans

STAND_INS = tuple(f"⟦{number}⟧" for number in range(1, 9))
STAND_IN = re.compile("⟦[1-8]⟧")
SHARE = 0.2
"""Share of the training pairs that teach copying: a word that both sides have gets a stand-in, too, and numbers begin
anywhere, so that all stand-ins are learned where a corpus has few spans."""
SHORTEST = 3
"""Minimum characters of such a word: "in" is German and English, and no name."""
_WORD = re.compile(r"\w+")
Place: TypeAlias = tuple[int, int]
"""Where a part of a text begins and ends."""


def replaceable(text: str) -> list[VerbatimSpan]:
    """The spans of a text that stand-ins may stand for."""
    return [span for span in find_spans(text) if span.kind not in ("tag", "count")]


def training_pair(source: str, target: str) -> tuple[str, str]:
    """Both sides with the same stand-ins for spans that both have as often, numbered by their order in the source.

    It depends on nothing but the pair. A pair that has stand-ins already stays as it is.
    """
    if STAND_IN.search(source) or STAND_IN.search(target):
        return source, target
    ours, theirs = ([(span.start, span.end) for span in replaceable(text)] for text in (source, target))
    draw = random.Random(zlib.crc32(f"{source}\n{target}".encode()))
    teaches = draw.random() < SHARE
    if teaches and (words := _shared_words(source, ours, target, theirs)):
        word = words[int(draw.random() * len(words))]
        ours, theirs = sorted([*ours, word[0]]), sorted([*theirs, word[1]])
    shared = _as_often(source, ours, target, theirs)[: len(STAND_INS)]
    first = int(draw.random() * (len(STAND_INS) - len(shared) + 1)) if teaches else 0
    named = list(zip(shared, STAND_INS[first:], strict=False))
    return _replaced(source, named), _replaced(target, _named_alike(source, named, target, theirs))


def _as_often(source: str, ours: Sequence[Place], target: str, theirs: Sequence[Place]) -> list[Place]:
    """The places in the source whose texts both sides have as often."""
    counts, others = (
        Counter(text[slice(*place)] for place in places) for text, places in ((source, ours), (target, theirs))
    )
    return [place for place in ours if counts[source[slice(*place)]] == others[source[slice(*place)]]]


def _named_alike(
    source: str, named: Sequence[tuple[Place, str]], target: str, theirs: Sequence[Place]
) -> list[tuple[Place, str]]:
    """The places in the target with the stand-ins of the same texts in the source, of equal ones in their order."""
    waiting: dict[str, deque[str]] = {}
    for place, stand_in in named:
        waiting.setdefault(source[slice(*place)], deque()).append(stand_in)
    return [(place, own.popleft()) for place in theirs if (own := waiting.get(target[slice(*place)]))]


def _shared_words(
    source: str, ours: Sequence[Place], target: str, theirs: Sequence[Place]
) -> list[tuple[Place, Place]]:
    """Where words stand in both texts that each has once, outside of its spans."""
    words, others = _single_words(source, ours), _single_words(target, theirs)
    return [(place, others[word]) for word, place in words.items() if word in others]


def _single_words(text: str, spans: Sequence[Place]) -> dict[str, Place]:
    found = list(_WORD.finditer(text))
    counts = Counter(match[0] for match in found)
    return {
        match[0]: match.span()
        for match in found
        if counts[match[0]] == 1
        and len(match[0]) >= SHORTEST
        and not any(match.start() < end and start < match.end() for start, end in spans)
    }


def _replaced(text: str, named: Sequence[tuple[Place, str]]) -> str:
    parts, at = [], 0
    for (start, end), stand_in in named:
        parts += [text[at:start], stand_in]
        at = end
    return "".join([*parts, text[at:]])


@dataclass(frozen=True)
class Marked:
    """A sentence with stand-ins for its spans, numbered by their order."""

    sentence: str
    spans: list[VerbatimSpan]

    @classmethod
    def of(cls, sentence: str) -> Marked | None:
        """None if it has no such span, or more than there are stand-ins."""
        spans = replaceable(sentence)
        return cls(sentence, spans) if 0 < len(spans) <= len(STAND_INS) else None

    @cached_property
    def text(self) -> str:
        """What a model reads."""
        return _replaced(
            self.sentence, [((span.start, span.end), name) for span, name in zip(self.spans, STAND_INS, strict=False)]
        )

    @cached_property
    def meanings(self) -> dict[str, str]:
        """What each stand-in stands for."""
        return {name: span.text_in(self.sentence) for span, name in zip(self.spans, STAND_INS, strict=False)}

    def rest(self) -> list[VerbatimSpan]:
        """The spans of the text that have no stand-in."""
        return [span for span in find_spans(self.text) if not STAND_IN.fullmatch(span.text_in(self.text))]

    def missing(self, translation: str) -> list[str]:
        """What stands not exactly once in a translation of the text; a stand-in for nothing counts as itself."""
        counts = Counter(STAND_IN.findall(translation))
        return [self.meanings.get(name, name) for name in STAND_INS if counts[name] != (name in self.meanings)]

    def filled(self, translation: str) -> str:
        """A text with what the stand-ins stand for."""
        return STAND_IN.sub(lambda match: self.meanings.get(match[0], match[0]), translation)

    def moved(self, text: str, span: Place) -> Place:
        """A span of a text, as one of the filled text; none begins or ends within a stand-in."""
        start, end = (
            at + sum(len(self.filled(match[0])) - len(match[0]) for match in STAND_IN.finditer(text, 0, at))
            for at in span
        )
        return start, end
