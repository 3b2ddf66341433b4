"""A sentence as the model reads it: what must survive translation is set aside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nmt.text.spans import VerbatimSpan

OPENING, CLOSING = "([{«„“‚‘¿¡", ".,;:!?…)]}»”’"  # noqa: RUF001 - quotation marks of several languages are meant
_PAIRS = {*zip("([{«»„“‚‘\"'", ")]}»«“”‘’\"'", strict=True)}  # noqa: RUF001 - so are these
_JOINERS = frozenset(" ,;/+&-–—|\u00a0")  # noqa: RUF001 - dashes join
JOINED_OVER = 3
"""Maximum characters between two spans that are set aside together, such as "10 km / 5 h"."""


class Aside(NamedTuple):
    """A part of the sentence that is set aside: one span, or several and what joins them."""

    start: int
    end: int
    at: int
    """Its place in the text that the model reads."""
    is_tag: bool
    left: str
    """The character before it; empty for a blank and at the beginning of the sentence."""
    right: str
    """The character behind it."""


@dataclass(frozen=True)
class Reading:
    """The text that the model reads for a sentence, and what is set aside."""

    sentence: str
    text: str
    asides: list[Aside]
    origins: list[int]
    """The position in the sentence of each character of the text."""

    @property
    def has_words(self) -> bool:
        """Whether the text that the model reads still has words."""
        return any(map(str.isalnum, self.text))

    def in_sentence(self, start: int, end: int) -> tuple[int, int]:
        """A span of the text, as one of the sentence."""
        if start == end:
            at = self.origins[start] if start < len(self.origins) else len(self.sentence)
            return at, at
        return self.origins[start], self.origins[end - 1] + 1


def read_without(sentence: str, spans: Sequence[VerbatimSpan]) -> Reading:
    """The sentence without the spans. No blank is left twice or before a comma, and no bracket around nothing."""
    kept: list[tuple[str, int]] = []
    asides = []
    at = 0
    for start, end, is_tag in _joined(sentence, spans):
        kept += [(sentence[place], place) for place in range(at, start)]
        at = end
        left, right = sentence[start - 1 : start] if start else "", sentence[end : end + 1]
        blank_before, blank_behind = not kept or kept[-1][0].isspace(), not right or right.isspace()
        if blank_before and blank_behind:
            while sentence[at : at + 1].isspace():
                at += 1
        elif blank_before and right in CLOSING:
            while kept and kept[-1][0].isspace():
                kept.pop()
        elif blank_before and right in "-–" and sentence[end + 1 : end + 2].isalnum():  # noqa: RUF001 - a dash
            at += 1
        elif blank_behind and kept[-1][0] in "-–":  # noqa: RUF001 - a dash
            kept.pop()
        elif kept and kept[-1][0].isalnum() and right.isalnum():
            kept.append((" ", start))
        asides.append(Aside(start, end, len(kept), is_tag, left.strip(), right.strip()))
    kept += [(sentence[place], place) for place in range(at, len(sentence))]
    while kept and kept[-1][0].isspace():
        kept.pop()
    return Reading(sentence, "".join(letter for letter, _ in kept), _ordered(asides, len(kept)), [at for _, at in kept])


def _ordered(asides: Sequence[Aside], length: int) -> list[Aside]:
    """The parts where blanks before later ones were removed: none stands behind the next one, or the end."""
    found: list[Aside] = []
    for aside in reversed(asides):
        length = min(aside.at, length)
        found.append(aside._replace(at=length))
    return found[::-1]


def _joined(sentence: str, spans: Sequence[VerbatimSpan]) -> Iterator[tuple[int, int, bool]]:
    """Spans with the brackets around them; those that only joiners separate are one, and so is a tag with what is
    attached to it."""
    held: tuple[int, int, bool] | None = None
    for span in spans:
        start, end, is_tag = span.start, span.end, span.kind == "tag"
        while (
            not is_tag
            and (held[1] if held else 0) < start
            and end < len(sentence)
            and (sentence[start - 1], sentence[end]) in _PAIRS
        ):
            start, end = start - 1, end + 1
        if held is not None and _join(sentence[held[1] : start], is_tag or held[2]):
            held = (held[0], end, is_tag and held[2])
        else:
            if held is not None:
                yield held
            held = (start, end, is_tag)
    if held is not None:
        yield held


def _join(between: str, is_tag: bool) -> bool:
    return not between if is_tag else len(between) <= JOINED_OVER and _JOINERS.issuperset(between)
