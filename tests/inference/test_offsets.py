from __future__ import annotations

import string

import pytest
from hypothesis import given, settings, strategies as st

from nmt.data.vocabulary import EOS, Vocabulary, train
from nmt.inference.offsets import piece_offsets

VOCABULARY = Vocabulary(
    train(["der hund läuft " * 3, " ".join(string.ascii_letters)], type="unigram", size=325, exact=False)
)


def spelled(text: str) -> list[tuple[str, str]]:
    pieces = VOCABULARY.pieces([*VOCABULARY.encode(text), EOS])
    return [(piece, text[start:end]) for piece, (start, end) in zip(pieces, piece_offsets(text, pieces), strict=True)]


@pytest.mark.parametrize(
    "text", ["der Hund  läuft", " a\tb ", "Äh, ok", "x😀y", "e\u0301a e\u0301", "„Ja“, 1½ m²", "\u2028a"]
)
def test_the_spans_of_pieces_cover_the_text_but_its_spaces(text: str) -> None:
    pieces = VOCABULARY.pieces([*VOCABULARY.encode(text), EOS])
    covered = {place for start, end in piece_offsets(text, pieces) for place in range(start, end)}
    assert covered == {place for place, letter in enumerate(text) if not letter.isspace()}


def test_a_piece_has_its_letters_and_a_character_in_bytes_has_all_of_its_own() -> None:
    found = spelled("ab 😀b")
    assert [letters for piece, letters in found if not piece.startswith("<") and piece != "▁"] == ["a", "b", "b"]
    assert {letters for piece, letters in found if piece.startswith("<0x")} == {"😀"}
    assert found[-1] == ("</s>", "")


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30))
def test_the_spans_of_any_text_are_ordered_and_within_it(text: str) -> None:
    pieces = VOCABULARY.pieces([*VOCABULARY.encode(text), EOS])
    spans = piece_offsets(text, pieces)
    assert len(spans) == len(pieces)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
