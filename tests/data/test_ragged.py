from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nmt.data import ragged as module
from nmt.data.ragged import RaggedArray, RaggedWriter
from nmt.errors import RunError, UserError

ROWS: list[list[int]] = [[], [1, 2], [70_000], [], *([number] * (number % 5) for number in range(50)), []]


def written(place: Path, rows: Sequence[Sequence[int]], at_once: int = 7) -> RaggedArray:
    with RaggedWriter(place) as writer:
        for first in range(0, len(rows), at_once):
            block = rows[first : first + at_once]
            writer.extend(b"".join(np.array(row, np.int32).tobytes() for row in block), map(len, block))
    return RaggedArray.open(place, np.int32)


def test_rows_in_files_are_the_rows_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    for rows in (written(tmp_path / "side", ROWS), RaggedArray.from_rows(ROWS)):
        assert [row.tolist() for row in rows] == ROWS
        assert rows.lengths.tolist() == [len(row) for row in ROWS]
        blocks = [values[start:end].tolist() for values, offsets in rows.blocks() for start, end in pairwise(offsets)]
        assert blocks == ROWS
        places = random.Random(1).choices(range(len(ROWS)), k=40)
        assert [rows[place].tolist() for place in places] == [ROWS[place] for place in places]


@pytest.mark.parametrize("rows", [[], [[]]])
def test_no_rows_and_no_values_are_arrays_too(tmp_path: Path, rows: list[list[int]]) -> None:
    for found in (written(tmp_path / "side", rows), RaggedArray.from_rows(rows)):
        assert ([row.tolist() for row in found], found.lengths.tolist()) == (rows, [0] * len(rows))


def test_a_file_cut_short_in_use_is_an_error_and_does_not_end_the_process(tmp_path: Path) -> None:
    rows = written(tmp_path / "side", ROWS)
    (tmp_path / "side.values").write_bytes(b"")
    with pytest.raises(RunError, match=r"side\.values: cut short while it was in use"):
        rows[1]


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"side\.values: cannot be read \(No such file"):
        RaggedArray.open(tmp_path / "side", np.int32)
