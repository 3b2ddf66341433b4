"""CSV and TMX, as spreadsheets and translation memories write them, and headers of tables."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from nmt.data.pairs import Pair
from nmt.data.readers import stream_pair_files
from nmt.errors import UserError

TMX = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header creationtool="x" srclang="de-DE"/><body>
<tu><tuv xml:lang="de-DE"><seg>Ein <bpt i="1">&lt;b&gt;</bpt>Hund<ept i="1">&lt;/b&gt;</ept>
 läuft<ph/>.</seg></tuv><tuv xml:lang="EN"><seg>A dog <hi>runs</hi>.</seg></tuv></tu>
<tu><tuv xml:lang="de"><seg>Nur Deutsch.</seg></tuv><tuv xml:lang="fr"><seg>Seul.</seg></tuv></tu>
<tu><tuv xml:lang="en_us"><seg>A cat &amp; a dog.</seg></tuv><tuv xml:lang="de"><seg>Katze &amp; Hund.</seg></tuv></tu>
</body></tmx>"""


def read(tmp_path: Path, name: str, text: str, source: str = "de", target: str = "en") -> list[Pair]:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return list(stream_pair_files(str(path), source, target))


@pytest.mark.parametrize("name", ["memory.tmx", "memory.tmx.gz"])
def test_a_translation_memory_gives_the_units_with_both_languages_without_codes(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, TMX) == [
        Pair("Ein Hund läuft.", "A dog runs.", 0, 1),
        Pair("Katze & Hund.", "A cat & a dog.", 0, 3),
    ]


def test_a_translation_memory_of_other_languages_is_refused_with_those_it_has(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no unit has both 'de' and 'it'; its languages are de-de, en, de, fr, en-us"):
        read(tmp_path, "memory.tmx", TMX, target="it")


@pytest.mark.parametrize("text", ["<tmx><body><tu>", "no xml", ""])
def test_what_is_no_translation_memory_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(UserError, match=r"memory\.tmx:1: not a TMX file"):
        read(tmp_path, "memory.tmx", text)


DEEP = f"<tmx><body><tu><tuv xml:lang='de'><seg>{'<hi>' * 5000}x{'</hi>' * 5000}</seg></tuv></tu></body></tmx>"
ENTITIES = "".join(f'<!ENTITY {new} "{f"&{old};" * 20}">' for old, new in zip("abcdefg", "bcdefgh", strict=True))
BOMB = f'<!DOCTYPE tmx [<!ENTITY a "{"x" * 100}">{ENTITIES}]><tmx><body><tu><tuv><seg>&h;</seg></tuv></tu></body></tmx>'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DEEP, "elements in unit 1 are nested too deep"),
        (BOMB, "limit on input amplification"),
        ("<!DOCTYPE tmx [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><tmx><seg>&a;</seg></tmx>", "undefined entity"),
    ],
)
def test_a_hostile_translation_memory_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        read(tmp_path, "memory.tmx", text)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_spreadsheet_has_commas_or_semicolons_quotes_and_line_breaks(tmp_path: Path, separator: str) -> None:
    rows = ["en,note,de", '"A dog, ""big"".",x,"Ein Hund,', 'groß."', "", "A cat.,,Eine Katze."]
    text = "\r\n".join(row if separator == "," else ";".join(_cells(row)) for row in rows)
    assert read(tmp_path, "table.csv", text) == [
        Pair("Ein Hund, groß.", 'A dog, "big".', 0, 3),
        Pair("Eine Katze.", "A cat.", 0, 5),
    ]


def _cells(row: str) -> list[str]:
    """The cells of a row of commas, outside quotes."""
    quoted, cells = False, [""]
    for character in row:
        quoted ^= character == '"'
        if character == "," and not quoted and row.count('"') != 1:
            cells.append("")
        else:
            cells[-1] += character
    return cells


def test_without_a_header_columns_are_source_and_target(tmp_path: Path) -> None:
    assert read(tmp_path, "table.csv", "Hund,dog\nKatze,cat\n") == [
        Pair("Hund", "dog", 0, 1),
        Pair("Katze", "cat", 0, 2),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Hund,dog\nKatze\n", r"table\.csv:2: expected 2 columns separated by ',', found 1"),
        ('Hund,"dog\n', r"table\.csv:1: not CSV: unexpected end of data"),
        ('Hund,"dog"x\n', r"table\.csv:1: not CSV"),
    ],
)
def test_a_broken_spreadsheet_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path, "table.csv", text)


@pytest.mark.parametrize("header", ["de\ten", "DE\tEN", "German\tEnglish", "source\ttarget", "src\ttrg", "de\tenglish"])
@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.csv"])
def test_a_header_of_the_recipes_languages_or_sides_is_no_pair(tmp_path: Path, name: str, header: str) -> None:
    text = f"{header}\nHund\tdog\n"
    pairs = read(tmp_path, name, text if name.endswith("tsv") else text.replace("\t", ","))
    assert [(pair.source, pair.target) for pair in pairs] == [("Hund", "dog")]


def test_columns_are_found_by_their_names_in_any_order(tmp_path: Path) -> None:
    (pair,) = read(tmp_path, "pairs.tsv", "English\tid\tGerman\ndog\t7\tHund\n")
    assert (pair.source, pair.target) == ("Hund", "dog")


@pytest.mark.parametrize("header", ["fr\ten", "French\tEnglish", "en\tfr-CA"])
def test_a_header_of_other_languages_is_refused_and_not_read_as_a_pair(tmp_path: Path, header: str) -> None:
    with pytest.raises(UserError, match=r"pairs\.tsv:1: a header names .*set data\.source and data\.target"):
        read(tmp_path, "pairs.tsv", f"{header}\nchien\tdog\n")


@pytest.mark.parametrize("first", ["ja\tyes", "Hund\tdog", "de\tof", "Deutsch\tGerman"])
def test_a_first_pair_that_only_resembles_a_header_stays_a_pair(tmp_path: Path, first: str) -> None:
    assert len(read(tmp_path, "pairs.tsv", f"{first}\nKatze\tcat\n")) == 2
