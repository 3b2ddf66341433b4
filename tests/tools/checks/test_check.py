"""What all checks share: trials, the figure, the record, the page, and the values that are compared."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from nmt.runs.run_folder import Run
from nmt.training import checkpoints
from tools.checks import __main__ as command, attacks, limits, mismatched, report, strangers
from tools.checks.check import Check, SkippedError, Tally, Trial, tally
from tools.checks.kills import unreadable
from tools.checks.moments import Range
from tools.checks.outcome import difference, leaves
from tools.checks.soak import growth
from tools.checks.table import CHECKS


def trials(count: int) -> Iterator[Trial]:
    """Every third is wrong."""
    for number in range(count):
        yield Trial(f"number {number}", "too large" if number % 3 == 2 else None, {"seconds": number / 10})


CHECK = Check("thirds", "A promise.", held="held", full=9)
BOUNDED = Check("slow", "A promise.", held="held", full=9, takes_runs=True, bounds={"seconds": 0.5})


@pytest.fixture(autouse=True)
def thirds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module `tools.checks.thirds`, and a table with that check alone."""
    monkeypatch.setitem(sys.modules, "tools.checks.thirds", cast("ModuleType", SimpleNamespace(trials=trials)))
    monkeypatch.setattr(command, "CHECKS", (CHECK,))


