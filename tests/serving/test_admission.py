from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.serving.admission import ApiKeys, add_key


def test_a_new_key_is_accepted_and_stored_as_a_hash_only(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first, second = add_key(path, "mastodon"), add_key(path, "phone")
    keys = ApiKeys.read(path)
    assert [keys.accepts(key) for key in (first, second, first + "x", "", sha256(first.encode()).hexdigest())] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert first not in path.read_text()


def test_comments_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# ours\n\na  {sha256(b'secret').hexdigest()}\n")
    assert ApiKeys.read(path).accepts("secret")
    assert not ApiKeys.read(path).accepts("\ud800")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there are no keys in it"),
        ("a secret\n", ":1: expected a name and the SHA-256"),
        (2 * f"a {'0' * 64}\n", ":2: there is a key named a already"),
    ],
)
def test_an_invalid_key_file_is_an_error_that_names_the_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        ApiKeys.read(path)


@pytest.mark.parametrize("name", ["", "a b", "#a", "taken"])
def test_a_key_needs_a_name_of_its_own(tmp_path: Path, name: str) -> None:
    add_key(tmp_path / "keys", "taken")
    with pytest.raises(UserError, match="name"):
        add_key(tmp_path / "keys", name)
