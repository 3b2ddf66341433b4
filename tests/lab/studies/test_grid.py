from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import grid_report, plan as plans, report
from nmt.lab.studies.plan import Plan
from nmt.lab.studies.results import Results
from nmt.recipe.types import Recurrent, Transformer
from tests.lab.studies.test_results import result

GRID = """\
study: {kind: grid, baseline: small-dropout-0.1}
recipes: [small.yaml, deep.yaml]
seeds: [1, 2]
overrides: {model.dropout: [0.1, 0.3]}
recipe: {data: {max_words: 12}, training: {updates: 7}}
"""
SMALL = "data: {corpus: builtin}\nmodel: {embedding: 16}\ntraining: {updates: 5, batch_tokens: 99}\n"
DEEP = "data: {corpus: builtin}\nmodel: {family: transformer, width: 32}\ntraining: {updates: 5}\n"


def read(folder: Path, text: str = GRID, *overrides: str, deep: str = DEEP) -> Plan:
    for name, content in (("grid.yaml", text), ("small.yaml", SMALL), ("deep.yaml", deep)):
        (folder / name).write_text(content)
    return plans.read(folder / "grid.yaml", overrides)


def test_there_is_a_system_for_every_recipe_and_choice_and_a_job_for_every_seed_of_it(tmp_path: Path) -> None:
    plan = read(tmp_path)
    assert list(plan.systems) == ["small-dropout-0.1", "small-dropout-0.3", "deep-dropout-0.1", "deep-dropout-0.3"]
    assert [system.title for system in plan.systems.values()][::2] == ["small, dropout 0.1", "deep, dropout 0.1"]
    assert [(job.system, job.seed, job.recipe.training.seed) for job in plan.jobs][:3] == [
        ("small-dropout-0.1", 1, 1),
        ("small-dropout-0.1", 2, 2),
        ("small-dropout-0.3", 1, 1),
    ]
    assert len(plan.jobs) == 8


def test_a_choice_wins_over_what_all_share_which_wins_over_the_recipes_and_recipes_share_nothing_else(
    tmp_path: Path,
) -> None:
    jobs = {job.system: job.recipe for job in read(tmp_path).jobs}
    small, deep = jobs["small-dropout-0.3"], jobs["deep-dropout-0.1"]
    assert isinstance(small.model, Recurrent)
    assert isinstance(deep.model, Transformer)
    assert (small.model.dropout, small.model.embedding, deep.model.dropout, deep.model.width) == (0.3, 16, 0.1, 32)
    assert (small.training.updates, small.training.batch_tokens) == (7, 99)
    assert deep.training.batch_tokens != 99
    assert {recipe.data.max_words for recipe in jobs.values()} == {12}


def test_overrides_may_be_sections_and_a_single_value_names_nothing(tmp_path: Path) -> None:
    nested = GRID.replace("{model.dropout: [0.1, 0.3]}", "{model: {dropout: [0.1, 0.3]}, training.clip: [2.0]}")
    plan = read(tmp_path, nested)
    assert plan.jobs[0].recipe.training.clip == 2.0
    assert [*plan.systems] == [*read(tmp_path).systems]


def test_keys_with_the_same_last_part_are_named_in_full(tmp_path: Path) -> None:
    text = GRID.replace(
        "{model.dropout:", "{model.encoder.hidden: [8, 16], model.decoder.hidden: [8, 16], model.dropout:"
    )
    text = text.replace("small-dropout-0.1", "small-model.encoder.hidden-8-model.decoder.hidden-8-dropout-0.1")
    text = text.replace("[small.yaml, deep.yaml]", "[small.yaml]")
    assert len(read(tmp_path, text).systems) == 8


