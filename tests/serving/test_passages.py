from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from nmt.serving.passages import Passage, Plain


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab1 .!?\"')…。」\t\n\r\u2028😀Z"), max_size=60))
def test_sentences_and_what_is_between_them_are_the_text(text: str) -> None:
    passage = Passage(text)
    assert passage.joined(passage.sentences) == text
    assert all(sentence == sentence.strip() != "" and "\n" not in sentence for sentence in passage.sentences)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Er kam. Sie ging! Wann? Nie.", ["Er kam.", "Sie ging!", "Wann?", "Nie."]),
        ("Am 3. Oktober 1990. Es regnete.", ["Am 3. Oktober 1990.", "Es regnete."]),
        ("Dr. Müller kam z. B. gestern. Mr. Smith left.", ["Dr. Müller kam z. B. gestern.", "Mr. Smith left."]),
        ("Er ging (endlich.) „Ja.” Sie blieb... leider.", ["Er ging (endlich.)", "„Ja.”", "Sie blieb... leider."]),
        ("他来了。她走了。", ["他来了。", "她走了。"]),
        ("3.14 ist kurz. ", ["3.14 ist kurz."]),
        ("eins\n\n  zwei\r\n😀\n", ["eins", "zwei"]),
        (" 😀 ... \n", []),
    ],
)
def test_each_sentence_is_found_by_itself(text: str, sentences: list[str]) -> None:
    assert Passage(text).sentences == sentences


def test_translations_take_the_places_of_sentences() -> None:
    text = Plain("  Eins. Zwei!\n\n- 😀 -\nDrei")
    assert text.rebuilt([text.passages[0].joined(["A", "B", "C"])]) == "  A B\n\n- 😀 -\nC"
