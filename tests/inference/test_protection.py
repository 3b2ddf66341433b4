from __future__ import annotations

import string
import time
from typing import Any

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from nmt.data.vocabulary import Vocabulary, train
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.protect.placing import UNIT
from nmt.inference.protect.protection import Protection
from nmt.inference.protect.reading import read_without
from nmt.inference.protect.restoring import restored
from nmt.inference.translator import TorchTranslator, Translation
from nmt.models.protocol import Step, repeat
from nmt.search import SearchSettings
from nmt.text.passage import Passage
from nmt.text.spans import find_spans

VOCABULARY = Vocabulary(train([" ".join(string.ascii_letters + string.digits + ".,:;!?()-")], type="unigram", size=332))
ONE = VOCABULARY.encode("1")[-1]


class Model:
    """A fake model that copies letters, backwards on request, and attends to what it copies.

    It reads no digit well: each becomes a 1. Without attention it has a single slot.
    """

    def __init__(self, *, backwards: bool = False, attention: bool = True, digits: bool = False) -> None:
        self.backwards, self.attention, self.digits = backwards, attention, digits
        self.read: list[str] = []

    def encode(self, source: Tensor, mask: Tensor) -> Any:
        self.read += [VOCABULARY.decode(row.tolist()) for row in source]
        return source, mask.sum(1)

    def initial_state(self, memory: Any) -> Tensor:
        return torch.zeros_like(memory[1])

    def step(self, previous: Tensor, state: Any, memory: Any) -> Step:
        source, lengths = repeat(memory, len(previous) // len(memory[1]))
        last = lengths - 1
        slot = torch.where(state < last, last - 1 - state, last) if self.backwards else state.minimum(last)
        wanted = source.gather(1, slot[:, None])
        if not self.digits:
            digit = [VOCABULARY.piece(id).strip("▁").isdigit() for id in range(len(VOCABULARY))]
            wanted = torch.where(torch.tensor(digit)[wanted], torch.full_like(wanted, ONE), wanted)
        logits = torch.zeros(len(previous), len(VOCABULARY)).scatter(1, wanted, 12.0)
        weights = torch.zeros(source.shape).scatter(1, slot[:, None], 1.0)
        return Step(logits, state + 1, weights if self.attention else torch.ones(len(previous), 1))


def translator(
    model: Model | None = None, *, language: str = "en", passage: Any = Passage.whole, **search: Any
) -> TorchTranslator:
    return TorchTranslator(
        model or Model(),
        VOCABULARY,
        VOCABULARY,
        SearchSettings(**{"beam": 2, "length_penalty": 0.0, **search}),
        TrainingStatistics(200, None, None),
        protect=Protection(language).translate,
        passage=passage,
    )


KEPT = [
    "Der Hund kostet 12,50 € heute.",
    "https://example.org/x?y=1 ist gut",
    "Hallo {name}, hier ist %s (siehe www.example.org).",
    "Ein <b>Hund</b> und `ein code` sind 😀 hier!",
    "von a@example.org und c@example.org an ${X}.",
    "Um 10:30 Uhr, am 03.05.2024 und in src/nmt/main.py",
    "[ein Hund](http://x.y/z) ist **fett**.",
    'Er sagt "{wort}" und "<x/>" und geht',
    "25 km / 30 min, 100 %",
]


@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("sentence", KEPT)
def test_a_model_that_copies_words_gives_the_whole_sentence_back(sentence: str, attention: bool) -> None:
    """With attention each part comes back to its place by alignment, without by its relative place, which is the same
    in a copy."""
    assert translator(Model(attention=attention)).translate(sentence).text == sentence


def test_parts_follow_the_words_that_they_belong_to() -> None:
    model = Model(backwards=True)
    assert translator(model).translate("ab cd {x} ef gh.").text == ".hg {x} fe dc ba"
    assert model.read == ["ab cd ef gh."]


def test_what_the_model_reads_has_no_hole() -> None:
    model = Model()
    translator(model).translate(
        ["Hallo {a}, du", "Hund ({b}) da", "ein {c}-mal", "Ein <b>Hund</b>", "a {x} {y} b", "a<br/>b"]
    )
    assert sorted(model.read) == sorted(["Hallo, du", "Hund da", "ein mal", "Ein Hund", "a b", "a b"])


def test_a_number_is_read_and_the_sentence_is_read_again_where_it_is_lost() -> None:
    good, bad = Model(digits=True), Model()
    assert translator(good).translate("Er sah 25 Katzen.").text == "Er sah 25 Katzen."
    assert good.read == ["Er sah 25 Katzen."]
    assert translator(bad).translate("Er sah 25 Katzen.").text == "Er sah 25 Katzen."
    assert bad.read == ["Er sah 25 Katzen.", "Er sah Katzen."]


def test_small_integers_may_become_words_of_the_language() -> None:
    copied, lost = Model(digits=True), Model()
    translator(copied).translate("three 3 Hunde")
    assert copied.read == ["three 3 Hunde"]
    assert translator(lost).translate("a 3 Hunde").text == "a 3 Hunde"
    assert lost.read == ["a 3 Hunde", "a Hunde"]
    worded = Model()
    assert translator(worded).translate("three 3 Hunde").text == "three 1 Hunde"
    assert worded.read == ["three 3 Hunde"]
    unknown = Model()
    assert translator(unknown, language="xx").translate("a 3 Hunde").text == "a 1 Hunde"


def test_sentences_without_such_parts_are_translated_as_without_protection_and_need_no_weights() -> None:
    lines = ["Ein Hund", "eine Katze.", "", "ja!"]
    protected = translator()
    assert protected.translate(lines) == protected._as_read(lines)
    assert all(each.weights is None and each.alignment == [] for each in protected.translate([*lines, "a {x} b"]))


def test_a_sentence_of_such_parts_alone_does_not_reach_the_model() -> None:
    model = Model()
    lines = ["https://example.org", "12345", "{a}, {b}!", "`x`."]
    assert [each.text for each in translator(model).translate(lines)] == lines
    assert model.read == []


def check(found: Translation, sentence: str) -> None:
    """All fields are of the whole sentence."""
    assert found.source == sentence
    assert len(found.pieces) == len(found.spans)
    assert len(found.source_pieces) == len(found.source_spans)
    for spans, text in ((found.spans, found.text), (found.source_spans, sentence)):
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    if found.weights is not None:
        assert found.weights.shape == (len(found.pieces), len(found.source_pieces))
        for source, target in found.alignment:
            assert found.weights[target].argmax() == source


WORDS = ["ab", "c", "{x}", "%s", "10:30", "25", "3", "<b>", "</b>", "(", ")", ",", ".", "😀", "-", "a@b.de"]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from(WORDS), max_size=9),
    st.sampled_from([" ", " ", ""]),
    st.booleans(),
)
def test_nothing_is_lost_and_all_fields_agree(words: list[str], joiner: str, backwards: bool) -> None:
    sentence = joiner.join(words)
    found = translator(Model(backwards=backwards), keep_weights=True, nbest=2).translate(sentence)
    check(found, sentence)
    for span in find_spans(sentence):
        if span.kind != "count":
            assert sentence[span.start : span.end] in found.text
    for source, target in found.alignment:
        first, second = sentence[slice(*found.source_spans[source])], found.text[slice(*found.spans[target])]
        assert first == second or not (set(first + second) - set("0123456789"))


