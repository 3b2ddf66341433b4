"""From lines to translations: sentences, tokenization, batches by length, search, detokenization.

One line in is one line out, whatever its characters and length, and independent of the other lines of its batch.
"""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from types import TracebackType
from typing import Self, TypeAlias, overload

import torch
from torch import Tensor

from nmt.atomic import JsonObject
from nmt.data.batches import pad
from nmt.data.vocabulary import BOS, EOS, PAD, Vocabulary
from nmt.errors import RunError
from nmt.inference.diagnostics import Part, TrainingStatistics, diagnose, merge
from nmt.inference.memory import SHORTEST_LIMIT, SearchMemory
from nmt.inference.offsets import Span, piece_offsets
from nmt.models.protocol import DecodingProtocol, TranslationModel
from nmt.search import BeamSearch, Hypothesis, SearchSettings, length_penalty, never
from nmt.text.passage import Passage

WINDOW = 4096
"""Lines that are read at a time and batched by length."""

_CUTS = (
    re.compile(r"(?<=[.!?…])[\"'”’»)\]]*\s+|(?<=[。！？])[」』”’]*\s*"),  # noqa: RUF001 - the full stops of Chinese and Japanese are meant
    re.compile(r"(?<=[,;:])\s+|(?<=[，；：、])\s*"),  # noqa: RUF001 - so are their commas
    re.compile(r"\s+"),
)
"""Where a long line may be cut: after sentences, clauses, words. Each pattern begins with a lookbehind, so that any
line takes linear time."""


@dataclass(frozen=True)
class Translation:
    """The translation of a line, which is translated sentence by sentence and put together again."""

    source: str
    text: str
    """The translation. Spaces and line breaks between sentences are those of the source; of a line that is translated
    as one sentence, line breaks and blanks do not remain."""
    score: float = 0.0
    """Log-probability after the length penalty, summed over sentences. Of a sentence that is too long for the model and
    translated in parts, the sum over its parts, penalised for their total length."""
    pieces: list[str] = field(default_factory=list)
    """Target pieces, with the end of each part."""
    source_pieces: list[str] = field(default_factory=list)
    """Source pieces as the model read them, with the end of each part."""
    weights: Tensor | None = field(default=None, compare=False)
    """``(target, source)`` for attention, one row for each of `pieces`; ``(target, 1)`` for a thought vector. None for
    several sentences or parts, where it would grow with the square of the length."""
    alternatives: list[tuple[str, float]] = field(default_factory=list)
    """Next best translations with other texts, and their scores; of several sentences, the next best of each; none for
    a sentence translated in parts."""
    alignment: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of positions ``(source, target)``: the slot with the largest weight of each target piece. Empty for a
    thought vector."""
    source_spans: list[Span] = field(default_factory=list, compare=False)
    """Where each of `source_pieces` stands in `source`, in characters; empty spans for ends."""
    spans: list[Span] = field(default_factory=list, compare=False)
    """Where each of `pieces` stands in `text`."""
    warnings: list[str] = field(default_factory=list)
    """Diagnostics, see `nmt.inference.diagnostics`."""

    def as_json(self) -> JsonObject:
        """Plain values for one line of JSON; the weights stay out."""
        return {
            "source": self.source,
            "text": self.text,
            "score": self.score,
            "pieces": self.pieces,
            "source_pieces": self.source_pieces,
            "alternatives": [{"text": text, "score": score} for text, score in self.alternatives],
            "alignment": [list(pair) for pair in self.alignment],
            "warnings": self.warnings,
        }


Translate: TypeAlias = Callable[[Sequence[str]], list[Translation]]
Protect: TypeAlias = Callable[[Sequence[str], Translate, Translate], list[Translation]]
"""Translates sentences, given ways to translate them without and with alignments; see `nmt.inference.protect`."""


class Translator(ABC):
    """Translates lines, one translation for each line, in order. A context manager, which frees processes at the
    end."""

    cancelled: Callable[[], bool] = staticmethod(never)
    """Asked between the steps of a search."""
    limit: int
    """Source tokens of the longest line that is translated whole; a longer one is split."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

    @abstractmethod
    def with_search(self, search: SearchSettings) -> Self:
        """A translator with other search settings that shares everything else, the model among it."""

    def until(self, cancelled: Callable[[], bool]) -> Self:
        """A translator that raises `SearchCancelledError` as soon as ``cancelled`` returns True, if its engine can stop
        within a batch."""
        other = copy(self)
        other.cancelled = cancelled
        return other

    @abstractmethod
    def stream(self, lines: Iterable[str], window: int = WINDOW) -> Iterator[Translation]:
        """Translates lines in order, reading `window` of them at a time."""

    @overload
    def translate(self, text: str) -> Translation: ...  # type: ignore[overload-overlap]  # a str is an iterable of str too, and meant as one text
    @overload
    def translate(self, text: Iterable[str]) -> list[Translation]: ...
    def translate(self, text: str | Iterable[str]) -> Translation | list[Translation]:
        """Translates one text, or each of several."""
        if isinstance(text, str):
            return next(iter(self.stream([text])))
        return list(self.stream(text))