def test_the_command_line_changes_what_all_share_and_the_grid_itself(tmp_path: Path) -> None:
    plan = read(
        tmp_path, GRID, "training.updates=9", "seeds=[4]", "overrides.model.dropout=[0.1]", "study.baseline=deep"
    )
    assert [(job.name, job.recipe.training.updates) for job in plan.jobs] == [("small-seed4", 9), ("deep-seed4", 9)]


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("small.yaml,", "smal.yaml,", r"smal.yaml: no such recipe; did you mean .*small.yaml"),
        ("small-dropout-0.1}", "small}", r"grid.yaml:1: study.baseline: found 'small', expected one of the systems"),
        ("seeds:", "seed:", r"grid.yaml:3: seed: not a key here; did you mean seeds\?"),
        ("seeds: [1, 2]", "seeds: [one]", r"grid.yaml:3: seeds.0: found 'one'"),
        ("[0.1, 0.3]", "[0.1, high]", r"grid.yaml:4: model.dropout: found 'high', expected a number"),
        (
            "model.dropout",
            "model.dropuot",
            r"model.dropuot: not a key of model in family recurrent; did you mean dropout",
        ),
        ("seeds: [1, 2]", "seeds: [1, 1]", "two runs are called small-dropout-0.1-seed1; expected a different seed"),
        ("[0.1, 0.3]", "0.1", r"grid.yaml:4: overrides.'model.dropout': found 0.1, expected a list of values"),
        ("model.dropout: [0.1, 0.3]", "training.seed: [1, 2]", r"'training.seed': name the seeds by the key seeds"),
        ("updates: 7", "updates: no", r"grid.yaml:5: training.updates: found 'no'"),
        ("[small.yaml, deep.yaml]", "[]", r"grid.yaml:2: recipes: found \[\]"),
        ("[small.yaml, deep.yaml]", "[small.yaml, small.yaml]", "two systems of the grid are called small-dropout-0.1"),
        ("[small.yaml, deep.yaml]", "[grid.yaml]", "grid.yaml: this is a study, expected a recipe of one model"),
        ("kind: grid,", "kind: grid, concatenations: [1, 2],", "a grid is scored on the test set as it is"),
    ],
)
def test_a_problem_is_reported_with_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        read(tmp_path, GRID.replace(before, after))


def test_a_problem_in_a_recipe_has_the_place_in_its_own_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"deep.yaml:2: model.width: found 'wide'"):
        read(tmp_path, deep=DEEP.replace("32", "wide"))


def test_recipes_with_other_test_sets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.target is 'en' in one and 'fr' in another; a grid compares"):
        read(tmp_path, deep=DEEP.replace("corpus: builtin", "corpus: builtin, target: fr"))


def test_studies_of_a_folder_are_listed_with_kind_and_first_line(tmp_path: Path) -> None:
    read(tmp_path, f"# A grid of two.\n{GRID}")
    (tmp_path / "broken.yaml").write_text("study: [")
    assert plans.listed(tmp_path) == [(tmp_path / "grid.yaml", "grid", "A grid of two.")]
    with pytest.raises(UserError, match="there is no study; name one"):
        plans.listed(tmp_path / "none")


REFERENCES = [" ".join(random.Random(line).choices("abcdefgh", k=8)) for line in range(60)]
TESTS = [TestSet("test.concatenated1", [f"Satz {line}" for line in range(60)], REFERENCES)]


def finished(folder: Path, *systems: str) -> tuple[Plan, Results]:
    """A grid in which the runs of these systems are finished; the deep ones translate better."""
    plan, results = read(folder), Results(folder / "out")
    results.begin(plan, {"splits": {}, "fallback": None}, b"vocabulary", TESTS)
    for job in plan.jobs:
        if job.system in systems:
            run = folder / "runs" / job.name
            (run / "outputs").mkdir(parents=True)
            (run / "metrics.jsonl").touch()
            draw, wrong = random.Random(job.name), 0.1 if job.system.startswith("deep") else 0.5
            lines = (" ".join("x" if draw.random() < wrong else word for word in line.split()) for line in REFERENCES)
            (run / "outputs" / "test.concatenated1.beam5.txt").write_text("".join(f"{line}\n" for line in lines))
            results.keep(job, run, result(job))
    return plan, results


def test_the_report_has_a_row_for_each_system_with_its_seeds_and_the_difference_from_the_baseline(
    tmp_path: Path,
) -> None:
    plan, results = finished(tmp_path, "small-dropout-0.1", "deep-dropout-0.1")
    paths = report.write(plan, results.path, lambda _: None)
    assert sorted(path.name for path in paths) == [f"grid.{end}" for end in ("csv", "json", "md", "png", "svg", "tex")]
    rows = list(csv.DictReader(io.StringIO((results.path / "grid.csv").read_text())))
    assert [(row["system"], row["seeds"]) for row in rows] == [
        ("small, dropout 0.1", "1; 2"),
        ("deep, dropout 0.1", "1; 2"),
    ]
    assert float(rows[1]["differences.bleu.difference"]) > 10
    assert rows[1]["differences.bleu.significant"] == "True"
    text = (results.path / "grid.md").read_text()
    assert "Not finished: small-dropout-0.3-seed1, small-dropout-0.3-seed2, deep-dropout-0.3-seed1" in text
    assert "updates 7" in text
    assert json.loads((results.path / "grid.json").read_text())["baseline"] == "small, dropout 0.1"


def test_without_a_finished_run_of_the_baseline_nothing_is_compared(tmp_path: Path) -> None:
    plan, results = finished(tmp_path, "deep-dropout-0.1")
    done = [job for job in plan.jobs if results.finished(job)]
    assert grid_report.analyse(plan, results, done, lambda _: None).compared == 0
