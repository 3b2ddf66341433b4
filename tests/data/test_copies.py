from __future__ import annotations

import pytest

from nmt.data.copies import copied


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
def test_four_words_in_a_row_or_a_whole_text_of_three_are_copied(source: str, target: str, found: str | None) -> None:
    assert copied(source, target) == found
