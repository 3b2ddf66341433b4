"""Diagnostics of a translation without a reference, from its tokens, its attention and statistics of training.

A warning is `KIND: DETAILS`, so that kinds can be counted. It is a reason to look at a translation, not a verdict; how
often each kind occurs in translations by people is in docs/log.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from torch import Tensor

from nmt.data.pairs import copied_words
from nmt.data.vocabulary import Vocabulary
from nmt.text import detection
from nmt.text.languages import name as language_name
from nmt.text.spans import find_spans

CAPPED = "output reached the length cap before it ended"
LOOP = re.compile(r"(.{1,100}?)\1{2,}", re.DOTALL)
"""A string that occurs three times in a row, where each character stands for a token. Its length is bounded, so that
long lines take linear time."""
LOOP_LETTERS = 6
"""Minimum letters of a loop with all its repetitions: "XVIII" and "www" are none."""
RATIO, SLACK = 2.0, 3
"""A target is too long or too short by a factor of `RATIO` against the ratio of training, after `SLACK` tokens are
added to either side."""
SPAN, ATTENTION = 4, 0.1
"""Minimum source tokens in a row, each with less attention than this summed over the target, that are reported."""
WORD_START, LONG_WORD = "▁", 8
"""How a piece begins that begins a word, and the most tokens by which a reported span is extended on either side."""
_DIGITS = re.compile(r"\d+")
SHOWN = 3
"""Maximum examples in a warning."""
QUOTED = 50
"""Maximum characters of an example."""


class Part(NamedTuple):
    """A part of a line that was translated as a whole; most lines have one. Token ids are without EOS."""

    source: Sequence[int]
    target: Sequence[int]
    finished: bool
    weights: Tensor | None = None
    """``(target, slot)``: with attention one slot for each source token and EOS, with a thought vector one."""


class TrainingStatistics(NamedTuple):
    """Statistics of the training data that a translation is compared with."""

    longest: int
    """Tokens of the longest source sentence."""
    ratio: float | None = None
    """Target tokens for one source token; None where it is not known."""
    unseen: Collection[int] | None = None
    """Source token ids that no training sentence has; None where they are not known."""
    language: str | None = None
    """The source language; None if the language of a text is not to be looked at."""


def diagnose(
    line: str, text: str, parts: Sequence[Part], source: Vocabulary, target: Vocabulary, trained: TrainingStatistics
) -> list[str]:
    """The warnings about a line's translation, at most one of each kind."""
    found = (
        _language(line, trained.language),
        _long(parts, trained.longest),
        None if all(part.finished for part in parts) else CAPPED,
        _loop(parts, target),
        _odd_length(parts, trained),
        _unattended(parts, source),
        _copied(line, text),
        _lost(line, text),
        _unknown(parts, source, trained.unseen or ()),
    )
    return [warning for warning in found if warning]


def _language(line: str, trained: str | None) -> str | None:
    if trained is None or (found := detection.unlike(line, [trained])) is None:
        return None
    rather = "it is unknown" if found.language == detection.UNKNOWN else f"rather {language_name(found.language)}"
    return f"the language does not look like {language_name(trained)}: {rather}"


def kind(warning: str) -> str:
    """The kind of a warning, for counts."""
    return warning.partition(":")[0]


def merge(warnings: Sequence[Sequence[str]]) -> list[str]:
    """The warnings of several sentences as those of one text: one of each kind, with the details of all."""
    details: dict[str, dict[str, None]] = {}
    for warning in (each for of_sentence in warnings for each in of_sentence):
        name, _, detail = warning.partition(": ")
        details.setdefault(name, {})[detail] = None
    return [f"{name}: {'; '.join(found)}" if any(found) else name for name, found in details.items()]


def _long(parts: Sequence[Part], longest: int) -> str | None:
    pieces = sum(len(part.source) for part in parts)
    if len(parts) > 1:
        return (
            f"translated in parts: {len(parts)} parts of {pieces} source pieces together, at most {longest} in training"
        )
    return (
        f"longer than anything trained on: {pieces} source pieces, at most {longest} in training"
        if pieces > longest
        else None
    )


