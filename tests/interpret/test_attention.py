from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nmt.errors import UserError
from nmt.interpret import attention
from nmt.interpret.matrix import Label, labels
from nmt.interpret.subject import translated
from nmt.interpret.view import look

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh


@pytest.mark.parametrize("changes", [{}, {"reader": "dot"}, {"family": "transformer"}], ids=str)
def test_each_target_piece_has_weights_over_the_source_that_sum_to_one(fresh: Fresh, changes: dict[str, Any]) -> None:
    subject = translated(fresh(**changes), "ab c")
    matrix = attention.matrix(subject)
    assert [label.text for label in matrix.columns] == ["▁", "-a", "-b", "▁", "-c", "⟨end⟩"]
    assert len(matrix.rows) == len(matrix.values) == len(subject.target_tokens)
    assert [sum(row) for row in matrix.values] == pytest.approx([1] * len(matrix.rows))


@pytest.mark.parametrize("reader", ["none", "fixed"])
def test_a_thought_vector_is_refused_by_the_name_of_its_reader_and_shown_by_occlusion(
    fresh: Fresh, reader: str
) -> None:
    with pytest.raises(UserError, match=f"^this run has reader {reader} and so no attention; use --kind occlusion$"):
        look(fresh(reader=reader), "ab", "attention")
    assert look(fresh(reader=reader), "ab").kind == "occlusion"


def test_pieces_that_begin_a_word_and_those_that_continue_it_are_told_apart() -> None:
    assert labels(["▁rote", "m", "▁", "-", "</s>"]) == [
        Label("rote", True),
        Label("-m", False),
        Label("▁", True),
        Label("--", False),
        Label("⟨end⟩", True),
    ]