class BatchTranslator(Translator):
    """Splits lines into token ids, batches them by length, lets an engine search, and makes text of what it finds."""

    def __init__(
        self,
        source_vocabulary: Vocabulary,
        target_vocabulary: Vocabulary,
        search: SearchSettings,
        trained: TrainingStatistics,
        *,
        batch_tokens: int = 4096,
        split_long: bool = True,
        passage: Callable[[str], Passage] = Passage.whole,
        protect: Protect | None = None,
        memory: SearchMemory | None = None,
    ) -> None:
        """`batch_tokens` limits the padded source positions in a batch, the beam not counted. `passage` cuts a line
        into sentences, and `protect` keeps numbers, addresses and the like in them. Those longer than any training
        sentence are translated in parts, unless `split_long` is false; `memory` limits both further. Where
        `trained.unseen` is not known, it is what spells unknown characters."""
        for name, value in (("longest", trained.longest), ("batch_tokens", batch_tokens)):
            if value < 1:
                raise ValueError(f"{name}: expected an integer of at least 1, found {value!r}")
        self.source_vocabulary, self.target_vocabulary = source_vocabulary, target_vocabulary
        self.trained = trained if trained.unseen is not None else trained._replace(unseen=source_vocabulary.bytes)
        self.memory, self.split_long = memory, split_long
        self.batch_tokens, self.passage, self.protect = batch_tokens, passage, protect
        self._set_search(search)

    def with_search(self, search: SearchSettings) -> Self:
        other = copy(self)
        other._set_search(search)
        return other

    def _set_search(self, search: SearchSettings) -> None:
        self.search = BeamSearch(search, bos=BOS, eos=EOS, pad=PAD)
        self.limit = self._limit() if self.split_long else sys.maxsize

    def _limit(self) -> int:
        if self.memory is None:
            return max(self.trained.longest, SHORTEST_LIMIT)
        return self.memory.longest_source(self.trained.longest, self.search.settings)

    def rows(self, source: int) -> int:
        """Sentences in a batch whose longest source has so many tokens, its end counted."""
        rows = max(1, self.batch_tokens // source)
        if self.memory is None or not self.memory.batches:
            return rows
        return min(rows, self.memory.rows(source, self.search.settings))

    @abstractmethod
    def _find(self, batches: Sequence[list[list[int]]]) -> Iterable[list[list[Hypothesis]]]:
        """Hypotheses, best first, for every part of every batch; parts are token ids without EOS."""

    def stream(self, lines: Iterable[str], window: int = WINDOW) -> Iterator[Translation]:
        assert window >= 1, "a window without lines would drop them all"
        lines = iter(lines)
        while chunk := list(islice(lines, window)):
            yield from self._window(chunk)

    def _window(self, lines: Sequence[str]) -> list[Translation]:
        passages = [self.passage(line) for line in lines]
        translations = iter(self._sentences([sentence for passage in passages for sentence in passage.sentences]))
        return [combine(passage, list(islice(translations, len(passage.sentences)))) for passage in passages]

    def _sentences(self, sentences: Sequence[str]) -> list[Translation]:
        if self.protect is None:
            return self._as_read(sentences)
        keep_weights = self.search.settings.keep_weights
        aligned = self.with_search(replace(self.search.settings, keep_weights=True))
        found = self.protect(sentences, self._as_read, aligned._as_read)
        return found if keep_weights else [replace(each, weights=None, alignment=[]) for each in found]

    def _as_read(self, sentences: Sequence[str]) -> list[Translation]:
        """The translations of sentences that the model reads as they are."""
        parts = [self._parts(sentence) for sentence in sentences]
        found = iter(self._search([part for sentence in parts for part in sentence]))
        return [
            self._translation(sentence, own, list(islice(found, len(own))))
            for sentence, own in zip(sentences, parts, strict=True)
        ]

    def _parts(self, sentence: str) -> list[list[int]]:
        """Token ids of each part of a sentence; none for a blank one."""
        encode = self.source_vocabulary.encode
        whole = encode(sentence)
        if len(whole) > self.limit:
            return list(filter(None, map(encode, split(sentence, self.limit, lambda text: len(encode(text))))))
        return [whole] if whole else []

    def _search(self, parts: list[list[int]]) -> list[list[Hypothesis]]:
        """Hypotheses for every part, in order. Batches hold parts of similar length, longest first."""
        order = sorted(range(len(parts)), key=lambda place: -len(parts[place]))
        batches, start = [], 0
        while start < len(order):
            positions = len(parts[order[start]]) + 1
            batches.append([parts[place] for place in order[start : start + self.rows(positions)]])
            start += len(batches[-1])
        found = dict(zip(order, chain.from_iterable(self._find(batches)), strict=True))
        return [found[place] for place in range(len(parts))]

    def _translation(self, sentence: str, parts: list[list[int]], found: list[list[Hypothesis]]) -> Translation:
        if not parts:
            return Translation(sentence, "")
        best = [hypotheses[0] for hypotheses in found]
        source = [self.source_vocabulary.pieces([*part, EOS]) for part in parts]
        target = [self.target_vocabulary.pieces([*each.tokens, *[EOS] * each.finished]) for each in best]
        text = " ".join(filter(None, map(self._text, best)))
        seen = [Part(part, each.tokens, each.finished, each.weights) for part, each in zip(parts, best, strict=True)]
        pieces, source_pieces = list(chain(*target)), list(chain(*source))
        return Translation(
            source=sentence,
            text=text,
            score=sum(each.log_probability for each in best) / length_penalty(sum(map(len, target)), self.search.alpha),
            pieces=pieces,
            source_pieces=source_pieces,
            weights=best[0].weights if len(best) == 1 else None,
            alternatives=self._alternatives(text, found[0][1:]) if len(found) == 1 else [],
            alignment=_alignment(source, target, best),
            source_spans=piece_offsets(sentence, source_pieces),
            spans=piece_offsets(text, pieces),
            warnings=diagnose(sentence, text, seen, self.source_vocabulary, self.target_vocabulary, self.trained),
        )

    def _text(self, hypothesis: Hypothesis) -> str:
        return self.target_vocabulary.decode(hypothesis.tokens)

    def _alternatives(self, text: str, others: list[Hypothesis]) -> list[tuple[str, float]]:
        """Different pieces may spell the same text, which is listed once with its best score."""
        different: dict[str, float] = {}
        for each in others:
            different.setdefault(self._text(each), each.score)
        return [(other, score) for other, score in different.items() if other != text]


class TorchTranslator(BatchTranslator):
    """Translates with a model for inference, on the given device."""

    def __init__(
        self,
        model: DecodingProtocol,
        source_vocabulary: Vocabulary,
        target_vocabulary: Vocabulary,
        search: SearchSettings,
        trained: TrainingStatistics,
        *,
        batch_tokens: int = 4096,
        split_long: bool = True,
        passage: Callable[[str], Passage] = Passage.whole,
        protect: Protect | None = None,
        memory: SearchMemory | None = None,
        device: torch.device | str = "cpu",
        interpreted: TranslationModel | None = None,
    ) -> None:
        """`interpreted` is the training model behind `model`, for interpretation; for the rest see
        `BatchTranslator`."""
        super().__init__(
            source_vocabulary,
            target_vocabulary,
            search,
            trained,
            batch_tokens=batch_tokens,
            split_long=split_long,
            passage=passage,
            protect=protect,
            memory=memory,
        )
        self.model, self.interpreted, self.device = model, interpreted, torch.device(device)

    def _find(self, batches: Sequence[list[list[int]]]) -> Iterable[list[list[Hypothesis]]]:
        return map(self._batch, batches)

    def _batch(self, parts: list[list[int]]) -> list[list[Hypothesis]]:
        source, mask = pad([[*part, EOS] for part in parts])
        try:
            return self.search(self.model, source.to(self.device), mask.to(self.device), cancelled=self.cancelled)
        except FloatingPointError as error:
            raise RunError(str(error)) from error


def combine(passage: Passage, translations: Sequence[Translation]) -> Translation:
    """The translation of a passage, from those of its sentences; pieces, alignment and warnings are of the whole."""
    if len(translations) == 1 and passage.gaps == ["", ""]:
        return translations[0]
    alignment, source_spans, spans = [], [], []
    sources = targets = 0
    end = 0  # of the text so far
    for translation, start, gap in zip(translations, passage.starts, passage.gaps, strict=False):
        begin = end + len(gap)
        alignment += [(sources + source, targets + target) for source, target in translation.alignment]
        source_spans += [(start + first, start + last) for first, last in translation.source_spans]
        spans += [(begin + first, begin + last) for first, last in translation.spans]
        sources, targets = len(source_spans), len(spans)
        end = begin + len(translation.text)
    text = passage.joined([translation.text for translation in translations])
    return Translation(
        source=passage.text,
        text=text,
        score=sum(translation.score for translation in translations),
        pieces=[piece for translation in translations for piece in translation.pieces],
        source_pieces=[piece for translation in translations for piece in translation.source_pieces],
        weights=translations[0].weights if len(translations) == 1 else None,
        alternatives=_combined_alternatives(passage, translations, text),
        alignment=alignment,
        source_spans=source_spans,
        spans=spans,
        warnings=merge([translation.warnings for translation in translations]),
    )


def _combined_alternatives(passage: Passage, translations: Sequence[Translation], best: str) -> list[tuple[str, float]]:
    """Each is the passage with the next best translation of every sentence that has one."""
    different: dict[str, float] = {}
    for rank in range(max((len(translation.alternatives) for translation in translations), default=0)):
        chosen = [
            translation.alternatives[rank]
            if rank < len(translation.alternatives)
            else (translation.text, translation.score)
            for translation in translations
        ]
        different.setdefault(passage.joined([text for text, _ in chosen]), sum(score for _, score in chosen))
    return [(text, score) for text, score in different.items() if text != best]


def split(text: str, limit: int, count: Callable[[str], int], cuts: Sequence[re.Pattern[str]] = _CUTS) -> list[str]:
    """Splits a text into parts of at most ``limit`` tokens as ``count`` counts them: whole sentences where they fit,
    else clauses, then words, then characters. Joined, the parts are the text."""
    if not cuts:
        return _slices(text, limit, count)
    parts = []
    start = end = size = 0  # text[start:end] is the current part
    for cut in (*(match.end() for match in cuts[0].finditer(text)), len(text)):
        pieces = count(text[end:cut])
        if size + pieces > limit:
            parts.append(text[start:end])
            start, size = end, 0
        if pieces > limit:
            parts += split(text[end:cut], limit, count, cuts[1:])
            start, pieces = cut, 0
        size += pieces
        end = cut
    return [part for part in (*parts, text[start:]) if part]


def _slices(text: str, limit: int, count: Callable[[str], int]) -> list[str]:
    """Even slices, sliced again where they are still too long; a single character is never split."""
    times = min(-(-count(text) // limit), len(text))
    if times <= 1:
        return [text]
    width = -(-len(text) // times)
    return [part for start in range(0, len(text), width) for part in _slices(text[start : start + width], limit, count)]


def _alignment(sources: list[list[str]], targets: list[list[str]], best: list[Hypothesis]) -> list[tuple[int, int]]:
    """The slot with the largest weight for each target piece, EOS left out."""
    pairs = []
    first_source = first_target = 0  # offsets of the part in the line
    for each, source, target in zip(best, sources, targets, strict=True):
        if each.weights is not None and each.weights.shape[1] == len(source) and each.weights.any():
            slots = each.weights[: len(each.tokens)].argmax(1).tolist()
            pairs += [(first_source + slot, first_target + place) for place, slot in enumerate(slots)]
        first_source += len(source)
        first_target += len(target)
    return pairs
