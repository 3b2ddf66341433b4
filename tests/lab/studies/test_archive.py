from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.lab.studies import archive
from nmt.lab.studies.results import Results
from tests.lab.studies.test_results import SHARED, TESTS, begun, plan_of, result


def test_a_published_study_is_opened_from_its_archive_and_goes_on(tmp_path: Path) -> None:
    folder, (job,) = begun(tmp_path).path, plan_of(tmp_path).jobs
    archive.write_archive(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["evaluations.jsonl", "outputs.tar.xz", "study.json"]
    results = Results.open(folder)
    results.check(plan_of(tmp_path), SHARED, TESTS)
    assert results.result(job) == result(job)
    assert results.test("test.concatenated2") == TESTS[1]


def test_the_same_outputs_give_the_same_bytes_whenever_they_were_written(tmp_path: Path) -> None:
    hashes = []
    for place, time in (("one", 1), ("other", 1_000_000_000)):
        (tmp_path / place).mkdir()
        folder = begun(tmp_path / place).path
        for path in folder.rglob("*"):
            os.utime(path, (time, time))
        hashes.append(hashlib.sha256(archive.write_archive(folder).read_bytes()).hexdigest())
    assert hashes[0] == hashes[1]


def test_unpacked_outputs_are_never_replaced_by_the_archive(tmp_path: Path) -> None:
    folder = begun(tmp_path).path
    archive.write_archive(folder)
    (folder / "outputs").mkdir()
    archive.unpack_missing(folder)
    assert list((folder / "outputs").iterdir()) == []


def test_a_damaged_archive_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    folder = begun(tmp_path).path
    path = archive.write_archive(folder)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UserError, match=r"outputs\.tar\.xz: cannot be read"):
        Results.open(folder)
    assert not (folder / "outputs").exists()


def test_without_outputs_there_is_nothing_to_archive(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="outputs: no outputs to archive"):
        archive.write_archive(tmp_path)
