from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.evaluation import testsets


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


def test_a_test_set_is_read_from_two_files_and_its_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    source, reference = write(tmp_path, "a.de", "Ein Hund läuft.\n\n"), write(tmp_path, "a.en", "A dog runs.\n\n")
    test = testsets.read(f"dogs={source},{reference}")
    assert (test.name, test.source, test.references) == ("dogs", ["Ein Hund läuft.", ""], ["A dog runs.", ""])
    assert test.source_sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert test.references_sha256 == hashlib.sha256(reference.read_bytes()).hexdigest()


def test_unequal_files_are_refused_with_both_names_and_counts(tmp_path: Path) -> None:
    source, reference = write(tmp_path, "a.de", "eins\nzwei\n"), write(tmp_path, "a.en", "one\n")
    with pytest.raises(UserError, match=r"a\.de has 2 lines, but .*a\.en has 1"):
        testsets.read(f"numbers={source},{reference}")


@pytest.mark.parametrize("argument", ["", "name", "name=", "name=a", "name=a,", "=a,b", "name=a,b,c"])
def test_an_argument_of_another_form_is_refused_with_the_form_expected(argument: str) -> None:
    with pytest.raises(UserError, match="expected NAME=SRC,REF"):
        testsets.read(argument)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "a b", ""])
def test_a_name_that_cannot_name_a_file_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="expected a name"):
        testsets.TestSet(name, ["a"], ["b"])


def test_a_test_set_without_sentences_or_with_unequal_sides_is_refused() -> None:
    with pytest.raises(UserError, match="no sentences"):
        testsets.TestSet("empty", [], [])
    with pytest.raises(UserError, match="2 source lines, but 1 references"):
        testsets.TestSet("unequal", ["a", "b"], ["a"])


def test_the_hash_is_of_the_sentences_of_both_sides_and_not_of_the_name() -> None:
    one = testsets.TestSet("one", ["a", "b"], ["c", "d"])
    assert one.sha256 == testsets.TestSet("two", ["a", "b"], ["c", "d"]).sha256
    others = [(["a", "b"], ["c", "e"]), (["a", "e"], ["c", "d"]), (["c", "d"], ["a", "b"])]
    assert one.sha256 not in [testsets.TestSet("one", *sides).sha256 for sides in others]


def test_two_test_sets_of_one_name_are_refused() -> None:
    test = testsets.TestSet("same", ["a"], ["b"])
    with pytest.raises(UserError, match="same: the name is given twice"):
        testsets.check_names([test, test])
