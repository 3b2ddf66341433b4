"""Protection by stand-ins, with fake models that copy them, lose them or double them."""

from __future__ import annotations

import string
from typing import Any

import pytest
import torch
from torch import Tensor

from nmt.data.vocabulary import Vocabulary, train
from nmt.inference.diagnostics import TrainingStatistics, kind
from nmt.inference.protect.protection import Protection
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import Step, repeat
from nmt.search import SearchSettings

LETTERS = [" ".join(string.ascii_letters + string.digits + ".,:;!?()-")]
VOCABULARY = Vocabulary(train(LETTERS, type="unigram", size=340, stand_ins=True))
FIRST = VOCABULARY.encode("⟦1⟧")[-1]


class Model:
    """Copies its source and attends to what it copies; a ⟦1⟧ becomes ``instead``."""

    def __init__(self, instead: str = "⟦1⟧") -> None:
        self.table = {FIRST: VOCABULARY.encode(instead)[-1]}
        self.read: list[str] = []

    def encode(self, source: Tensor, mask: Tensor) -> Any:
        self.read += [VOCABULARY.decode(row.tolist()) for row in source]
        return source, mask.sum(1)

    def initial_state(self, memory: Any) -> Tensor:
        return torch.zeros_like(memory[1])

    def step(self, previous: Tensor, state: Any, memory: Any) -> Step:
        source, lengths = repeat(memory, len(previous) // len(memory[1]))
        slot = state.minimum(lengths - 1)
        wanted = source.gather(1, slot[:, None])
        wanted = torch.tensor([[self.table.get(id, id)] for id in wanted[:, 0].tolist()])
        weights = torch.zeros(source.shape).scatter(1, slot[:, None], 1.0)
        return Step(torch.zeros(len(previous), len(VOCABULARY)).scatter(1, wanted, 12.0), state + 1, weights)


def translator(model: Model, *, keep_weights: bool = True) -> TorchTranslator:
    return TorchTranslator(
        model,
        VOCABULARY,
        VOCABULARY,
        SearchSettings(beam=2, length_penalty=0.0, keep_weights=keep_weights),
        TrainingStatistics(200, None, None),
        protect=Protection("en", stand_ins=True).translate,
    )


SENTENCE = "ab 12,50 € (cd www.x.org), <b>ef</b> ⟦3⟧."


def test_spans_and_stand_ins_of_the_user_are_read_as_stand_ins_and_come_back() -> None:
    model = Model()
    found = translator(model).translate(SENTENCE)
    assert model.read == ["ab ⟦1⟧ (cd ⟦2⟧), ef ⟦3⟧."]
    assert found.text == found.source == SENTENCE
    assert [kind(each) for each in found.warnings] == ["copied source"]
    assert not any("⟦1⟧" in each for each in found.warnings)


def test_every_field_is_of_the_whole_sentence() -> None:
    found = translator(Model()).translate(SENTENCE)
    assert (len(found.spans), len(found.source_spans)) == (len(found.pieces), len(found.source_pieces))
    assert found.weights is not None
    assert found.weights.shape == (len(found.pieces), len(found.source_pieces))
    spelled = [
        (piece.strip("▁").replace("▁", " "), found.text[slice(*span)])
        for piece, span in zip(found.pieces, found.spans, strict=True)
    ]
    assert all(piece == text for piece, text in spelled if text)
    assert "12,50 €" in [text for _, text in spelled]
    assert found.alignment
    for source, target in found.alignment:
        assert found.source[slice(*found.source_spans[source])] == found.text[slice(*found.spans[target])]


def test_a_stand_in_is_aligned_to_itself_whatever_the_attention_looked_at() -> None:
    """The model writes the two stand-ins the other way round, and attends from left to right."""
    model = Model("⟦2⟧")
    model.table[VOCABULARY.encode("⟦2⟧")[-1]] = FIRST
    found = translator(model).translate("ab {x} cd {y} ef")
    assert found.text == "ab {y} cd {x} ef"
    parts = {"{x}", "{y}"}
    pairs = [(found.source_pieces[source], found.pieces[target]) for source, target in found.alignment]
    assert [pair for pair in pairs if parts & {*pair}] == [("{y}", "{y}"), ("{x}", "{x}")]


@pytest.mark.parametrize("instead", ["⟦2⟧", "⟦7⟧", "x"], ids=["doubled", "another", "lost"])
def test_a_sentence_whose_stand_ins_do_not_come_back_once_each_is_put_together_by_alignment(instead: str) -> None:
    model = Model(instead)
    found, good = translator(model).translate(["ab {x} cd {y} ef", "ab cd"])
    assert found.text == "ab {x} cd {y} ef"
    assert good.text == "ab cd"
    assert good.warnings == []
    assert "ab cd ef" in model.read
    assert [each for each in found.warnings if each.startswith("stand-in lost: '{x}'")]


def test_what_has_no_stand_in_is_treated_as_without_them() -> None:
    model = Model()
    many = " ".join(f"a {{x{number}}}" for number in range(9))
    found = translator(model, keep_weights=False).translate(["www.x.org", "ab <b>cd</b> 3", many, "ab"])
    assert [each.text for each in found] == ["www.x.org", "ab <b>cd</b> 3", many, "ab"]
    assert not any("⟦" in text for text in model.read)
    assert not any(each.alignment for each in found)
    assert not any(kind(warning) == "stand-in lost" for each in found for warning in each.warnings)


def test_the_digit_of_a_stand_in_is_no_integer_of_the_translation() -> None:
    protection = Protection("en", stand_ins=True)
    assert not protection._is_counted("1", "ab ⟦1⟧")
    assert protection._is_counted("1", "one ⟦2⟧")


@pytest.mark.parametrize("sentence", ["y ab cd", "ab y cd", "ab cd y", "ab y. cd <b>ef</b>", "y", "ab {x} cd y"])
def test_stand_ins_that_a_model_invents_are_left_out(sentence: str) -> None:
    """The model writes ⟦4⟧ for each y."""
    invented = Model()
    invented.table = {VOCABULARY.encode("a y")[-1]: VOCABULARY.encode("⟦4⟧")[-1]}
    found = translator(invented).translate(sentence)
    assert found.text == " ".join(sentence.replace("y", "").replace(" .", ".").split())
    assert (len(found.spans), len(found.source_spans)) == (len(found.pieces), len(found.source_pieces))
    spelled = [
        (piece.strip("▁").replace("▁", " "), found.text[slice(*span)])
        for piece, span in zip(found.pieces, found.spans, strict=True)
        if piece != "</s>"
    ]
    assert all(piece == text for piece, text in spelled)
    assert found.spans == sorted(found.spans)
    assert all(start <= end for start, end in found.spans)


def test_without_stand_ins_those_of_the_user_survive_by_alignment() -> None:
    model = Model()
    found = TorchTranslator(
        model,
        VOCABULARY,
        VOCABULARY,
        SearchSettings(beam=2, length_penalty=0.0),
        TrainingStatistics(200, None, None),
        protect=Protection("en").translate,
    ).translate("ab ⟦1⟧ cd")
    assert found.text == "ab ⟦1⟧ cd"
    assert model.read == ["ab cd"]
