from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from nmt.errors import UserError
from nmt.evaluation import batch, evaluation_log, systems
from nmt.evaluation.batch import Batch, Outcome
from nmt.evaluation.evaluate import Decoding
from nmt.evaluation.languages import Languages
from nmt.evaluation.selection import Selection, select
from nmt.evaluation.testsets import TestSet
from nmt.runs.run_folder import Run
from tests.evaluation.runs import Calls, make_run, opener

TEST = TestSet(
    "toy",
    ["ein Hund läuft im Garten", "eine Katze schläft im Haus"],
    ["a dog runs in the garden", "a cat sleeps in the house"],
    ("de", "en"),
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two seeds of a system, one of another, a run of other languages and one that is not finished."""
    monkeypatch.chdir(tmp_path)
    for seed in (1, 2):
        make_run(Path(f"runs/a-{seed}"), seed=seed)
    make_run(Path("runs/b"), recipe="model: {dropout: 0.3}")
    make_run(Path("runs/fr"), target="fr")
    make_run(Path("runs/half"), seed=3, finished=False)


def planned(patterns: Sequence[str] = ("runs/*",), baseline: str | None = None, beams: Sequence[int] = (5,)) -> Batch:
    def decodings(run: Run) -> list[Decoding]:
        return [systems.decoding(run, beam=beam) for beam in beams]

    return batch.plan(select(patterns, Path(baseline) if baseline else None), [(TEST, None)], decodings, own_test)


def own_test(run: Run) -> TestSet:
    return TestSet("test", [f"nach {run.recipe.data.target}"], ["a dog"])


def scored(made: Batch, calls: Calls, reason: str | None = None) -> Outcome:
    batch.permit(made, reason)
    return batch.score(made, opener(calls), reason, lambda _: None)


def test_runs_of_the_test_sets_languages_that_are_finished_are_scored_and_the_others_left_out_with_a_line() -> None:
    made = planned()
    assert [each.run.path.name for each in made.scorings] == ["a-1", "a-2", "b"]
    assert made.left_out == (
        "runs/half: left out: its training is not finished",
        "runs/fr: left out of toy: it translates de-fr, the test set is de-en",
    )


def test_what_a_pattern_matches_that_is_no_run_is_left_out_and_a_named_path_is_an_error() -> None:
    Path("runs/notes").mkdir()
    Path("runs/train.log").touch()
    assert "runs/notes: left out: not a run folder" in "\n".join(select(["runs/*"]).left_out)
    assert "train.log" not in "\n".join(select(["runs/*"]).left_out)
    with pytest.raises(UserError, match="runs/notes: not a run folder"):
        select(["runs/notes"])
    with pytest.raises(UserError, match=r"runs/x\*: no such run folder"):
        select(["runs/x*"])


def test_a_copy_of_a_run_is_left_out_and_a_path_that_is_named_twice_is_one_run() -> None:
    weights = Path("runs/a-1/model.safetensors").read_text()
    make_run(Path("runs/copy")).path.joinpath("model.safetensors").write_text(weights)
    found = select(["runs/a-1", "runs/copy", "runs/../runs/a-1"])
    assert [run.path.name for run in found.runs] == ["a-1"]
    assert found.left_out == ("runs/copy: left out: the same weights as runs/a-1",)


def test_runs_that_differ_in_the_seed_alone_are_one_row() -> None:
    [found] = batch.averaged(made := planned(), scored(made, []))
    assert [(row.row.system, row.row.seeds) for row in found.rows] == [("a", (1, 2)), ("b", (1,))]


def test_the_baselines_row_includes_its_other_seeds_and_the_others_are_compared_with_it() -> None:
    made = planned(["runs/b", "runs/a-2"], baseline="runs/a-1")
    [found] = batch.averaged(made, scored(made, []))
    assert (found.baseline, [row.row.seeds for row in found.rows]) == ("a", [(1, 2), (1,)])
    assert [bool(row.differences) for row in found.rows] == [False, True]


@pytest.mark.parametrize(
    ("baseline", "message"), [("runs/none", "no such run folder"), ("runs/half", "--baseline runs/half: its training")]
)
def test_a_baseline_that_is_no_finished_run_is_an_error(baseline: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        select(["runs/*"], Path(baseline))


def test_a_test_set_on_which_the_baseline_was_not_scored_is_not_compared() -> None:
    made = planned(baseline="runs/fr")
    [found] = batch.averaged(made, scored(made, []))
    assert found.baseline is None


def test_what_was_scored_is_not_translated_again() -> None:
    calls: Calls = []
    first = scored(made := planned(), calls)
    assert calls == [("a-1", 5, 2), ("a-2", 5, 2), ("b", 5, 2)]
    calls.clear()
    again = scored(planned(), calls)
    assert calls == []
    assert [each.scores for each in again.results.values()] == [each.scores for each in first.results.values()]
    assert len(evaluation_log.read(made.scorings[0].run)) == 1, "nothing was scored anew"


def test_an_interrupted_batch_goes_on_where_it_stopped() -> None:
    calls: Calls = []
    work = opener(calls)

    def interrupted(run: Run, decoding: Decoding):  # type: ignore[no-untyped-def]
        if run.path.name == "a-2":
            raise KeyboardInterrupt
        return work(run, decoding)

    with pytest.raises(KeyboardInterrupt):
        batch.score(planned(), interrupted, None, lambda _: None)
    assert [name for name, *_ in calls] == ["a-1"]
    calls.clear()
    scored(planned(), calls)
    assert [name for name, *_ in calls] == ["a-2", "b"]


@pytest.mark.parametrize("damage", ["weights", "output", "sentences", "settings"])
def test_other_weights_outputs_sentences_or_settings_are_translated_again(damage: str) -> None:
    calls: Calls = []
    scored(planned(["runs/b"]), calls)
    calls.clear()
    output = next(Path("runs/b/outputs").iterdir())
    made = planned(["runs/b"], beams=[2] if damage == "settings" else [5])
    if damage == "weights":
        Path("runs/b/model.safetensors").write_text("trained on")
        made = planned(["runs/b"])
    elif damage == "output":
        output.write_text("a dog\na cat\n")
    elif damage == "sentences":
        other = TestSet("toy", TEST.source, ["x", "y"], ("de", "en"))
        made = batch.plan(select(["runs/b"]), [(other, None)], lambda run: [systems.decoding(run)], own_test)
    scored(made, calls, "other")
    assert [name for name, *_ in calls] == ["b"]


def test_what_evaluate_has_scored_is_not_translated_again_either() -> None:
    run = Run(Path("runs/b"))
    translate = opener([])(run, systems.decoding(run))
    systems.score(run, TEST, systems.decoding(run), translate, by_length=False)
    calls: Calls = []
    scored(planned(["runs/b"]), calls)
    assert calls == []


def test_a_run_that_fails_is_kept_as_an_error_and_the_others_are_scored() -> None:
    Path("runs/a-1/broken").touch()
    outcome = scored(made := planned(), [])
    assert outcome.errors == ["runs/a-1 on toy, beam 5: the model cannot be loaded"]
    [found] = batch.averaged(made, outcome)
    assert [(row.row.system, row.row.seeds) for row in found.rows] == [("a", (2,)), ("b", (1,))]
    Path("runs/a-1/broken").unlink()
    calls: Calls = []
    scored(planned(), calls)
    assert [name for name, *_ in calls] == ["a-1"]


def test_a_test_set_is_not_scored_in_several_ways_without_a_reason() -> None:
    with pytest.raises(UserError, match="test set toy would be scored in several ways"):
        batch.permit(planned(beams=[1, 5]), None)
    scored(planned(beams=[1]), [])
    with pytest.raises(UserError, match="was scored 1 time with other settings"):
        batch.permit(planned(beams=[5]), None)
    outcome = scored(made := planned(beams=[1, 5]), [], "a curve over beams")
    [found] = batch.averaged(made, outcome)
    assert [(row.row.system, row.row.search["beam"]) for row in found.rows] == [
        ("a", 1),
        ("a", 5),
        ("b", 1),
        ("b", 5),
    ]
    batch.permit(planned(beams=[1, 5]), None)


def test_without_test_sets_each_run_is_scored_on_its_own_and_equal_ones_are_one_table() -> None:
    made = batch.plan(select(["runs/*"]), [], lambda run: [systems.decoding(run)], own_test)
    found = batch.averaged(made, scored(made, []))
    assert [(each.languages, len(each.rows)) for each in found] == [("de-en", 2), ("de-fr", 1)]


def test_the_languages_of_a_test_set_may_be_named() -> None:
    named = [(TEST, Languages("de", "fr"))]
    made = batch.plan(select(["runs/*"]), named, lambda run: [systems.decoding(run)], own_test)
    assert [each.run.path.name for each in made.scorings] == ["fr"]


def test_nothing_to_score_is_an_error_that_says_why() -> None:
    with pytest.raises(UserError, match=r"there is no run to score\nruns/half: left out"):
        planned(["runs/half"])
    with pytest.raises(UserError, match=r"toy is de-en; the runs are de-fr\nif the endings"):
        planned(["runs/fr"])
    with pytest.raises(UserError, match="there is no run to score"):
        batch.plan(Selection(()), [], lambda run: [], own_test)
