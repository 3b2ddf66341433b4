from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nmt import atomic
from nmt.errors import UserError
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import plan as plans
from nmt.lab.studies.plan import Job, Plan, comparable_json
from nmt.lab.studies.results import EVALUATIONS, JobResult, Results

FILE = """\
study: {kind: bottleneck, baseline: one, concatenations: [1, 2]}
recipe: {data: {corpus: builtin}, training: {updates: 5}}
systems:
  one: {title: one}
"""
TESTS = [
    TestSet("test.concatenated1", ["ein", "Haus"], ["a", "house"]),
    TestSet("test.concatenated2", ["ein Haus"], ["a house"]),
]
SHARED: dict[str, Any] = {"splits": {"train": "abc"}, "fallback": None}


def plan_of(folder: Path, *overrides: str) -> Plan:
    (folder / "small.yaml").write_text(FILE)
    return plans.read(folder / "small.yaml", overrides)


def run_folder(folder: Path) -> Path:
    (folder / "outputs").mkdir(parents=True)
    for name in (
        "recipe.yaml",
        "run.json",
        "metrics.jsonl",
        "model.safetensors",
        "outputs/test.concatenated1.beam5.txt",
    ):
        (folder / name).write_text("a\nhouse\n")
    return folder


def result(job: Job) -> JobResult:
    return JobResult(
        parameters=7,
        updates=5,
        best_update=5,
        target_tokens=100,
        precision="fp32",
        training_seconds=1,
        translating_seconds=1,
        weights_sha256="abc",
        capped={"test.concatenated1.beam5.txt": 0},
        example=None,
        origin={},
        recipe=comparable_json(job.recipe),
    )


def begun(folder: Path) -> Results:
    """A study with one finished run."""
    plan, results = plan_of(folder), Results(folder / "out")
    results.begin(plan, SHARED, b"vocabulary", TESTS)
    results.keep(plan.jobs[0], run_folder(folder / "run"), result(plan.jobs[0]))
    return results


def test_a_finished_run_leaves_settings_outputs_and_metrics_but_not_its_weights(tmp_path: Path) -> None:
    plan, results = plan_of(tmp_path), Results(tmp_path / "out")
    results.begin(plan, SHARED, b"vocabulary", TESTS)
    (job,) = plan.jobs
    assert not results.finished(job)
    results.keep(job, run_folder(tmp_path / "run"), result(job))
    assert results.finished(job)
    assert results.result(job) == result(job)
    assert results.output(job, "test.concatenated1", 5) == ["a", "house"]
    assert sorted(path.name for path in (tmp_path / "out" / "outputs" / "one-seed1").iterdir()) == [
        "metrics.jsonl",
        "result.json",
        "test.concatenated1.beam5.txt",
    ]


def test_test_sets_come_back_as_they_were_translated(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    results.begin(plan_of(tmp_path), SHARED, b"vocabulary", TESTS)
    assert results.test("test.concatenated2") == TESTS[1]
    assert results.vocabulary.read_bytes() == b"vocabulary"


def test_a_folder_of_the_same_study_is_taken_up_again(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    for _ in range(2):
        results.check(plan_of(tmp_path), SHARED, TESTS)
        results.begin(plan_of(tmp_path), SHARED, b"vocabulary", TESTS)


def test_a_test_set_that_comes_later_is_added_and_another_of_its_name_refused(tmp_path: Path) -> None:
    results, plan, late = Results(tmp_path / "out"), plan_of(tmp_path), TestSet("long", ["lang"], ["long"])
    for tests in (TESTS, [late]):
        results.check(plan, SHARED, tests)
        results.begin(plan, SHARED, b"vocabulary", tests)
    assert [results.test(test.name) for test in (*TESTS, late)] == [*TESTS, late]
    with pytest.raises(UserError, match=r"out: holds a study with other settings.*\n  long: another test set"):
        results.check(plan, SHARED, [TestSet("long", ["kurz"], ["short"])])


@pytest.mark.parametrize(
    ("override", "shared", "message"),
    [
        ("study.concatenations=[1, 4]", SHARED, r"concatenations: \[1, 2\] there, \[1, 4\] now"),
        ("data.max_words=9", {**SHARED, "splits": {"train": "xyz"}}, "splits.train: 'abc' there, 'xyz' now"),
        ("training.updates=6", SHARED, "one-seed1: training.updates: 5 there, 6 now"),
    ],
)
def test_a_folder_with_other_settings_is_refused_and_the_setting_named(
    tmp_path: Path, override: str, shared: dict[str, Any], message: str
) -> None:
    results = begun(tmp_path)
    with pytest.raises(
        UserError, match=rf"out: holds a study with other settings; name another folder with --out\n  {message}"
    ):
        results.check(plan_of(tmp_path, override), shared, TESTS)


def test_a_key_that_is_newer_than_the_results_had_its_default_there(tmp_path: Path) -> None:
    results = begun(tmp_path)
    path = results.outputs / "one-seed1" / "result.json"
    older = json.loads(path.read_text())
    assert older["recipe"]["search"].pop("precision") == "fp32"
    path.write_text(json.dumps(older))
    results.check(plan_of(tmp_path), SHARED, TESTS)
    with pytest.raises(UserError, match=r"search\.precision: 'fp32' there, 'bf16' now"):
        results.check(plan_of(tmp_path, "search.precision=bf16"), SHARED, TESTS)


def test_a_folder_of_something_else_is_refused_but_not_one_whose_beginning_was_cut_short(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    results.begin(plan_of(tmp_path), SHARED, b"vocabulary", TESTS)
    (tmp_path / "out" / "study.json").unlink()
    results.check(plan_of(tmp_path), SHARED, TESTS)
    with pytest.raises(UserError, match="not empty and not the results of a study"):
        Results(tmp_path).check(plan_of(tmp_path), SHARED, TESTS)


def test_every_evaluation_is_a_line_with_the_runs_and_the_test_set(tmp_path: Path) -> None:
    results, jobs = begun(tmp_path), plan_of(tmp_path).jobs
    assert [results.log_evaluation(TESTS[0], jobs) for _ in range(2)] == ["1", "2"]
    first, second = atomic.read_records(results.path / EVALUATIONS)
    assert (first["runs"], first["source_sha256"]) == ({"one-seed1": "abc"}, TESTS[0].source_sha256)
    assert (first["scored_before"], second["scored_before"]) == (0, 1)


def test_a_study_begun_without_an_evaluation_log_always_says_so(tmp_path: Path) -> None:
    results, jobs = begun(tmp_path), plan_of(tmp_path).jobs
    (results.path / EVALUATIONS).unlink()
    assert [results.log_evaluation(TESTS[0], jobs) for _ in range(2)] == [
        "1 since evaluations are logged",
        "2 since evaluations are logged",
    ]
    results.check(plan_of(tmp_path), SHARED, TESTS)


def test_a_result_of_an_earlier_version_is_refused_in_one_line(tmp_path: Path) -> None:
    results, (job,) = begun(tmp_path), plan_of(tmp_path).jobs
    path = results.outputs / job.name / "result.json"
    older = json.loads(path.read_text())
    older["target_pieces"] = older.pop("target_tokens")
    path.write_text(json.dumps(older))
    with pytest.raises(
        UserError, match=r"result\.json: written by an earlier version, without target_tokens; name another"
    ):
        results.result(job)
