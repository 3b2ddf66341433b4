from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from nmt.serving.documents import HtmlDocument, Passage, PlainText


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab1 .!?\"')…。」\t\n\r\u2028😀Z"), max_size=60))
def test_sentences_and_the_gaps_between_them_are_the_text(text: str) -> None:
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
def test_sentences_are_split(text: str, sentences: list[str]) -> None:
    assert Passage(text).sentences == sentences


def test_translations_replace_sentences() -> None:
    text = PlainText("  Eins. Zwei!\n\n- 😀 -\nDrei")
    assert text.rebuilt([text.passages[0].joined(["A", "B", "C"])]) == "  A B\n\n- 😀 -\nC"


def uppercase_html(text: str) -> str:
    document = HtmlDocument(text)
    return document.rebuilt(
        [passage.joined([sentence.upper() for sentence in passage.sentences]) for passage in document.passages]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Hallo <b>Welt</b>. Ja!</p>", "<p>HALLO <b>WELT</b>. JA!</p>"),
        ("Hallo", "HALLO"),
        (
            "eins<br>zwei <a href='x?a=1&amp;b=2' title=\"drei\">vier</a>",
            'EINS<br>ZWEI <a href="x?a=1&amp;b=2" title="drei">VIER</a>',
        ),
        (
            '<p>ja <span translate="no">:katze: <b>nein</b></span> doch</p>',
            '<p>JA <span translate="no">:katze: <b>nein</b></span> DOCH</p>',
        ),
        ('<i class="a notranslate">nein</i> ja', '<i class="a notranslate">nein</i> JA'),
        ("<code>nein</code> ja <!-- nein --> ja", "<code>nein</code> JA <!-- nein --> JA"),
        ("<div>a</div><div>b</div>", "<div>A</div><div>B</div>"),
        (
            "<!doctype html><html><head><title>a</title></head><body>b</body></html>",
            "<!DOCTYPE html>\n<html><head><title>A</title></head><body>B</body></html>",
        ),
        ("a < b &lt;script&gt; &amp; c", "A &lt; B &lt;SCRIPT&gt; &amp; C"),
    ],
)
def test_text_in_html_is_translated_and_tags_are_kept(text: str, expected: str) -> None:
    assert uppercase_html(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "<",
        "<>",
        "\x00a\x0c",
        "<p",
        "</p>",
        "<!--",
        "<" * 2000,
        "<b>" * 5000 + "a",
        "&#0;&#xd800;",
        "<?xml",
        "\ufffe<a\x00b>",
    ],
)
def test_any_text_is_accepted_as_html(text: str) -> None:
    uppercase_html(text)


def test_a_translation_cannot_contain_tags() -> None:
    document = HtmlDocument("<p>a</p>")
    assert document.rebuilt(["<script>alert(1)</script>\x00"]) == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
