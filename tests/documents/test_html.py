from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from html import unescape

import pytest

from nmt.documents.html import HtmlDocument
from nmt.errors import UserError
from nmt.inference.translator import Translation
from tests.documents.aligned import aligned, uppercase


def uppercase_html(text: str) -> str:
    document = HtmlDocument(text)
    return document.rebuilt([uppercase(block) for block in document.blocks])


def translated(text: str, translation: str, pairs: Sequence[tuple[str, str]]) -> str:
    document = HtmlDocument(text)
    (block,) = document.blocks
    return document.rebuilt([aligned(block, translation, pairs)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<p>Hallo <b>Welt</b>. Ja!</p>", "<p>HALLO <b>WELT</b>. JA!</p>"),
        ("Hallo", "HALLO"),
        (
            "eins<br>zwei <a href='x?a=1&amp;b=2' title=\"drei\">vier</a>",
            "EINS<br>ZWEI <a href='x?a=1&amp;b=2' title=\"DREI\">VIER</a>",
        ),
        ("<img alt=eins><INPUT placeholder='a \"b\"'>", "<img alt=\"EINS\"><INPUT placeholder='A &quot;B&quot;'>"),
        (
            '<p>ja <span translate="no">:katze: <b>nein</b></span> doch</p>',
            '<p>JA <span translate="no">:katze: <b>nein</b></span> DOCH</p>',
        ),
        ('<i class="a notranslate">nein</i> ja', '<i class="a notranslate">nein</i> JA'),
        ("<p translate=no>nein<p>ja", "<p translate=no>nein<p>JA"),
        ("<code>nein</code> ja <!-- nein --> ja", "<code>nein</code> JA <!-- nein --> JA"),
        ("<p>Mit <code>x</code>, ja.</p>", "<p>MIT <code>x</code>, JA.</p>"),
        ("<script>'<p>nein</p>'</script>ja<style>nein</style>", "<script>'<p>nein</p>'</script>JA<style>nein</style>"),
        ("Ein<sup> <a>[1]</a></sup> Hund<sup>2</sup>.", "EIN<sup> <a>[1]</a></sup> HUND<sup>2</sup>."),
        ("x<sup>te</sup> <sup><b>1</sup></b> y", "<sup>XTE</sup> <sup><b>1</sup></b> Y"),
        ("<title>a <b>b</p> &amp; c</title><p>d", "<title>A &lt;B&gt;B&lt;/P&gt; &amp; C</title><p>D"),
        ("<p>a<title>b <i>c", "<p>A<title>B &lt;I&gt;C"),
        ("<div>a</div><div>b</div>", "<div>A</div><div>B</div>"),
        ("<p>\n  ein\n  <b>Hund</b>\n</p>\n", "<p>\n  EIN <b>HUND</b>\n</p>\n"),
        ("a < b &lt;script&gt; &amp; c", "A &lt; B &lt;SCRIPT&gt; &amp; C"),
    ],
)
def test_text_in_html_is_translated_and_tags_are_kept(text: str, expected: str) -> None:
    assert uppercase_html(text) == expected


def test_a_paragraph_is_one_block_whatever_tags_are_in_it() -> None:
    paragraph = '<p>Ein <b>Mann</b> in einem <a href="x">blauen <i>Hemd</i></a><img src="y">.</p><h1>Ja</h1>'
    assert HtmlDocument(paragraph).blocks == ["Ein Mann in einem blauen Hemd.", "Ja"]


PAIRS = (("Hunde", "dogs"), ("Der", "the"), ("Mann", "man"), ("sieht", "sees"), ("zwei", "two"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zwei <b>Hunde</b> sieht der Mann", "The man sees two <b>dogs</b>"),
        ("Zwei Hunde sieht <b>der Mann</b>", "<b>The man</b> sees two dogs"),
        ("<b>Zwei Hunde</b> <i>sieht</i> der Mann", "The man <i>sees</i> <b>two dogs</b>"),
        ("<b>Zwei <i>Hunde</i></b> sieht der Mann", "The man sees <b>two <i>dogs</i></b>"),
        ("<b>Zwei Hunde sieht der Mann</b>", "<b>The man sees two dogs</b>"),
        ("<b>Zwei Hunde sieht <i>der</i> Mann</b>", "<b><i>The</i> man sees two dogs</b>"),
        ("Zwei <img> Hunde sieht der Mann", "The man sees two <img> dogs"),
        ("Zwei Hunde sieht <img>der Mann", "<img>The man sees two dogs"),
        ("<b>Zwei Hunde<br>", "<b>TWO DOGS<br>"),
    ],
)
def test_an_inline_tag_is_put_back_around_its_words(text: str, expected: str) -> None:
    document = HtmlDocument(text)
    words = [("Zwei", "two"), ("Hunde", "dogs"), ("sieht", "sees"), ("der", "The"), ("Mann", "man")]
    assert (
        document.rebuilt(
            [
                aligned(block, "The man sees two dogs", words) if "sieht" in block else Translation(block, "TWO DOGS")
                for block in document.blocks
            ]
        )
        == expected
    )