def status_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The exit status of `python -m tools.checks ARGUMENTS`."""
    monkeypatch.setattr("sys.argv", ["tools.checks", *arguments])
    with pytest.raises(SystemExit) as exit:
        command.run()
    return exit.value.code


def of(faults: int, held: int, share: float = 1.0) -> Tally:
    given = [Trial("this", "wrong")] * faults + [Trial("that")] * held
    return Tally(Check("given", "A promise.", held="held", full=1, share=share), 1, given)


def test_the_figure_counts_trials_that_held_and_gives_the_largest_measurement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert tally(CHECK, 6).figure == "4/6 held; seconds at most 0.5"
    assert capsys.readouterr().err.splitlines() == [
        "thirds: trial 3: number 2: too large",
        "thirds: trial 6: number 5: too large",
    ]


@pytest.mark.parametrize(
    ("faults", "held", "share", "kept"),
    [(0, 3, 1.0, True), (1, 2, 1.0, False), (1, 999, 0.999, True), (2, 998, 0.999, False)],
)
def test_a_promise_is_kept_when_its_share_of_trials_holds(faults: int, held: int, share: float, kept: bool) -> None:
    assert of(faults, held, share).kept == kept


def test_a_check_without_trials_is_not_kept() -> None:
    assert not of(0, 0).kept


@pytest.mark.parametrize(
    ("count", "runs", "kept"), [(9, ["runs/de-en"], False), (9, [], True), (8, ["runs/de-en"], True)]
)
def test_bounds_count_at_the_full_count_and_with_a_run_only(count: int, runs: list[str], kept: bool) -> None:
    found = Tally(BOUNDED, count, [Trial("this", None, {"seconds": 0.6})], [Path(run) for run in runs])
    assert found.kept == kept
    assert ("(bound 0.5)" in found.figure) == (not kept)
    assert found.as_json(1.0)["command"] == " ".join(
        ["python -m tools.checks slow", *runs, *(["--count 8"] if count == 8 else [])]
    )


def test_a_skipped_check_says_why_and_has_its_own_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(count: int) -> Iterator[Trial]:
        raise SkippedError("needs a browser")
        yield

    monkeypatch.setattr(command, "RESULTS", tmp_path)
    monkeypatch.setattr(sys.modules["tools.checks.thirds"], "trials", none)
    assert (status_of(monkeypatch, "thirds"), capsys.readouterr().out, list(tmp_path.iterdir())) == (
        command.SKIPPED,
        "skipped: needs a browser\n",
        [],
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["thirds", "runs/de-en"], "thirds: trains its own models; expected no run folder, found runs/de-en"),
        (["halves"], "expected one of thirds, found halves"),
        ([], "expected one of thirds, found nothing"),
    ],
)
def test_wrong_arguments_are_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert (status_of(monkeypatch, *arguments), capsys.readouterr().err) == (2, f"{line}\n")


def test_the_list_has_a_line_for_each_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (status_of(monkeypatch, "--list"), capsys.readouterr().out) == (0, "thirds     A promise.\n")


def test_a_small_count_writes_no_record_unless_a_folder_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "RESULTS", tmp_path / "published")
    for arguments in (["--count", "2"], ["--count", "2", "--results", str(tmp_path / "named")]):
        assert (status_of(monkeypatch, "thirds", *arguments), capsys.readouterr().out) == (
            0,
            "2/2 held; seconds at most 0.1\n",
        )
    assert [path.name for path in tmp_path.iterdir()] == ["named"]
    status = status_of(monkeypatch, "thirds")
    record = json.loads((tmp_path / "published" / "thirds.json").read_text())
    assert (status, record["figure"], record["kept"], len(record["faults"])) == (
        1,
        "6/9 held; seconds at most 0.8",
        False,
        3,
    )


def test_the_page_has_a_row_for_every_promise_and_lists_faults(tmp_path: Path) -> None:
    (tmp_path / "thirds.json").write_text(json.dumps(tally(CHECK, 3).as_json(90.0)))
    absent = Check("absent", "Another promise.", held="held", full=1)
    text = report.page([CHECK, absent], tmp_path)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ") and "promise." in line
    ]
    assert rows[0][:4] == ["A promise.", "thirds", "2/3 held; seconds at most 0.2 (the full count is 9)", "no"]
    assert rows[1][1:3] == ["absent", "not run yet"]
    assert "- thirds: number 2: too large" in text


def test_the_page_says_where_bounds_were_not_judged(tmp_path: Path) -> None:
    for runs, kept in (([], "yes, bounds not judged"), ([Path("runs/de-en")], "yes")):
        record = Tally(BOUNDED, 9, [Trial("this", None, {"seconds": 0.4})], runs).as_json(1.0)
        (tmp_path / "slow.json").write_text(json.dumps(record))
        assert f"| {kept} |" in report.page([BOUNDED], tmp_path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_row_of_the_table_names_a_module_with_trials_and_its_measurements(check: Check) -> None:
    module = import_module(f"tools.checks.{check.name}")
    assert callable(module.trials)
    assert set(check.bounds) <= {value for value in vars(module).values() if isinstance(value, str)}


def test_every_module_with_trials_has_a_row_and_full_counts_are_all_cases() -> None:
    full = {check.name: check.full for check in CHECKS}
    written = {path.stem for path in Path(report.__file__).parent.glob("*.py") if "\ndef trials(" in path.read_text()}
    assert set(full) == written
    assert len(full) == len(CHECKS)
    cases = {
        "limits": limits.CASES,
        "mismatched": mismatched.CASES,
        "page": attacks.ATTACKS,
        "strangers": [*strangers.cases()],
    }
    assert {name: full[name] for name in cases} == {name: len(each) for name, each in cases.items()}


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
    state: checkpoints.State = {
        "optimizer": {},
        "progress": {},
        "random": {"cpu": torch.empty(0), "cuda": []},
        "threads": 1,
    }
    saved = checkpoints.save(tmp_path / "checkpoints", 2, torch.nn.Linear(1, 1), state)
    (tmp_path / "model.safetensors").write_bytes((saved / checkpoints.WEIGHTS).read_bytes())
    assert unreadable(tmp_path) is None
    (tmp_path / "model.safetensors").write_bytes(b"half")
    assert "not the weights" in str(unreadable(tmp_path))
    (tmp_path / "model.safetensors").unlink()
    (saved / checkpoints.STATE).unlink()
    assert unreadable(tmp_path) == "step-00000002: No such file or directory"


def test_a_moment_that_came_too_late_lowers_the_range() -> None:
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
