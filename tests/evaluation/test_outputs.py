from __future__ import annotations

from pathlib import Path

import pytest

from nmt.errors import RunError
from nmt.evaluation.evaluate import settings_name, write_lines


def test_lines_are_written_one_each_and_a_line_feed_within_one_is_refused(tmp_path: Path) -> None:
    write_lines(tmp_path / "new folder" / "out.txt", ["a\u2028b", "", "ü"])
    assert (tmp_path / "new folder" / "out.txt").read_bytes() == "a\u2028b\n\nü\n".encode()
    with pytest.raises(RunError, match="hypothesis 2 has a line feed"):
        write_lines(tmp_path / "out.txt", ["a", "b\nc"])


@pytest.mark.parametrize(
    ("search", "name"),
    [({"beam": 5, "length_penalty": 0.6}, "beam5.length_penalty0.6"), ({}, "default"), ({"way": "a/b c"}, "waya_b_c")],
)
def test_search_settings_become_part_of_a_file_name(search: dict[str, object], name: str) -> None:
    assert settings_name(search) == name
