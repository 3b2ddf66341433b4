from __future__ import annotations

import itertools
import math
import string
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch import Tensor

from nmt.data.vocabulary import EOS, Vocabulary, normalized, train
from nmt.errors import RunError
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator, Translation, combine, split
from nmt.models.protocol import Step, repeat
from nmt.printable import without_controls
from nmt.search import SearchCancelledError, SearchSettings
from nmt.text.passage import Passage

# Pieces are letters, the beginning of a word, and bytes for everything else.
VOCABULARY = Vocabulary(train([" ".join(string.ascii_letters)], type="unigram", size=313))
SPACE, A = VOCABULARY.encode("a")


class Reading(NamedTuple):
    source: Tensor
    lengths: Tensor


class Copier:
    """A fake model that copies the source, attending to what it copies; its second choice is always a space.

    It fails when it is shown a sentence of more than `most` pieces, and counts the sentences of each batch.
    """

    def __init__(self, backwards: bool = False, most: int = 1000) -> None:
        self.backwards, self.most = backwards, most
        self.batches: list[int] = []

    def encode(self, source: Tensor, mask: Tensor) -> Reading:
        lengths = mask.sum(1)
        assert source.gather(1, lengths[:, None] - 1).eq(EOS).all()
        assert 2 <= lengths.min() <= lengths.max() <= self.most + 1
        self.batches.append(len(source))
        return Reading(source, lengths)

    def initial_state(self, memory: Reading) -> Tensor:
        return torch.zeros_like(memory.lengths)

    def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
        memory = repeat(memory, len(previous) // len(memory.lengths))
        last = memory.lengths - 1
        slot = torch.where(state < last, last - 1 - state, last) if self.backwards else state.minimum(last)
        wanted = memory.source.gather(1, slot[:, None])
        logits = torch.zeros(len(previous), len(VOCABULARY)).scatter(1, torch.full_like(wanted, SPACE), 9.0)
        logits = logits.index_fill(1, torch.tensor(EOS), -1.0).scatter(1, wanted, 12.0)
        return Step(logits, state + 1, torch.zeros(memory.source.shape).scatter(1, slot[:, None], 1.0))


def translator(
    model: Any = None,
    longest: int = 100,
    ratio: float | None = None,
    unseen: Collection[int] | None = None,
    batch_tokens: int = 4096,
    passage: Callable[[str], Passage] = Passage.whole,
    **search: Any,
) -> TorchTranslator:
    return TorchTranslator(
        model or Copier(),
        VOCABULARY,
        VOCABULARY,
        SearchSettings(**{"beam": 2, "length_penalty": 0.0, "keep_weights": True, **search}),
        TrainingStatistics(longest, ratio, unseen),
        batch_tokens=batch_tokens,
        passage=passage,
    )


def test_a_text_gives_a_translation_and_a_list_gives_a_list() -> None:
    alone = translator().translate("Ein Hund läuft.")
    assert alone.text == alone.source == "Ein Hund läuft."
    assert translator().translate(["Ein Hund läuft."]) == [alone]
    assert translator().translate([]) == []


@settings(deadline=None, max_examples=25)
@given(st.lists(st.text(st.characters(exclude_categories=[], exclude_characters="▁"), max_size=12), max_size=8))
def test_every_line_gives_one_line_whatever_its_characters(lines: list[str]) -> None:
    """Except that SentencePiece writes a space as "▁" and cannot tell the two apart, and for control characters."""
    found = translator(longest=200, beam=1).translate(lines)
    assert [each.source for each in found] == lines
    assert [each.text for each in found] == [normalized(without_controls(normalized(line))) for line in lines]


def test_a_translator_until_a_moment_stops_there_and_leaves_the_other_as_it_is() -> None:
    model = Copier()
    whole = translator(model)
    with pytest.raises(SearchCancelledError):
        whole.until(lambda: len(model.batches) == 2).translate(["a", "a" * 90, "a" * 80, "a" * 70] * 30)
    assert len(model.batches) == 2
    assert whole.translate("ab").text == whole.until(lambda: False).translate("ab").text == "ab"


def test_blank_lines_do_not_reach_the_model() -> None:
    model = Copier()
    assert [each.text for each in translator(model).translate(["", " \t", "\r", "\u2028"])] == [""] * 4
    assert model.batches == []


def test_line_breaks_that_a_model_spells_do_not_reach_the_text() -> None:
    class Breaking(Copier):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            step = super().step(previous, state, memory)
            step.logits[:, VOCABULARY.pieces(range(20)).index("<0x0A>")] += step.logits[:, A] * 2
            return step

    assert translator(Breaking()).translate("babab").text == "b b b"


def test_neither_window_nor_batch_size_nor_neighbours_change_a_result() -> None:
    lines = ["x" * (place * 7 % 15) for place in range(15)]
    expected = [translator().translate(line) for line in lines]
    for window, batch_tokens in itertools.product([4, 4096], [1, 40, 4096]):
        assert list(translator(batch_tokens=batch_tokens).stream(lines, window)) == expected


def test_a_batch_holds_no_more_padded_positions_than_allowed() -> None:
    model = Copier()
    translator(model, batch_tokens=32).translate(["a" * 14, "b" * 6, "c" * 6, "d" * 14, "e" * 6, "f" * 40])
    assert model.batches == [1, 2, 3]


def test_a_stream_reads_no_further_than_its_window() -> None:
    lines = iter(["one", "two", "three"])
    assert next(translator().stream(lines, window=2)).text == "one"
    assert list(lines) == ["three"]


def test_a_long_line_is_translated_in_parts_and_nothing_is_lost() -> None:
    line = "Ein Satz, der kurz ist. " * 3 + "w" * 100 + " und " + "noch ein Wort " * 5 + "am Ende"
    found = translator(Copier(most=40), longest=40).translate(line)
    assert found.text.replace(" ", "") == line.replace(" ", "")
    assert found.text.startswith("Ein Satz, der kurz ist. Ein Satz, der kurz ist. Ein Satz")
    assert found.weights is None
    assert len(found.alignment) == len(found.pieces) - found.pieces.count("</s>")
    assert all(found.source_pieces[source] == found.pieces[target] for source, target in found.alignment)


def without_spaces(text: str) -> int:
    return len("".join(text.split()))


@pytest.mark.parametrize(
    "unit", [".", ". ", "a. ", "a, ", "a ", "a", "。", " ", "?!", '"', ".\"'", ".'' ,", "a" * 39 + ".  "]
)
def test_parts_of_a_hundred_thousand_characters_are_short_and_together_the_text(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    parts = split(text, 40, without_spaces)
    assert "".join(parts) == text
    assert max(map(without_spaces, parts)) <= 40


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Er kam. Sie ging. Es regnet sehr.", ["Er kam. Sie ging. ", "Es regnet sehr."]),
        ("Er sagte „Ja.” Dann ging sie.", ["Er sagte „Ja.” ", "Dann ging sie."]),
        ("他来了。她走了。雨下得很大没有人在外面。", ["他来了。她走了。", "雨下得很大没有人在外面。"]),
        ("Als er kam, ging sie fort", ["Als er kam, ", "ging sie fort"]),
        ("eins zwei drei vier", ["eins zwei drei ", "vier"]),
        ("Donaudampfschifffahrt", ["Donaudampfs", "chifffahrt"]),
        ("3.14 ist kurz", ["3.14 ist kurz"]),
    ],
)
def test_lines_are_cut_at_the_best_place_there_is(text: str, parts: list[str]) -> None:
    assert split(text, 14, without_spaces) == parts


