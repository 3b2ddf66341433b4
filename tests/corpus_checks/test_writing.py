from __future__ import annotations

import pytest

from nmt.corpus_checks.text import damaged, defects
from nmt.data.pairs import Pairs

SOUND = [
    "Größe über alles",
    "naïve café, €5",
    "你好。世界",
    "Привет, мир",
    "„Ja“ — sagte er…",
    "tab\there",
    "İstanbul",
    "نعم",
]


@pytest.mark.parametrize("text", SOUND)
def test_text_of_many_languages_is_sound(text: str) -> None:
    assert not damaged(text)


@pytest.mark.parametrize("text", SOUND)
def test_text_that_was_read_in_the_wrong_encoding_is_damaged(text: str) -> None:
    for encoding in ("cp1252", "latin-1"):
        misread = text.encode().decode(encoding, "replace")
        assert damaged(misread) == (misread != text)


@pytest.mark.parametrize(
    "text", ["lost \ufffd here", "bell \x07", "\ufeffmark", "private \ue000", "half \ud800", "c1 \x85 control"]
)
def test_characters_that_no_text_has_are_damage(text: str) -> None:
    assert damaged(text)


def found(check: str, text: str) -> bool:
    by_check = {(name, split): faulty for name, split, faulty, _ in defects({"train": Pairs([text], ["fine"])})}
    assert by_check[check, "train target"] == []
    return by_check[check, "train source"] == [text]


@pytest.mark.parametrize(
    ("text", "tokenised"),
    [
        ("Ein Hund , der bellt .", True),
        ("blau @-@ weiß", True),
        ("un@@ known", True),
        ("I 'm here", True),
        ("Ein Hund, der bellt.", False),
        ("C'est vrai !", False),
        (".NET and 3 .5", False),
    ],
)
def test_spaces_before_commas_and_marks_of_tokenisers_look_tokenised(text: str, tokenised: bool) -> None:
    assert found("tokenised", text) == tokenised


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("stone &amp; tile", True),
        ("&#39;s", True),
        ("<b>bold</b>", True),
        ("a < b > c", False),
        ("R&D; more", False),
        ("AT&T", False),
    ],
)
def test_tags_and_entities_are_markup(text: str, markup: bool) -> None:
    assert found("markup", text) == markup
