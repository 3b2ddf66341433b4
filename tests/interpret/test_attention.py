from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nmt.errors import UserError
from nmt.interpret import interpretation as methods
from nmt.interpret.heatmap import Label, labels
from nmt.interpret.interpretation import interpret
from nmt.interpret.sentence import translate_sentence

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh


@pytest.mark.parametrize("changes", [{}, {"attention": "dot"}, {"family": "transformer"}], ids=str)
def test_each_target_piece_has_weights_over_the_source_that_sum_to_one(fresh: Fresh, changes: dict[str, Any]) -> None:
    sentence = translate_sentence(fresh(**changes), "ab c")
    heatmap = methods.attention(sentence)
    assert [label.text for label in heatmap.columns] == ["▁", "-a", "-b", "▁", "-c", "⟨end⟩"]
    assert len(heatmap.rows) == len(heatmap.values) == len(sentence.target_tokens)
    assert [sum(row) for row in heatmap.values] == pytest.approx([1] * len(heatmap.rows))


@pytest.mark.parametrize("thought_vector", ["every_step", "initial_state"])
def test_a_thought_vector_is_refused_and_shown_by_occlusion(fresh: Fresh, thought_vector: str) -> None:
    with pytest.raises(UserError, match=r"^this run has a thought vector and so no attention; use --kind occlusion$"):
        interpret(fresh(attention="none", thought_vector=thought_vector), "ab", "attention")
    assert interpret(fresh(attention="none", thought_vector=thought_vector), "ab").kind == "occlusion"


def test_labels_distinguish_pieces_that_begin_a_word_from_those_that_continue_it() -> None:
    assert labels(["▁rote", "m", "▁", "-", "</s>"]) == [
        Label("rote", True),
        Label("-m", False),
        Label("▁", True),
        Label("--", False),
        Label("⟨end⟩", True),
    ]
