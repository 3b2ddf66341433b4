from __future__ import annotations

from pathlib import Path

import pytest

from nmt.data import ragged
from nmt.data.pairs import Pair, Pairs, copied_words

SOURCES = ["Häuser", "", "drei\u2028vier", *(f"Satz {number}" for number in range(20))]
PAIRS = Pairs(SOURCES, [text.upper() for text in SOURCES])


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    monkeypatch.setattr(ragged, "BLOCK", 5)
    return Pairs.write(tmp_path / "train", PAIRS)


def test_pairs_in_files_are_the_pairs_in_memory(stored: Pairs) -> None:
    assert list(stored) == list(PAIRS)
    assert Pairs.collect(stored) == PAIRS
    assert stored.sha256 == PAIRS.sha256
    assert [stored.source[row] for row in (3, 0, -1)] == [SOURCES[row] for row in (3, 0, -1)]
    assert stored.target[1:9:3] == PAIRS.target[1:9:3]
    with pytest.raises(IndexError):
        stored.source[len(SOURCES)]


def test_rows_can_be_taken_and_left_out(stored: Pairs) -> None:
    assert (
        stored.take([4, 2]) == PAIRS.take([4, 2]) == Pairs([SOURCES[4], SOURCES[2]], [PAIRS.target[4], PAIRS.target[2]])
    )
    assert Pairs.collect(stored.without({0, 2})) == PAIRS.take([1, *range(3, len(SOURCES))])


def test_what_was_replaced_is_counted_where_pairs_are_collected() -> None:
    assert Pairs.collect([Pair("a", "b", 1), Pair("c", "d"), Pair("e", "f", 2)]).replaced == 3


def test_deleted_pairs_leave_nothing(stored: Pairs, tmp_path: Path) -> None:
    Pairs.delete(tmp_path / "train")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("Ein Hund läuft im Park", "A dog läuft im Park today", None),
        ("Ein Hund läuft im Park", "Then Hund läuft im Park today", "Hund läuft im Park"),
        ("Barack Obama", "Barack Obama", None),
        ("Zwei große Hunde", "Zwei große Hunde", "Zwei große Hunde"),
        ("1999 - 2004 - 2008", "1999 - 2004 - 2008", None),
        ("am 3. 4. 2020 um 10:30 Uhr", "on 3. 4. 2020 um 10:30", None),
        ("", "", None),
        ("Ja", "", None),
    ],
)
def test_four_consecutive_words_or_a_whole_text_of_three_are_copied_words(
    source: str, target: str, found: str | None
) -> None:
    assert copied_words(source, target) == found