def test_weights_and_alignment_stand_beside_the_pieces() -> None:
    found = translator(Copier(backwards=True)).translate("ab")
    assert found.pieces == ["b", "a", "▁", "</s>"]
    assert found.source_pieces == ["▁", "a", "b", "</s>"]
    assert found.weights is not None
    assert found.weights.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert found.alignment == [(2, 0), (1, 1), (0, 2)]
    assert translator(keep_weights=False).translate("abc").alignment == []


def test_a_memory_of_one_slot_aligns_nothing() -> None:
    class ThoughtVector(Copier):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            return super().step(previous, state, memory)._replace(weights=torch.ones(len(previous), 1))

    found = translator(ThoughtVector()).translate("abc")
    assert found.weights is not None
    assert found.weights.shape == (5, 1)
    assert found.alignment == []


def test_alternatives_read_differently_and_follow_by_score() -> None:
    """Some of the eight hypotheses differ in spaces alone."""
    found = translator(beam=8, nbest=8).translate("ac")
    assert found.text == "ac"
    assert sorted(text for text, _ in found.alternatives if text) == ["a", "c"]
    scores = [found.score, *(score for _, score in found.alternatives)]
    assert scores == sorted(scores, reverse=True)


def test_the_score_of_a_line_in_parts_is_that_of_its_parts_together() -> None:
    one, two = "a" * 30 + ".", "b" * 30 + "."
    apart = translator().translate([one, two])
    assert translator(longest=32).translate(f"{one} {two}").score == pytest.approx(sum(each.score for each in apart))


