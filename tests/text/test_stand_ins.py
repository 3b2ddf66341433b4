from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nmt.text.stand_ins import SHARE, STAND_IN, STAND_INS, Marked, training_pair

PIECES = st.lists(
    st.sampled_from(["Hund", "12:30", "25 km", "www.x.org", "{name}", "<b>", "Anna", "3", "a@x.org", "⟦2⟧", "."])
)


def taught(source: str, target: str, count: int = 400) -> list[tuple[str, str]]:
    """Training pairs of which each has another word at its end, so that chance decides anew."""
    return [training_pair(f"{source} x{'y' * n}", f"{target} z{'y' * n}") for n in range(count)]


def test_what_both_sides_have_gets_the_same_stand_ins_in_the_order_of_the_source() -> None:
    pairs = taught("Um 10:30 bei www.x.org", "At www.x.org by 10:30")
    plain = [pair for pair in pairs if pair[0].startswith("Um ⟦1⟧ bei ⟦2⟧ x")]
    assert all(target.startswith("At ⟦2⟧ by ⟦1⟧ z") for _, target in plain)
    assert len(plain) > len(pairs) * (1 - SHARE) * 0.9


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("kostet 12,50 viel", "costs 12.50 much"),
        ("25 km und 25 km", "25 km each"),
        ("Er hat 2 da", "He has 2 there"),
        ("ein <b> da", "a <b> there"),
    ],
    ids=["written otherwise", "not as often", "a small integer", "a tag"],
)
def test_nothing_else_gets_one(source: str, target: str) -> None:
    assert not any(STAND_IN.search(side) for pair in taught(source, target) for side in pair)


def test_text_with_stand_ins_of_its_own_stays() -> None:
    assert training_pair("⟦1⟧ um 10:30", "⟦1⟧ at 10:30") == ("⟦1⟧ um 10:30", "⟦1⟧ at 10:30")


def test_some_pairs_teach_all_stand_ins_by_a_word_that_both_have() -> None:
    pairs = taught("Anna geht in ein Haus", "Anna goes in one house")
    teaching = [source for source, _ in pairs if STAND_IN.search(source)]
    assert SHARE / 2 < len(teaching) / len(pairs) < SHARE * 2
    assert {STAND_IN.findall(source)[0] for source in teaching} == set(STAND_INS)
    assert all(STAND_IN.sub("Anna", source).startswith("Anna geht in ein") for source in teaching)


def test_at_most_eight_are_used() -> None:
    names = [f"{{{letter}}}" for letter in "abcdefghijkl"]
    assert training_pair(" ".join(names), " ".join(names)) == (" ".join([*STAND_INS, *names[8:]]),) * 2
    assert Marked.of(" ".join(names)) is None
    assert Marked.of(" ".join(names[:8])) is not None


@given(PIECES, PIECES)
def test_both_sides_have_the_same_stand_ins_once_each(source: list[str], target: list[str]) -> None:
    before = " ".join(source), " ".join(target)
    after = training_pair(*before)
    assert after == training_pair(*before)
    if after != before:
        ours, theirs = map(STAND_IN.findall, after)
        assert sorted(ours) == sorted(theirs) == sorted(set(ours))
        assert ours == sorted(ours)


@given(PIECES)
def test_a_marked_sentence_filled_is_the_sentence_and_its_spans_are(pieces: list[str]) -> None:
    sentence = " ".join(pieces)
    if marked := Marked.of(sentence):
        assert marked.filled(marked.text) == sentence
        assert marked.missing(marked.text) == []
        for match in STAND_IN.finditer(marked.text):
            start, end = marked.moved(marked.text, match.span())
            assert sentence[start:end] == marked.meanings[match[0]]
