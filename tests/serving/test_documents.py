from __future__ import annotations

import pytest

from nmt.inference.translator import Translation
from nmt.serving.documents import HtmlDocument


def uppercase_html(text: str) -> str:
    document = HtmlDocument(text)
    return document.rebuilt([Translation(block, block.upper()) for block in document.blocks])


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
    assert (
        document.rebuilt([Translation("a", "<script>alert(1)</script>\x00")])
        == "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"
    )
