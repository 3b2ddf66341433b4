from __future__ import annotations

import time

import pytest

from nmt.documents.markdown import MarkdownDocument
from nmt.inference.translator import Translation
from tests.documents.aligned import aligned, uppercase


def uppercase_markdown(text: str) -> str:
    document = MarkdownDocument(text)
    return document.rebuilt([uppercase(block) for block in document.blocks])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Ein *Haus* #\n", "# EIN *HAUS* #\n"),
        ("Ein Haus\n========\n\n---\n", "EIN HAUS\n========\n\n---\n"),
        ("- eins\n- zwei\n\n  drei\n1. vier\n", "- EINS\n- ZWEI\n\n  DREI\n1. VIER\n"),
        ("- [ ] eins\n- [x] zwei\n", "- [ ] EINS\n- [x] ZWEI\n"),
        ("> eins\n> zwei\n\ndrei\nvier\n", "> EINS ZWEI\n\nDREI VIER\n"),
        ("eins  \nzwei\\\ndrei\n", "EINS  \nZWEI\\\nDREI\n"),
        ("| a | `b` |\n|:--|---|\n| x \\| y | z |\n", "| A | `b` |\n|:--|---|\n| X \\| Y | Z |\n"),
        ("ein `ein_hund()` ist, `` ` `` ja", "EIN `ein_hund()` IST, `` ` `` JA"),
        ("```py\nnein\n```\n\n    nein\n\nja\n", "```py\nnein\n```\n\n    nein\n\nJA\n"),
        ("---\ntitle: nein\n---\n\nja\n", "---\ntitle: nein\n---\n\nJA\n"),
        ("[ein Hund](http://a.de/b_(c) 'nein') und <http://x.de>!", "[EIN HUND](http://a.de/b_(c) 'nein') UND <http://x.de>!"),
        ("siehe https://a.de/b?c=d.", "SIEHE https://a.de/b?c=d."),
        ("[![Bild](a.png)](b.html)", "[![BILD](a.png)](b.html)"),
        ("[Hund] [Tal][k] [Maus]\n\n[hund]: /h\n[k]: /k\n", "[HUND][Hund] [TAL][k] [MAUS]\n\n[hund]: /h\n[k]: /k\n"),
        ("ja[^1].\n\n[^1]: auch ja\n", "JA[^1].\n\n[^1]: AUCH JA\n"),
        ("**eins *zwei*** 2 * 3 snake_case \\*ja\\*", "**EINS *ZWEI*** 2 \\* 3 SNAKE_CASE \\*JA\\*"),
        ("<div>\n<p title='a'>ja <b>nein</b></p>\n</div>\n", "<div>\n<p title='A'>JA <b>NEIN</b></p>\n</div>\n"),
        ("a <b>c</b><br>d <!-- nein --> &amp; e", "A <b>C</b><br>D <!-- nein --> & E"),
        ("2020\\. Ja\n", "2020\\. JA\n"),
        ("sei $x_a = b$ und $$\\frac{a}{b}$$ so", "SEI $x_a = b$ UND $$\\frac{a}{b}$$ SO"),
        ("von $5 und $6 a_b und US$7", "VON $5 UND $6 A_B UND US$7"),
        ("ja[^a]\n\n[^a]: nein\n[^b]: doch\n", "JA[^a]\n\n[^a]: NEIN\n[^b]: DOCH\n"),
    ],
)  # fmt: skip
def test_structure_code_and_targets_of_links_are_kept(text: str, expected: str) -> None:
    assert uppercase_markdown(text) == expected


def test_emphasis_follows_its_words() -> None:
    document = MarkdownDocument("Zwei **Hunde** sieht [der Mann](x).")
    words = [("Zwei", "two"), ("Hunde", "dogs"), ("sieht", "sees"), ("der", "The"), ("Mann", "man")]
    found = document.rebuilt([aligned(document.blocks[0], "The man sees two dogs.", words)])
    assert found == "[The man](x) sees two **dogs**."


def test_the_mark_of_a_footnote_keeps_its_colon_whatever_the_model_says() -> None:
    document = MarkdownDocument("[^1]: Ein Hund.\n")
    assert document.blocks == ["Ein Hund."]
    assert document.rebuilt([Translation("Ein Hund.", "A dog.")]) == "[^1]: A dog.\n"


def test_a_translation_is_no_markup() -> None:
    document = MarkdownDocument("- a\n")
    assert document.rebuilt([Translation("a", "# *b* <i> `c`")]) == "- \\# \\*b\\* \\<i> \\`c\\`\n"


@pytest.mark.parametrize(
    "part", ["*a ", "x_ *a ", "[", "](x '", "`a ", "$a_", "$$a ", "<!--", "<code>", "> ", "- a\n", "| "]
)
def test_hostile_documents_are_read_in_time_that_grows_with_their_length(part: str) -> None:
    begun = time.process_time()
    MarkdownDocument(part * 3_000)
    assert time.process_time() - begun < 10  # a quadratic one takes minutes
