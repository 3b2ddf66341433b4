from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from nmt.text.passage import Passage
from nmt.text.spans import prefix_end


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab1 .!?\"')…。」\t\n\r\u2028😀Z"), max_size=60))
def test_sentences_and_the_gaps_between_them_are_the_text(text: str) -> None:
    for passage in (Passage.of_sentences(text), Passage.of_lines(text), Passage.whole(text)):
        assert passage.joined(passage.sentences) == text
        assert [
            text[start : start + len(each)] for start, each in zip(passage.starts, passage.sentences, strict=True)
        ] == (passage.sentences)
    for passage in (Passage.of_sentences(text), Passage.of_lines(text)):
        assert all(sentence == sentence.strip() != "" and "\n" not in sentence for sentence in passage.sentences)


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("abzB1 .!?\"')…。」Z"), max_size=60))
def test_a_sentence_alone_is_not_split_again(text: str) -> None:
    """A number at its beginning, once inside a line, is the numbering of a line now."""
    for sentence in Passage.of_sentences(text).sentences:
        alone = sentence[prefix_end(sentence) :].strip()
        assert Passage.of_sentences(sentence).sentences == ([alone] if any(map(str.isalnum, alone)) else [])


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
def test_sentences_are_split(text: str, sentences: list[str]) -> None:
    assert Passage.of_sentences(text).sentences == sentences


def test_lines_stay_whole_where_sentences_are_not_wanted() -> None:
    assert Passage.of_lines("Eins. Zwei.\n\n Drei.").sentences == ["Eins. Zwei.", "Drei."]
    assert Passage.whole(" ... ").sentences == [" ... "]


def test_translations_replace_sentences() -> None:
    assert Passage.of_sentences("  Eins. Zwei!\n\n- 😀 -\nDrei").joined(["A", "B", "C"]) == "  A B\n\n- 😀 -\nC"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("- Eine Katze.\n* Zwei Hunde.\n  • Ein Haus", ["Eine Katze.", "Zwei Hunde.", "Ein Haus"]),
        (
            "1. Eine Katze. Ein Hund.\n2) Ein Haus\n(3) Garten\nb) Baum",
            ["Eine Katze.", "Ein Hund.", "Ein Haus", "Garten", "Baum"],
        ),
        ("## Ein Haus\n> > Hallo.\n>Hallo\n- [x] Fertig", ["Ein Haus", "Hallo.", "Hallo", "Fertig"]),
        ("-5 Grad\nA. Müller\n1.5 Liter", ["-5 Grad", "A. Müller", "1.5 Liter"]),
        ("Nimm `a. B` und {Wer? Was}. Dann geh.", ["Nimm `a. B` und {Wer? Was}.", "Dann geh."]),
    ],
)
def test_prefixes_of_lines_are_set_aside_and_spans_are_not_cut(text: str, sentences: list[str]) -> None:
    for passage in (Passage.of_sentences(text), Passage.of_lines(text)):
        assert passage.joined(passage.sentences) == text
    assert Passage.of_sentences(text).sentences == sentences
