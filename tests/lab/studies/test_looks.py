from __future__ import annotations

from pathlib import Path

from nmt import atomic
from nmt.lab.studies import looks
from nmt.lab.studies.results import LOOKS, Results
from tests.lab.studies.test_results import SHARED, TESTS, plan_of, run_folder


def begun(folder: Path) -> Results:
    results = Results(folder / "out")
    results.begin(plan_of(folder), SHARED, b"vocabulary", TESTS)
    results.keep(plan_of(folder).units[0], run_folder(folder / "run"), {"weights_sha256": "abc"})
    return results


def test_every_look_is_a_line_with_the_runs_and_the_test_set(tmp_path: Path) -> None:
    results, units = begun(tmp_path), plan_of(tmp_path).units
    assert [looks.add(results, TESTS[0], units) for _ in range(2)] == ["1", "2"]
    first, second = atomic.read_records(results.path / LOOKS)
    assert (first["runs"], first["source_sha256"]) == ({"one-seed1": "abc"}, TESTS[0].source_sha256)
    assert (first["scored_before"], second["scored_before"]) == (0, 1)


def test_a_study_begun_before_looks_were_counted_says_so_for_ever(tmp_path: Path) -> None:
    results, units = begun(tmp_path), plan_of(tmp_path).units
    (results.path / LOOKS).unlink()
    assert [looks.add(results, TESTS[0], units) for _ in range(2)] == [
        "1 since looks are counted",
        "2 since looks are counted",
    ]
    results.check(plan_of(tmp_path), SHARED, TESTS)
