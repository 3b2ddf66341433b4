from __future__ import annotations

from dataclasses import replace

import pytest

from nmt.inference.translator import Translation
from tools.checks import survive

LINE = survive.Line("Die Frau {x} liest 25 Seiten.", [(9, 12), (19, 21)], "Die Frau liest Seiten.")


def translation(text: str, *words: tuple[str, str]) -> Translation:
    """A translation with an alignment of words."""
    sources, targets = zip(*words, strict=True)
    found = Translation(LINE.text, text, pieces=list(targets), source_pieces=list(sources))
    return replace(
        found,
        alignment=[(place, place) for place in range(len(words))],
        source_spans=[(LINE.text.index(word), LINE.text.index(word) + len(word)) for word in sources],
        spans=[(text.index(word), text.index(word) + len(word)) for word in targets],
    )


WORDS = (("Die", "The"), ("Frau", "woman"), ("liest", "reads"), ("Seiten", "pages"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("The woman {x} reads 25 pages.", None),
        ("The woman {x} reads 26 pages.", "'25' is not intact"),
        ("The woman {x} {x} reads 25 pages.", "'{x}' is not intact"),
        ("{x} The woman reads 25 pages.", "'{x}' is out of place"),
        ("The woman reads pages 25 {x}.", "'{x}' is out of place"),
    ],
)
def test_the_check_tells_what_is_lost_and_what_is_out_of_place(text: str, said: str | None) -> None:
    found = survive.fault(LINE, translation(text, *WORDS))
    assert found is None if said is None else found is not None and found.startswith(said)


def test_without_an_alignment_things_keep_their_order() -> None:
    assert survive.fault(LINE, Translation(LINE.text, "The {x} 25")) is None
    assert "out of order" in (survive.fault(LINE, Translation(LINE.text, "The 25 {x}")) or "")


def test_lines_are_the_same_each_time_and_every_template_is_among_2000() -> None:
    lines = list(survive.made(2000))
    assert lines == list(survive.made(2000))
    assert all(line.text[start:end] for line in lines for start, end in line.things)
    assert all(1 <= len(line.things) <= 6 for line in lines)
    assert len({line.bare for line in lines}) >= 40
    assert not any("{" in line.bare or "  " in line.bare for line in lines)
