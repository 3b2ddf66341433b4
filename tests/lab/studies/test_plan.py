from __future__ import annotations

from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.lab.studies import plan
from nmt.lab.studies.plan import Plan
from nmt.recipe.types import Recurrent, Transformer

FILE = """\
study: {kind: bottleneck, baseline: attention, concatenations: [1, 2]}
recipe:
  data: {corpus: builtin, concatenation: 2}
  model: {family: recurrent, embedding: 16, dropout: 0.0}
  training: {updates: 5}
systems:
  attention: {title: attention, seeds: [1, 2]}
  fixed:
    title: thought vector
    group: around
    recipe:
      model: {attention: none, encoder: {hidden: 8}}
      training: {updates: 10}
  transformer: {title: Transformer, recipe: {model: {family: transformer, width: 32}}}
"""


def read(folder: Path, text: str = FILE, *overrides: str) -> Plan:
    (folder / "small.yaml").write_text(text)
    return plan.read(folder / "small.yaml", overrides)


def test_a_system_changes_the_keys_it_names_and_shares_the_rest(tmp_path: Path) -> None:
    fixed = next(job for job in read(tmp_path).jobs if job.system == "fixed").recipe
    assert isinstance(fixed.model, Recurrent)
    assert (fixed.model.attention, fixed.model.encoder.hidden, fixed.model.embedding, fixed.model.dropout) == (
        "none",
        8,
        16,
        0.0,
    )
    assert (fixed.training.updates, fixed.data.concatenation) == (10, 2)


def test_a_system_that_names_a_family_has_a_model_of_its_own(tmp_path: Path) -> None:
    model = read(tmp_path).jobs[-1].recipe.model
    assert isinstance(model, Transformer)
    assert (model.width, model.dropout) == (32, Transformer().dropout)


def test_there_is_a_job_for_every_seed_on_one_thread(tmp_path: Path) -> None:
    jobs = read(tmp_path).jobs
    assert [job.name for job in jobs] == ["attention-seed1", "attention-seed2", "fixed-seed1", "transformer-seed1"]
    assert [(job.recipe.training.seed, job.recipe.training.threads) for job in jobs] == [
        (1, 1),
        (2, 1),
        (1, 1),
        (1, 1),
    ]
    assert [job.name for job in read(tmp_path).chosen(["around"])] == ["fixed-seed1"]


def test_overrides_change_what_is_shared_and_a_systems_own_keys_stay(tmp_path: Path) -> None:
    found = read(tmp_path, FILE, "training.updates=7", "study.beams=[1]", "systems.attention.seeds=[3]")
    assert {job.name: job.recipe.training.updates for job in found.jobs} == {
        "attention-seed3": 7,
        "fixed-seed1": 10,
        "transformer-seed1": 7,
    }
    assert found.settings.beams == (1,)


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            "concatenations: [1, 2]",
            "concatenations: [0]",
            r"small.yaml:1: study.concatenations.0: found 0, expected greater than or equal to 1",
        ),
        (
            "concatenations:",
            "concatenation:",
            r"small.yaml:1: study.concatenation: not a key here; did you mean concatenations\?",
        ),
        ("concatenations:", "packs:", r"small.yaml:1: study.packs: renamed; use study.concatenations"),
        ("group: around", "panel: around", r"small.yaml:10: systems.fixed.panel: renamed; use systems.fixed.group"),
        (
            "baseline: attention",
            "baseline: atention",
            r"small.yaml:1: study.baseline: found 'atention', expected one of the systems attention, fixed",
        ),
        (
            "attention: none",
            "atention: none",
            r"small.yaml:12: model.atention: not a key of model in family recurrent; did you mean attention\?",
        ),
        (
            "updates: 10",
            "updates: ten",
            r"small.yaml:13: training.updates: found 'ten', expected an integer of at least 1",
        ),
        ("updates: 5", "updates: five", r"small.yaml:5: training.updates: found 'five'"),
        ("title: thought vector", "match: gru", r"small.yaml:8: systems.fixed.title: missing"),
        (
            "group: around",
            "match: gru",
            r"small.yaml:10: systems.fixed.match: found 'gru', expected one of the systems",
        ),
        ("  fixed:", "  Fixed!:", r"small.yaml:8: systems.*: found 'Fixed!'"),
    ],
)
def test_a_problem_is_reported_with_its_place(tmp_path: Path, before: str, after: str, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        read(tmp_path, FILE.replace(before, after))


def test_an_unknown_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--only: expected among around, core, found 'centre'"):
        read(tmp_path).chosen(["centre"])


def test_where_text_lies_and_names_are_no_settings_of_a_run(tmp_path: Path) -> None:
    here, there = (
        read(tmp_path, FILE, override).jobs[0].recipe for override in ("data.corpus=builtin", "data.corpus=some/where")
    )
    assert plan.comparable_json(here) == plan.comparable_json(there)
    other = read(tmp_path, FILE, "training.batch_tokens=99").jobs[0].recipe
    assert plan.differences(plan.comparable_json(here), plan.comparable_json(other)) == [
        "training.batch_tokens: 2048 there, 99 now"
    ]


def test_a_recipe_is_no_study_and_the_command_for_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"small.yaml: expected a study .*; train a recipe with nmt train"):
        read(tmp_path, "training: {updates: 5}\n")


def test_systems_for_long_sentences_are_left_out_unless_there_is_a_corpus_of_them(tmp_path: Path) -> None:
    text = FILE + "  natural: {title: natural, long: true}\n"
    assert "natural" not in read(tmp_path, text).systems
    found = read(tmp_path, text, "study.long={train: ['long.de,long.en'], test: 'test.de,test.en'}")
    assert [(job.system, job.recipe.data.extra) for job in found.jobs][-1] == ("natural", ["long.de,long.en"])
    assert found.jobs[0].recipe.data.extra == []
    with pytest.raises(UserError, match=r"study\.long\.tset: not a key here; did you mean test"):
        read(tmp_path, text, "study.long.tset=x")
