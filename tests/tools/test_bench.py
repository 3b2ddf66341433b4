from __future__ import annotations

import json
import stat
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from nmt.errors import RunError
from nmt.lab.bench.cases import Case

FAKE = """
import json, sys
print("noise")
speeds = {"target_pieces_per_second": 100.0, "positions_per_second": 50.0}
print(json.dumps(speeds) if "eole" in sys.argv else "gone wrong")
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """What runs the peers, one of which fails."""
    path = tmp_path / "peers.py"
    path.write_text(FAKE)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_cases_cover_the_requested_families_and_settings(tool: ModuleType) -> None:
    cases = list(tool.cases(["attention", "transformer"], ["train", "decode"], 2, "cpu", 4096, quick=False))
    assert len(set(cases)) == len(cases)
    assert {case.length for case in cases} == {15, 10, 25, 50, 100, 200}
    assert {case.beam for case in cases if case.work == "decode"} == {1, 2, 4, 5, 8, 16}
    assert {case.engine for case in cases if case.family == "attention"} == {"torch"}
    assert {case.engine for case in cases if case.family == "transformer" and case.work == "decode"} == {
        "torch",
        "float32",
        "int8",
    }
    quick = list(tool.cases(["attention"], ["train"], 2, "cpu", 4096, quick=True))
    assert {(case.length, case.batch_tokens) for case in quick} == {(15, 4096)}


def test_every_system_is_measured_once_in_every_round(tool: ModuleType) -> None:
    measured_systems: list[str] = []

    def system(name: str, rate: float) -> object:
        def measured() -> float:
            measured_systems.append(name)
            return rate

        return tool.System(name, measured)

    assert tool.alternate([system("a", 1.0), system("b", 2.0)], 2, lambda _: None) == {"a": [1.0, 1.0], "b": [2.0, 2.0]}
    assert measured_systems == ["a", "b", "a", "b"]


def test_ratios_are_taken_within_a_round_and_against_the_best_of_it(tool: ModuleType) -> None:
    rows = tool.ratios(
        "attention",
        "train",
        {"ours fp32": [30.0, 60.0, 90.0], "eole": [10.0, 20.0, 60.0], "joeynmt": [15.0, 10.0, 10.0]},
    )
    found = {row["against"]: (row["ratio"], row["low"], row["high"]) for row in rows}
    assert found == {"eole": (3.0, 1.5, 3.0), "joeynmt": (6.0, 2.0, 9.0), "best peer": (2.0, 1.5, 3.0)}
    assert "1.50 to 3.00" in {cell for row in tool.ratio_table(rows).rows for cell in row}


def test_a_peer_that_fails_is_reported_with_its_last_line_and_its_command(tool: ModuleType, script: Path) -> None:
    fixed = tool.Fixed(script.parent, script, None, 1, {"train": 1, "decode": 1})
    systems = {system.name: system for system in fixed.systems("transformer", "decode")}
    assert list(systems) == ["ours torch", "ours float32", "ours int8", "eole", "joeynmt"]
    assert systems["eole"].rate() == 50.0
    with pytest.raises(RunError, match=r"joeynmt, decode transformer: no figure .*: gone wrong\n.*--sentences 1"):
        systems["joeynmt"].rate()


def test_results_are_printed_with_their_provenance(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Case, "measured", lambda self: {"family": self.family, "work": self.work, "positions_per_second": 12.0}
    )
    monkeypatch.setattr(sys, "argv", ["bench.py"])
    outcome = CliRunner().invoke(tool.app, ["--quick", "--work", "decode", "--family", "attention", "--json", "-q"])
    found = json.loads(outcome.stdout)
    assert found["rows"][0] == {"family": "attention", "work": "decode", "positions_per_second": 12.0}
    assert {"command", "versions", "machine"} <= found.keys()


def test_with_a_folder_tables_and_figures_are_written(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Case, "measured", lambda self: {**asdict(self), "positions_per_second": 12.0})
    outcome = CliRunner().invoke(
        tool.app, ["--work", "decode", "--family", "attention", "--out", str(tmp_path / "made"), "-q"]
    )
    assert outcome.exit_code == 0
    assert (tmp_path / "made" / "bench.txt").read_text() == outcome.stdout
    assert {path.name for path in (tmp_path / "made").iterdir()} >= {
        "bench.json",
        "decoding-length.svg",
        "decoding-beam.png",
    }


def test_results_before_an_error_are_kept(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measured(case: Case) -> dict[str, object]:
        if case.precision != "fp32":
            raise RunError("enough")
        return {**asdict(case), "positions_per_second": 12.0}

    monkeypatch.setattr(Case, "measured", measured)
    monkeypatch.setattr(tool, "available_precisions", lambda _: ["fp32", "bf16"])
    outcome = CliRunner().invoke(
        tool.app, ["--quick", "--work", "decode", "--family", "attention", "--out", str(tmp_path), "-q"]
    )
    assert (outcome.exit_code, outcome.stderr) == (1, "bench: enough\n")
    assert {row["family"] for row in json.loads((tmp_path / "bench.json").read_text())["rows"]} == {"attention"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--family", "none"], "--family: expected one of attention, thought-vector, transformer, found none"),
        (["--work", "sleep"], "--work: expected one of train, decode, found sleep"),
        (["--out", "/dev/null/a"], "--out: /dev/null/a: Not a directory; name a folder that can be made"),
        (
            ["--peers", "absent"],
            "--peers: expected a folder with an environment for each peer: there is no absent/eole",
        ),
    ],
)
def test_wrong_options_are_errors(tool: ModuleType, options: list[str], words: str) -> None:
    outcome = CliRunner().invoke(tool.app, options)
    assert (outcome.exit_code, outcome.stdout) == (2, "")
    assert outcome.stderr == f"bench: {words}\n"