def _loop(parts: Sequence[Part], vocabulary: Vocabulary) -> str | None:
    """A loop in the target that has more repetitions than any in the source."""
    found = [
        (rounds, _quoted(words))
        for part in parts
        for block, rounds in _repeated(part.target)
        if sum(map(str.isalpha, words := vocabulary.decode(block))) * rounds >= LOOP_LETTERS
        and rounds > max((times for _, times in _repeated(part.source)), default=1)
    ]
    return "repetition loop: {1} {0} times in a row".format(*max(found)) if found else None


def _repeated(pieces: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Strings that occur at least three times in a row, and how many times."""
    for match in LOOP.finditer("".join(map(chr, pieces))):
        yield [ord(character) for character in match[1]], len(match[0]) // len(match[1])


def _odd_length(parts: Sequence[Part], trained: TrainingStatistics) -> str | None:
    """Unseen characters may take many source tokens and none of the target, so they do not raise the minimum length."""
    if trained.ratio is None:
        return None
    pieces, written = (
        sum(len(side) for side in sides) for sides in zip(*((part.source, part.target) for part in parts), strict=True)
    )
    unseen = trained.unseen or ()
    known = pieces - sum(token in unseen for part in parts for token in part.source)
    fewest, most = trained.ratio * known + SLACK, trained.ratio * pieces + SLACK
    if fewest / RATIO <= written + SLACK <= most * RATIO:
        return None
    return (
        f"length ratio out of range: {written} target pieces for {pieces} source pieces, "
        f"about {trained.ratio * pieces:.0f} expected"
    )


def _unattended(parts: Sequence[Part], vocabulary: Vocabulary) -> str | None:
    spans = [(part, span) for part in parts for span in _spans(part)]
    if not spans:
        return None
    part, longest = max(spans, key=lambda found: len(found[1]))
    return f"source span never attended: {_quoted(vocabulary.decode(_whole_words(part.source, longest, vocabulary)))}"


def _whole_words(source: Sequence[int], span: range, vocabulary: Vocabulary) -> Sequence[int]:
    """The tokens of a span and of the rest of the words at its ends, of which at most `LONG_WORD` are added."""
    begins = [piece.startswith(WORD_START) for piece in vocabulary.pieces(source)]
    first, last = span.start, span.stop
    while first > max(0, span.start - LONG_WORD) and not begins[first]:
        first -= 1
    while last < min(len(source), span.stop + LONG_WORD) and not begins[last]:
        last += 1
    return source[first:last]


def _spans(part: Part) -> Iterator[range]:
    """Source positions in a row that the target hardly attended to; a thought vector has no slots to tell them
    apart."""
    if part.weights is None or part.weights.shape[1] != len(part.source) + 1 or not part.weights.any():
        return
    passed_over = part.weights.sum(0).lt(ATTENTION).tolist()
    for alone, span in groupby(range(len(part.source)), key=passed_over.__getitem__):
        positions = list(span)
        if alone and len(positions) >= SPAN:
            yield range(positions[0], positions[-1] + 1)


def _copied(line: str, text: str) -> str | None:
    words = copied_words(line, text)
    return f"copied source: {_quoted(words)}" if words else None


def _lost(line: str, text: str) -> str | None:
    """Spans that should have survived. Of numbers, the groups of digits count, since languages write them differently;
    small integers may be words."""
    spans = find_spans(line)
    groups = set(_DIGITS.findall(text)) if spans else set()
    lost = [
        span.text_in(line)
        for span in spans
        if span.kind != "count"
        and not (groups.issuperset(_DIGITS.findall(span.text_in(line))) if span.is_read else span.text_in(line) in text)
    ]
    return f"lost: {_some(lost)}" if lost else None


def stand_ins_lost(texts: Iterable[str]) -> str:
    """The warning about spans whose stand-ins did not come back once each, so that alignment put them back."""
    return f"stand-in lost: {_some(texts)}"


def _unknown(parts: Sequence[Part], vocabulary: Vocabulary, unseen: Collection[int]) -> str | None:
    """Unseen tokens in a row are shown as one text, since a character may be spelled in several bytes."""
    spelled = [
        vocabulary.decode([*run]) for part in parts for odd, run in groupby(part.source, unseen.__contains__) if odd
    ]
    return f"pieces unknown to training: {_some(spelled)}" if spelled else None


def _some(texts: Iterable[str]) -> str:
    different = list(dict.fromkeys(texts))
    more = f" and {len(different) - SHOWN} more" if len(different) > SHOWN else ""
    return ", ".join(map(_quoted, different[:SHOWN])) + more


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED else f"{text[:QUOTED]}...")
