from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from nmt.data.pairs import Pairs
from nmt.data.readers import read_pair_files
from nmt.errors import UserError

PAIR = {"de": "Ein Hund läuft.", "en": "A dog runs."}
PAIRS = Pairs([PAIR["de"]], [PAIR["en"]])


def written(path: Path, data: str) -> str:
    path.write_text(data, encoding="utf-8", newline="")
    return str(path)


def parquet(path: Path, rows: Sequence[Mapping[str, object]]) -> str:
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return str(path)


def test_every_format_holds_the_same_pairs(tmp_path: Path) -> None:
    source, target = written(tmp_path / "a.de", PAIR["de"] + "\r\n"), written(tmp_path / "a.en", PAIR["en"])
    specs = [
        f"{source},{target}",
        written(tmp_path / "plain.tsv", f"{PAIR['de']}\t{PAIR['en']}\n"),
        written(tmp_path / "header.tsv", f"en\tnumber\tde\n{PAIR['en']}\t7\t{PAIR['de']}\n"),
        written(tmp_path / "flat.jsonl", json.dumps(PAIR) + "\n\n"),
        written(tmp_path / "nested.jsonl", json.dumps({"id": 1, "translation": PAIR})),
        parquet(tmp_path / "flat.parquet", [PAIR]),
        parquet(tmp_path / "nested.parquet", [{"translation": PAIR}]),
    ]
    assert [read_pair_files(spec, "de", "en") for spec in specs] == [PAIRS] * len(specs)


def test_files_are_concatenated_and_unpacked(tmp_path: Path) -> None:
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(b"zwei\ttwo\n"))
    specs = [written(tmp_path / "a.tsv", "eins\tone\n"), str(tmp_path / "b.tsv.gz")]
    assert read_pair_files(specs, "de", "en") == Pairs(["eins", "zwei"], ["one", "two"])


def test_text_files_of_unequal_length_are_named_with_both_counts(tmp_path: Path) -> None:
    source, target = written(tmp_path / "a.de", "eins\n"), written(tmp_path / "a.en", "one\ntwo\n")
    with pytest.raises(UserError, match=r"a\.de has 1 lines and .*a\.en has 2"):
        read_pair_files(f"{source},{target}", "de", "en")


def test_a_line_separator_inside_a_sentence_does_not_shift_the_other_side(tmp_path: Path) -> None:
    source, target = written(tmp_path / "a.de", "ei\u2028ns\nzw\rei\n"), written(tmp_path / "a.en", "one\ntwo\n")
    assert read_pair_files(f"{source},{target}", "de", "en") == Pairs(["ei\u2028ns", "zw\rei"], ["one", "two"])


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.tsv", "eins\tone\nzwei\n", r"a\.tsv:2: expected 2 columns .* found 1"),
        ("a.tsv", "1\teins\tone\n", r"a\.tsv:1: expected 2 columns .* names the columns 'de' and 'en'; found 3"),
        ("a.tsv", "de\ten\nzwei\n", r"a\.tsv:2: expected 2 columns .* found 1"),
        ("a.jsonl", '{"de": "eins", "en": "one"}\n{"de": \n', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", '{"fr": "un", "en": "one"}\n', r"data\.source: .*a\.jsonl:1 has no column 'de'; it has fr, en"),
        ("a.jsonl", '{"de": "eins", "en": 1}\n', r"a\.jsonl:1: expected text under 'en', found 1"),
        (
            "a.jsonl",
            f'{{"de": "eins", "en": "one", "id": {"9" * 5000}}}\n',
            r"a\.jsonl:1: .*a number of too many digits",
        ),
        ("a.jsonl", '["eins", "one"]\n', r"a\.jsonl:1: expected an object"),
        ("a.jsonl", '{"de": "\\ud83d", "en": "one"}\n', r"a\.jsonl:1: half a surrogate pair under 'de'"),
        ("a.parquet", "PAR?", r"a\.parquet: not a readable Parquet file"),
        ("a.txt", "eins", "expected SOURCE,TARGET"),
    ],
)
def test_an_error_says_where_and_what(tmp_path: Path, name: str, data: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_pair_files(written(tmp_path / name, data), "de", "en")


def test_replacing_repairs_invalid_text_in_every_format_and_counts_it(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    written(tmp_path / "a.jsonl", '{"de": "\\ud83d!", "en": "one"}\n')
    (tmp_path / "a.tsv").write_bytes(b"\xff!\tone\n")
    column = pyarrow.array([b"\xff!"]).view(pyarrow.string())
    pyarrow.parquet.write_table(pyarrow.table({"de": column, "en": ["one"]}), tmp_path / "a.parquet")
    for file in tmp_path.iterdir():
        assert read_pair_files(str(file), "de", "en", errors="replace") == Pairs(["\ufffd!"], ["one"], replaced=1)
        with pytest.raises(UserError, match=r"invalid UTF-8|surrogate"):
            read_pair_files(str(file), "de", "en")


def test_a_header_decides_which_column_is_the_source(tmp_path: Path) -> None:
    spec = written(tmp_path / "a.tsv", "de\ten\neins\tone\n")
    assert read_pair_files(spec, "en", "de") == Pairs(["one"], ["eins"])


def test_the_fingerprint_tells_sides_and_sentence_borders_apart() -> None:
    corpora = [
        Pairs(["ab"], ["c"]),
        Pairs(["a"], ["bc"]),
        Pairs(["c"], ["ab"]),
        Pairs(["ab", ""], ["c", ""]),
        Pairs([], []),
    ]
    assert len({pairs.sha256 for pairs in corpora}) == len(corpora)
    assert Pairs(["ab"], ["c"]).sha256 == corpora[0].sha256
