from __future__ import annotations

import json
import sys
import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError

from nmt import printable
from nmt.data.metadata import Text

CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1)]
OBEYED = [each for each in CHARACTERS if unicodedata.category(each) in ("Cc", "Zl", "Zp", "Cs")]
BIDI = [
    each
    for each in CHARACTERS
    if unicodedata.bidirectional(each) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
]


def test_every_control_character_of_unicode_but_tab_and_line_feed_is_removed_and_nothing_else() -> None:
    removed = {each for each in CHARACTERS if printable.without_controls(each) == ""}
    assert removed == {*OBEYED, *BIDI} - {"\t", "\n"}
    assert len(BIDI) == 9


def test_messages_spell_control_characters_out() -> None:
    assert printable.escaped("a\x1b]0;b\x07\x9b\u202e\ud800\tc\nd") == "a\\x1b]0;b\\x07\\x9b\\u202e\\ud800\tc\nd"


def test_labels_are_one_line() -> None:
    assert printable.visible("a\nb\x1bc") == "a\ufffdb\ufffdc"
    assert printable.visible("Straße 🐕") == "Straße 🐕"


@pytest.mark.parametrize("indent", [None, 1])
def test_json_reads_back_the_same_and_holds_no_control_character(indent: int | None) -> None:
    value = {"ä\u200f🐕\\": [*OBEYED, *BIDI]}
    written = printable.dumps(value, indent)
    assert json.loads(written) == value
    assert printable.without_controls(written) == written
    assert "ä" in written
    assert printable.dumps(value, indent, only_ascii=True).isascii()


def test_a_line_of_metadata_has_no_control_character() -> None:
    line = TypeAdapter(Text)
    for each in (*OBEYED, *BIDI):
        with pytest.raises(ValidationError):
            line.validate_python(each)
    assert line.validate_python("Straße \u200f🐕")
