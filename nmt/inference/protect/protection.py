"""Protection of what must survive translation: numbers, addresses, placeholders, tags, code, emoji.

A model sees some spans first: numbers, which it may know how to handle, and which it needs for its grammar. Where one
does not come out as it went in, at the word that it is aligned to, the sentence is read again without it. Everything
else is set aside at once, since no model does better with an address than to copy it. What is set aside is put back
between the words of the translation, by alignment, so nothing can be lost.

A model that was trained with `data.placeholders` reads stand-ins instead, numbers included. Where one is not in the
translation exactly once, the sentence is translated as above.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from nmt.inference import diagnostics
from nmt.inference.offsets import Span
from nmt.inference.protect.reading import Reading, read_without
from nmt.inference.protect.restoring import restored, unmarked, without_invented
from nmt.inference.translator import Translate, Translation
from nmt.text.spans import VerbatimSpan, find_spans, number_words
from nmt.text.stand_ins import STAND_IN, Marked


class Protection:
    """Translates sentences so that what must survive stands in the translations."""

    def __init__(self, language: str | None = None, *, stand_ins: bool = False) -> None:
        """``language`` is that of the translations. Where its number words are not known, integers up to 12 are left to
        the model unchecked. ``stand_ins`` says that the model has learned to copy those."""
        self.stand_ins = stand_ins
        self.words = number_words(language or "")

    def translate(self, sentences: Sequence[str], plain: Translate, aligned: Translate) -> list[Translation]:
        """``plain`` translates sentences without such spans; ``aligned`` gives alignments, which cost time."""
        if self.stand_ins:
            plain, aligned = _without_invented(plain), _without_invented(aligned)
        spans = [find_spans(sentence) for sentence in sentences]
        marked = self._marked(sentences, spans)
        texts = [marked[place].text if place in marked else each for place, each in enumerate(sentences)]
        rest = [marked[place].rest() if place in marked else own for place, own in enumerate(spans)]
        found = self._protected(texts, rest, plain, aligned)
        missing = {place: each.missing(found[place].text) for place, each in marked.items()}
        lost = [place for place, names in missing.items() if names]
        again = self._protected([sentences[place] for place in lost], [spans[place] for place in lost], plain, aligned)
        for place, each in marked.items():
            found[place] = unmarked(each, found[place])
        for place, translation in zip(lost, again, strict=True):
            warning = diagnostics.stand_ins_lost(missing[place])
            found[place] = replace(translation, warnings=[*translation.warnings, warning])
        return found

    def _marked(self, sentences: Sequence[str], spans: Sequence[Sequence[VerbatimSpan]]) -> dict[int, Marked]:
        """Sentences that the model reads with stand-ins: those with words beside their spans."""
        if not self.stand_ins:
            return {}
        found = {
            place: Marked.of(sentence)
            for place, sentence in enumerate(sentences)
            if spans[place] and read_without(sentence, spans[place]).has_words
        }
        return {place: each for place, each in found.items() if each}

    def _protected(
        self,
        sentences: Sequence[str],
        spans: Sequence[Sequence[VerbatimSpan]],
        plain: Translate,
        aligned: Translate,
    ) -> list[Translation]:
        """The translations of sentences whose spans are set aside and put back by alignment."""
        found: dict[int, Translation] = {}
        self._fill(found, [place for place, own in enumerate(spans) if not own], sentences, plain)
        readings = {place: _first_reading(sentences[place], own) for place, own in enumerate(spans) if own}
        self._read(found, readings, aligned)
        again = {
            place: read_without(sentences[place], spans[place])
            for place in readings
            if not self._is_faithful(readings[place], spans[place], found[place])
        }
        self._read(found, again, aligned)
        readings |= again
        return [
            restored(readings[place], found[place]) if place in readings else found[place]
            for place in range(len(sentences))
        ]

    def _fill(
        self, found: dict[int, Translation], places: Sequence[int], texts: Sequence[str], translate: Translate
    ) -> None:
        found.update(zip(places, translate([texts[place] for place in places]), strict=True))

    def _read(self, found: dict[int, Translation], readings: dict[int, Reading], translate: Translate) -> None:
        """The translations of readings with words; a reading without any is none of the model's business."""
        places = [place for place, reading in readings.items() if reading.has_words]
        found.update(zip(places, translate([readings[place].text for place in places]), strict=True))
        found.update({place: Translation("", "") for place in readings.keys() - set(places)})

    def _is_faithful(self, reading: Reading, spans: Sequence[VerbatimSpan], translation: Translation) -> bool:
        """Whether every number that the model has read stands in the translation, at its place."""
        if not reading.has_words:
            return True
        exact = [span for span in spans if span.is_read and span.kind != "count"]
        counts = [span for span in spans if span.kind == "count"]
        wanted = Counter(span.text_in(reading.sentence) for span in exact)
        hits = {text: [match.span() for match in _exactly(text).finditer(translation.text)] for text in wanted}
        if any(len(places) != wanted[text] for text, places in hits.items()):
            return False
        if not all(self._is_counted(span.text_in(reading.sentence), translation.text) for span in counts):
            return False
        last = -1
        for span in exact:
            hit = hits[span.text_in(reading.sentence)].pop(0)
            if not (_is_linked(reading, span, translation, hit) if translation.alignment else hit[0] > last):
                return False
            last = hit[0]
        return True

    def _is_counted(self, number: str, text: str) -> bool:
        """Whether a text has an integer up to 12, or an ordinal, in digits or as a word."""
        if self.words is None:
            return True
        words, value = set(re.findall(r"\w+", STAND_IN.sub(" ", text).casefold())), int(number.rstrip("."))
        return str(value) in words or not words.isdisjoint(self.words[value])


def _without_invented(translate: Translate) -> Translate:
    return lambda texts: [without_invented(each) for each in translate(texts)]


def _first_reading(sentence: str, spans: Sequence[VerbatimSpan]) -> Reading:
    """The sentence with its numbers, if it has words too."""
    reading = read_without(sentence, spans)
    return read_without(sentence, [span for span in spans if not span.is_read]) if reading.has_words else reading


def _exactly(text: str) -> re.Pattern[str]:
    """A number that is no part of another one."""
    return re.compile(rf"(?<![\w.,:]){re.escape(text)}(?!\w|[.,:]\d)")


def _is_linked(reading: Reading, span: VerbatimSpan, translation: Translation, hit: Span) -> bool:
    """Whether any piece of the hit is aligned to one of the span."""
    return any(
        _overlap(translation.spans[target], hit)
        and _overlap(reading.in_sentence(*translation.source_spans[source]), (span.start, span.end))
        for source, target in translation.alignment
    )


def _overlap(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]
