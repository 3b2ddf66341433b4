from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings, strategies as st

from nmt.text.spans import find_spans, prefix_end


@pytest.mark.parametrize(
    "marked",
    [
        "Es kostet ⟦12,50 €⟧ oder ⟦$5⟧.",
        "⟦1.234.567,89 EUR⟧, ⟦1 000 000 km⟧, ⟦-5 °C⟧, ⟦50 %⟧, ⟦10-20 kg⟧, ⟦80km/h⟧.",
        "Am ⟦03.05.2024⟧ um ⟦10:30⟧ Uhr, ⟦2024-05-03T10:30:00Z⟧, von ⟦9:00–17:00⟧.",  # noqa: RUF001 - a dash
        "Siehe ⟦https://example.org/x?y=1⟧, ⟦www.example.org/a⟧. Und ⟦example.de⟧!",
        "(⟦https://de.wikipedia.org/wiki/Hund_(Tier)⟧).",
        "An ⟦anna.b+c@example.co.uk⟧, ⟦@anna⟧ und ⟦@anna@mastodon.social⟧ ⟦#Klima⟧",
        "Hallo ⟦{name}⟧, ⟦{{user}}⟧, ⟦${X}⟧, ⟦$HOME⟧, ⟦{0}⟧: ⟦%s⟧, ⟦%1$s⟧, ⟦%.2f⟧, ⟦%(n)s⟧, ⟦%d⟧⟦%%⟧.",
        "⟦<x/>⟧ ⟦<b>⟧Hund⟦</b>⟧ ⟦&amp;⟧ ⟦<a href='x'>⟧",
        "Öffne ⟦`ein hund()`⟧ in ⟦src/nmt/main.py⟧, ⟦~/.bashrc⟧, ⟦C:\\Neu\\a.txt⟧ und ⟦Foto.JPG⟧.",
        "⟦[⟧ein Hund⟦](http://x.y/z_(a))⟧ ist ⟦**⟧fett⟦**⟧",
        "Gut ⟦😀⟧ ⟦👍🏽⟧ ⟦👨‍👩‍👧⟧ ⟦🇩🇪⟧ ⟦:-)⟧",
        "Version ⟦v1.2.3⟧ von ⟦192.168.0.1⟧, ⟦ISO-8859-1⟧, ⟦mp3⟧, ⟦1920x1080⟧, ⟦#42⟧",
        "⟦+49 30 1234567⟧ und ⟦DE89 3704 0044 0532 0130 00⟧",
        "Setze ⟦OMP_NUM_THREADS⟧ auf ⟦max_len2⟧, _b nicht",
        "Dr. Müller und/oder z.B. Frau A. Groß - ja. Nein: ⟦5⟧*x < y",
        "Ein Mann (oder zwei) sagt: „Das ist's!“ und/oder geht; a & b <⟦3⟧",
    ],
)
def test_what_must_survive_is_found(marked: str) -> None:
    """Brackets ⟦ ⟧ mark the spans."""
    text = re.sub("[⟦⟧]", "", marked)
    assert [text[span.start : span.end] for span in find_spans(text)] == re.findall("⟦(.*?)⟧", marked)


def test_small_integers_and_ordinals_are_counts_and_models_read_numbers() -> None:
    found = find_spans("Am 3. Mai kamen 2 Hunde, 13 Katzen und {name} um 10:30.")
    assert [(span.kind, span.is_read) for span in found] == [
        ("count", True),
        ("count", True),
        ("number", True),
        ("placeholder", False),
        ("time", True),
    ]


@settings(deadline=None, max_examples=300)
@given(st.text(st.sampled_from("aB1 .,:;-/\\<>(){}[]`%$#@&*_~+\t\n😀\u200d€é°"), max_size=80))
def test_spans_are_in_order_and_do_not_overlap(text: str) -> None:
    edges = [edge for span in find_spans(text) for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(span.start < span.end for span in find_spans(text))
    assert 0 <= prefix_end(text) <= len(text)


HOSTILE = [
    *("1", "a.", "1.", "`a", "<a ", "&a", "http://.", "(www.a)", ").", "a@a.", "{a", "%(", "[a]("),
    *(
        "](",
        "/",
        "a/",
        "a\\",
        "C:\\",
        "+1 ",
        "+",
        " -",
        "1 000",
        "10:30",
        "€ ",
        "a-1",
        "x1",
        "1h",
        "😀\u200d",
        "*",
        "**a",
        "_",
        "~",
        "\\n",
        "[[a",
        "> ",
        "1. ",
        "a'",
    ),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_takes_linear_time(unit: str) -> None:
    """100,000 characters took at most 1 s on a busy core; anything quadratic takes minutes."""
    text = unit * (100_000 // len(unit))
    begun = time.process_time()
    find_spans(text + "!")
    prefix_end(text)
    assert time.process_time() - begun < 5