def test_warnings_say_what_may_be_wrong() -> None:
    assert translator().translate("abc").warnings == []
    assert translator(longest=2).translate("abc").warnings == [
        "longer than anything trained on: 4 source pieces, at most 2 in training"
    ]
    assert (
        "translated in parts: 3 parts of 80 source pieces together, at most 2 in training"
        in translator(longest=2).translate("a " * 40).warnings
    )
    assert translator(max_ratio=0.5, max_extra=0).translate("abc").warnings == [
        "output reached the length cap before it ended"
    ]


def test_what_the_model_attended_to_and_what_training_held_are_looked_at() -> None:
    class Skipping(Copier):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            return super().step(previous, state + 5 * (state == 1), memory)

    skipping = translator(Skipping(), ratio=1.0).translate("abcdefgh☃").warnings
    assert skipping == ["source span never attended: 'abcdefgh☃'", "pieces unknown to training: '☃'"]
    assert translator(ratio=0.3).translate("abcdefghijkl").warnings == [
        "length ratio out of range: 13 target pieces for 13 source pieces, about 4 expected"
    ]
    assert translator(unseen={A}).translate("abc").warnings == ["pieces unknown to training: 'a'"]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_search_adds_in_fp32_whatever_the_precision_of_the_model(precision: torch.dtype) -> None:
    class Rounding(Copier):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            found = super().step(previous, state, memory)
            return Step(found.logits.to(precision), found.state, found.weights.to(precision))

    found = translator(Rounding()).translate("ab")
    assert found.text == "ab"
    assert found.weights is not None
    assert found.weights.dtype == torch.float32


def test_json_holds_plain_values() -> None:
    found = translator(beam=3, nbest=3).translate("ab").as_json()
    assert list(found) == [
        "source",
        "text",
        "score",
        "pieces",
        "source_pieces",
        "alternatives",
        "alignment",
        "warnings",
    ]
    assert found["alignment"] == [[0, 0], [1, 1], [2, 2]]
    assert found["alternatives"][0].keys() == {"text", "score"}


def test_a_model_of_no_numbers_is_a_fault_of_the_run() -> None:
    class Diverged(Copier):
        def step(self, previous: Tensor, state: Any, memory: Reading) -> Step:
            return Step(torch.full((len(previous), len(VOCABULARY)), math.nan), state, torch.ones(len(previous), 1))

    with pytest.raises(RunError, match="finite"):
        translator(Diverged()).translate("abc")


# Lines of several sentences ----------------------------------------------------------------------------------------


def splitting(**changed: Any) -> TorchTranslator:
    """A translator that copies, sentence by sentence."""
    return translator(passage=Passage.of_sentences, **changed)


def test_the_sentences_of_a_line_are_translated_as_alone_and_keep_their_spacing() -> None:
    sentences = ["Ein Hund.", "Zwei Katzen spielen!", "Kein Vogel?"]
    alone = splitting().translate(sentences)
    line = "  Ein Hund.\tZwei Katzen spielen!\n\n  Kein Vogel? ***"
    together = splitting().translate(line)
    assert together.text == "  Ein Hund.\tZwei Katzen spielen!\n\n  Kein Vogel? ***"
    assert together.score == pytest.approx(sum(each.score for each in alone))
    assert together.pieces == [piece for each in alone for piece in each.pieces]
    assert together.source == line


def test_alignment_and_spans_refer_to_the_whole_line() -> None:
    line = "Ein Hund. Zwei Katzen!"
    found = splitting().translate(line)
    assert len(found.alignment) == sum(piece != "</s>" for piece in found.pieces)
    for source, target in found.alignment:  # a copier attends to what it copies
        assert line[slice(*found.source_spans[source])] == found.text[slice(*found.spans[target])]
    assert {line[slice(*span)] for span in found.source_spans} > {"E", "Z", "!"}


def test_warnings_of_several_sentences_are_one_of_each_kind() -> None:
    found = splitting().translate("Ein 😀 Hund. Zwei 🐈 Katzen.")
    (unknown,) = [warning for warning in found.warnings if warning.startswith("pieces unknown")]
    assert unknown == "pieces unknown to training: '😀', '.'; '🐈', '.'"


def test_alternatives_of_a_line_take_the_next_best_of_each_sentence() -> None:
    one = Translation("Eins.", "One.", -1.0, alternatives=[("A.", -2.0), ("Un.", -3.0)])
    two = Translation("Zwei.", "Two.", -1.5, alternatives=[("Pair.", -4.0)])
    assert combine(Passage.of_sentences("Eins. Zwei."), [one, two]).alternatives == [
        ("A. Pair.", -6.0),
        ("Un. Two.", -4.5),
    ]


@pytest.mark.parametrize("line", ["", "  ", "***", " 😀 ... ", "a\n", "\n\nb"])
def test_a_line_without_sentences_is_kept(line: str) -> None:
    assert splitting().translate(line).text == line