def test_alignment_and_spans_of_a_line_include_what_was_put_back() -> None:
    line = "ab {x} cd. ef 10:30 gh."
    found = translator(passage=Passage.of_sentences, keep_weights=True).translate(line)
    assert found.text == line
    pairs = {(found.source_spans[source], found.spans[target]) for source, target in found.alignment}
    assert {((3, 6), (3, 6)), ((14, 19), (14, 19))} <= pairs


def test_parts_stay_in_order_where_a_blank_between_them_is_removed() -> None:
    """The blank that stays in place of the first part goes with the second one, before a comma."""
    sentence = "ab 😀 <br/>, cd"
    found = translator(keep_weights=True).translate(sentence)
    check(found, sentence)
    assert found.source_pieces[-1] == "</s>"
    assert found.text.index("😀") < found.text.index("<br/>")


def test_alternatives_hold_the_parts_too() -> None:
    found = translator(nbest=2).translate("ab {x} cd")
    assert found.alternatives
    assert all("{x}" in text for text, _ in found.alternatives)


def test_thousands_of_parts_are_put_back_in_linear_time() -> None:
    """3,000 parts took 0.3 s on a busy core."""
    sentence = "a, {x} - b " * 3000
    begun = time.process_time()
    reading = read_without(sentence, find_spans(sentence))
    spans = [match.span() for match in UNIT.finditer(reading.text)]
    pieces = [reading.text[start:end] for start, end in spans]
    pairs = [(place, place) for place in range(len(spans))]
    found = restored(
        reading, Translation(reading.text, reading.text, 0.0, pieces, pieces, None, [], pairs, list(spans), list(spans))
    )
    assert time.process_time() - begun < 5
    assert found.text == sentence.strip()