def test_a_stray_word_of_the_alignment_does_not_widen_a_tag() -> None:
    words = [("Ein", "A"), ("Hund", "dog"), ("Hund", "snow"), ("schläft", "sleeps"), ("im", "in"), ("im", "the")]
    assert translated("Ein <b>Hund</b> schläft im Schnee", "A dog sleeps in the snow", words) == (
        "A <b>dog</b> sleeps in the snow"
    )


def test_a_tag_whose_words_were_not_translated_stays_with_their_neighbour() -> None:
    words = [("Er", "He"), ("kam", "came"), ("weil", "because"), ("Sie", "She"), ("sang", "sang")]
    found = translated("Er kam, weil er <i>wütend</i> ist. Sie sang.", "He came because. She sang.", words)
    assert found == "He came <i>because</i>. She sang."


def test_tags_of_each_sentence_stay_in_it_without_an_alignment() -> None:
    text = "<p><b>Ein Hund.</b> Zwei Katzen schlafen <i>heute</i>.</p>"
    document = HtmlDocument(text)
    found = document.rebuilt([Translation(document.blocks[0], "A small dog. Two cats sleep today.")])
    assert found == "<p><b>A small dog.</b> Two cats sleep <i>today</i>.</p>"


def test_tags_that_cross_stay_in_their_order() -> None:
    found = uppercase_html("eins <i>zwei <b>drei</i> vier</b> fünf</u> sechs")
    assert found == "EINS <i>ZWEI <b>DREI</i> VIER</b> FÜNF</u> SECHS"


@pytest.mark.parametrize(
    "text",
    [
        "<p>Ein Mann.</p>" + "<b>" * 300 + "WICHTIG 12345" + "</b>" * 300 + "<p>Ende Hund.</p>",
        "<b>" * 255 + "Ein Hund" + "</b>" * 255 + " Zwei",
        "<div>" * 1000 + "<b>" * 1000 + "tief" + "</b>" * 1000 + "</div>" * 1000 + "Ende",
        "<p>Ein Hund.</p></body></html>\n<p>Eine Katze 12345.</p>",
        "<html><body><p>A.</p></body></html>\n<html><body><p>B 12345.</p></body></html>",
        "<!doctype html><p>Eins</p><!doctype html><p>zwei</p>",
        "<body onload=x>Ein Hund",
        "<head><title>a</title></head>b",
        "<html>Hund",
        "</div></body></html>Ein Hund",
        "<a href='x>Hund</a> <p>Katze",
        "a<3 b <c & d &amp e &#228; &nosuch;",
        "<![if !mso]>Hund<![endif]--><!--[if mso]>Katze<![endif]-->",
        "<table>Hund<tr><td>Katze<td>Maus</table>",
        "<select><option>Hund<option>Katze</select>",
        "<svg><text>nein</text></svg>ja<math><mi>x</mi></math>",
    ],
)
def test_nothing_is_lost(text: str) -> None:
    found = uppercase_html(text)
    # Capitals change letters only, so the document is the same but for them, for entities and for white space.
    assert "".join(unescape(found).lower().split()) == "".join(unescape(text).lower().split())


@pytest.mark.parametrize(
    "text", ["<!doctype html>", "<html", "<HTML ", "<!doctype", "<!doctype html><!-- a -->", "", " ", "<"]
)
def test_a_document_without_text_comes_back_as_it_is(text: str) -> None:
    assert uppercase_html(text) == text


@pytest.mark.parametrize(
    "text",
    [
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
    document = HtmlDocument("<p title=b>a</p>")
    found = document.rebuilt([Translation("b", '">'), Translation("a", "<script>alert(1)</script>\x00")])
    assert found == '<p title="&quot;&gt;">&lt;script&gt;alert(1)&lt;/script&gt;</p>'


def test_a_document_that_two_parsers_read_differently_is_refused() -> None:
    with pytest.raises(UserError, match="without losing text"):
        uppercase_html("<!--> Hund -->")


@pytest.mark.parametrize(
    "text", ["<a x='" * 15_000, "<a" * 25_000, "<b>a " * 5_000, "<!--" * 15_000, "</b" * 25_000, "<b>a</i> " * 5_000]
)
def test_hostile_documents_are_read_or_refused_in_time_that_grows_with_their_length(text: str) -> None:
    begun = time.process_time()
    with suppress(UserError):
        uppercase_html(text)
    assert time.process_time() - begun < 10  # a quadratic one takes minutes


def test_a_mark_stays_at_the_word_that_it_is_glued_to() -> None:
    words = [("Zwei", "two"), ("Hunde", "dogs"), ("sieht", "sees"), ("der", "The"), ("Mann", "man")]
    for text, expected in (
        ("Zwei Hunde<sup>1</sup> sieht der Mann", "The man sees two dogs<sup>1</sup>"),
        ("Zwei Hunde sieht <img>der Mann", "<img>The man sees two dogs"),
        ("Zwei Hunde sieht<img> der Mann", "The man sees<img> two dogs"),
    ):
        assert translated(text, "The man sees two dogs", words) == expected
