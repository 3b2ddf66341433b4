from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nmt.errors import UserError
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import plan as plans
from nmt.lab.studies.plan import Plan
from nmt.lab.studies.results import Results

FILE = """\
study: {kind: bottleneck, baseline: one, packs: [1, 2]}
recipe: {data: {corpus: builtin}, training: {updates: 5}}
systems:
  one: {title: one}
"""
TESTS = [TestSet("test.pack1", ["ein", "Haus"], ["a", "house"]), TestSet("test.pack2", ["ein Haus"], ["a house"])]
SHARED: dict[str, Any] = {"splits": {"train": "abc"}, "fallback": None}


def plan_of(folder: Path, *overrides: str) -> Plan:
    (folder / "small.yaml").write_text(FILE)
    return plans.read(folder / "small.yaml", overrides)


def run_folder(folder: Path) -> Path:
    (folder / "outputs").mkdir(parents=True)
    for name in ("recipe.yaml", "run.json", "metrics.jsonl", "model.safetensors", "outputs/test.pack1.beam5.txt"):
        (folder / name).write_text("a\nhouse\n")
    return folder


def test_a_finished_run_leaves_settings_outputs_and_metrics_but_not_its_weights(tmp_path: Path) -> None:
    plan, results = plan_of(tmp_path), Results(tmp_path / "out")
    results.begin(plan, SHARED, b"vocabulary", TESTS)
    (unit,) = plan.units
    assert not results.finished(unit)
    results.keep(unit, run_folder(tmp_path / "run"), {"parameters": 7})
    assert results.finished(unit)
    assert results.result(unit)["parameters"] == 7
    assert results.output(unit, "test.pack1", 5) == ["a", "house"]
    assert sorted(path.name for path in (tmp_path / "out" / "one-seed1").iterdir()) == [
        "metrics.jsonl",
        "outputs",
        "result.json",
    ]


def test_test_sets_come_back_as_they_were_translated(tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    results.begin(plan_of(tmp_path), SHARED, b"vocabulary", TESTS)
    assert results.test("test.pack2") == TESTS[1]
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
    ("override", "shared", "told"),
    [
        ("study.packs=[1, 4]", SHARED, r"packs: \[1, 2\] there, \[1, 4\] now"),
        ("data.max_words=9", {**SHARED, "splits": {"train": "xyz"}}, "splits.train: 'abc' there, 'xyz' now"),
        ("training.updates=6", SHARED, "one-seed1: training.updates: 5 there, 6 now"),
    ],
)
def test_a_folder_with_other_settings_is_refused_and_the_setting_named(
    tmp_path: Path, override: str, shared: dict[str, Any], told: str
) -> None:
    plan, results = plan_of(tmp_path), Results(tmp_path / "out")
    results.begin(plan, SHARED, b"vocabulary", TESTS)
    results.keep(plan.units[0], run_folder(tmp_path / "run"), {})
    with pytest.raises(
        UserError, match=rf"out: holds a study with other settings; name another folder with --out\n  {told}"
    ):
        results.check(plan_of(tmp_path, override), shared, TESTS)


def test_a_key_that_is_newer_than_the_results_had_its_default_there(tmp_path: Path) -> None:
    plan, results = plan_of(tmp_path), Results(tmp_path / "out")
    results.begin(plan, SHARED, b"vocabulary", TESTS)
    results.keep(plan.units[0], run_folder(tmp_path / "run"), {})
    path = results.path / "one-seed1" / "result.json"
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
