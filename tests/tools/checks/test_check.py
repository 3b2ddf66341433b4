"""What all checks share: trials, the figure, the record, the page, and the values that are compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nmt.runs.run_folder import Run
from nmt.training import checkpoints
from tools.checks import check, report
from tools.checks.check import Check, SkippedError, Tally, Trial, tally
from tools.checks.kills import unreadable
from tools.checks.moments import Range
from tools.checks.outcome import difference, leaves
from tools.checks.soak import growth


def trials(count: int) -> Iterator[Trial]:
    """Every third is wrong."""
    for number in range(count):
        yield Trial(f"number {number}", "too large" if number % 3 == 2 else None, {"seconds": number / 10})


CHECK = Check(number=1, name="thirds", promise="A promise.", held="held", full=9, trials=trials)


def of(faults: int, held: int, share: float = 1.0) -> Tally:
    given = [Trial("this", "wrong")] * faults + [Trial("that")] * held
    return Tally(
        Check(number=1, name="given", promise="A promise.", held="held", full=1, trials=trials, share=share), 1, given
    )


def test_the_figure_counts_what_held_and_gives_the_largest_of_what_was_measured() -> None:
    told: list[str] = []
    found = tally(CHECK, 6, told.append)
    assert found.figure == "4/6 held; seconds at most 0.5"
    assert told == ["thirds: trial 3: number 2: too large", "thirds: trial 6: number 5: too large"]


@pytest.mark.parametrize(
    ("faults", "held", "share", "kept"),
    [(0, 3, 1.0, True), (1, 2, 1.0, False), (1, 999, 0.999, True), (2, 998, 0.999, False)],
)
def test_a_promise_is_kept_when_its_share_of_trials_holds(faults: int, held: int, share: float, kept: bool) -> None:
    assert of(faults, held, share).kept == kept


def test_a_check_that_tried_nothing_keeps_nothing() -> None:
    assert not of(0, 0).kept


@pytest.mark.parametrize(
    ("count", "runs", "kept"), [(9, ["runs/de-en"], False), (9, [], True), (8, ["runs/de-en"], True)]
)
def test_bounds_count_at_the_full_count_and_for_a_real_model_only(count: int, runs: list[str], kept: bool) -> None:
    bounded = Check(
        number=1,
        name="slow",
        promise="A promise.",
        held="held",
        full=9,
        trials=trials,
        of_runs=True,
        bounds={"seconds": 0.5},
    )
    found = Tally(bounded, count, [Trial("this", None, {"seconds": 0.6})], [Path(run) for run in runs])
    assert found.kept == kept
    assert ("(bound 0.5)" in found.figure) == (not kept)
    assert found.as_record(1.0)["command"] == " ".join(
        ["python -m tools.checks.slow", *runs, *(["--count 8"] if count == 8 else [])]
    )


def test_a_check_that_cannot_be_made_says_why_and_is_neither_kept_nor_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(count: int) -> Iterator[Trial]:
        raise SkippedError("needs a browser")
        yield

    monkeypatch.setattr(check, "RESULTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["page"])
    with pytest.raises(SystemExit) as left:
        check.run(Check(number=1, name="page", promise="A promise.", held="held", full=1, trials=none))
    assert (left.value.code, capsys.readouterr().out, list(tmp_path.iterdir())) == (
        check.NOT_HERE,
        "skipped: needs a browser\n",
        [],
    )


def test_a_check_of_its_own_models_takes_no_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["thirds", "runs/de-en"])
    with pytest.raises(SystemExit) as left:
        check.run(CHECK)
    assert (left.value.code, capsys.readouterr().err) == (
        2,
        "thirds: makes its own models; expected no run folder, found runs/de-en\n",
    )


def test_a_count_too_small_to_be_published_leaves_no_record_unless_a_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(check, "RESULTS", tmp_path / "published")
    for arguments in (["--count", "2"], ["--count", "2", "--results", str(tmp_path / "named")]):
        monkeypatch.setattr("sys.argv", ["thirds", *arguments])
        with pytest.raises(SystemExit) as left:
            check.run(CHECK)
        assert (left.value.code, capsys.readouterr().out) == (0, "2/2 held; seconds at most 0.1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["named"]
    monkeypatch.setattr("sys.argv", ["thirds"])
    with pytest.raises(SystemExit) as left:
        check.run(CHECK)
    record = json.loads((tmp_path / "published" / "thirds.json").read_text())
    assert (left.value.code, record["figure"], record["kept"], len(record["faults"])) == (
        1,
        "6/9 held; seconds at most 0.8",
        False,
        3,
    )


def test_the_page_has_a_row_for_every_promise_says_what_was_not_run_and_lists_what_did_not_hold(tmp_path: Path) -> None:
    (tmp_path / "thirds.json").write_text(json.dumps(tally(CHECK, 3).as_record(90.0)))
    absent = Check(number=2, name="absent", promise="Another promise.", held="held", full=1, trials=trials)
    page = report.page([CHECK, absent], tmp_path)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if line.startswith("| ") and "promise." in line
    ]
    assert rows[0][:4] == ["A promise.", "thirds", "2/3 held; seconds at most 0.2 (the full count is 9)", "no"]
    assert rows[1][1:3] == ["absent", "not run yet"]
    assert "- thirds: number 2: too large" in page


def test_the_page_says_where_bounds_were_not_judged(tmp_path: Path) -> None:
    bounded = Check(
        number=1,
        name="slow",
        promise="A promise.",
        held="held",
        full=1,
        trials=trials,
        of_runs=True,
        bounds={"seconds": 0.5},
    )
    for runs, kept in (([], "yes, bounds not judged"), ([Path("runs/de-en")], "yes")):
        record = Tally(bounded, 1, [Trial("this", None, {"seconds": 0.4})], runs).as_record(1.0)
        (tmp_path / "slow.json").write_text(json.dumps(record))
        assert f"| {kept} |" in report.page([bounded], tmp_path)


def test_all_checks_are_found_with_numbers_of_their_own() -> None:
    found = report.checks()
    assert {"kills", "signals", "damage", "full", "seeds", "finite", "soak", "hub", "clone", "load", "page"} <= {
        each.name for each in found
    }
    assert len({each.number for each in found}) == len(found)
    assert all((Path(check.__file__).parent / f"{each.name}.py").exists() for each in found)


def test_one_bit_is_a_difference() -> None:
    one: dict[str, Any] = {"weights": torch.zeros(3), "more": [1, {"deep": 0.5}], "gone": 1}
    other = {"weights": torch.tensor([0.0, 0.0, -0.0]), "more": [1, {"deep": 0.5}]}
    assert difference(dict(leaves(one)), dict(leaves(one))) is None
    assert difference(dict(leaves(other)), dict(leaves(one))) == "differs in state.weights, state.gone"


def test_a_damaged_checkpoint_and_damaged_weights_are_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("recipe", "metadata", "vocabularies", "outcome"):
        monkeypatch.setattr(Run, name, None)
    monkeypatch.setattr(Run, "fresh_model", lambda _: torch.nn.Linear(1, 1))
    (tmp_path / "run.json").write_text("{}")
    saved = checkpoints.save(tmp_path / "checkpoints", 2, torch.nn.Linear(1, 1), {})
    (tmp_path / "model.safetensors").write_bytes((saved / checkpoints.WEIGHTS).read_bytes())
    assert unreadable(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"half")
    assert "not the weights" in str(unreadable(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    (saved / checkpoints.STATE).unlink()
    assert unreadable(tmp_path) == "step-00000002: No such file or directory"


def test_what_is_missed_brings_moments_forward() -> None:
    found = Range(10.0)
    found.missed(3.0)
    found.missed(7.0)
    assert found.end == 3.0


@pytest.mark.parametrize("slope", [0.0, 0.5, 3.0])
def test_growth_is_measured_per_thousand_after_warming_up(slope: float) -> None:
    """500 looks at 10,000 translations, with caches filling during the first fifth."""
    looks = np.arange(500)
    seen = 100 + slope * looks / 50 + 30 * np.minimum(1, looks / 100)
    assert growth(seen, 10_000) == pytest.approx(slope, abs=1e-6)
