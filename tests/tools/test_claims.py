from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run
from types import ModuleType
from typing import Any

import pytest
import typer

from nmt.cli.app import app
from nmt.errors import UserError
from nmt.lab.experiments.claims import CHAPTERS, UNMEASURED, read_claims
from nmt.lab.experiments.experiment import EXPERIMENTS

FILE = Path(__file__).parents[2] / "tools" / "claims.py"
STUDIES = ("recipes/bottleneck.yaml", "recipes/ladder.yaml")
SPAN = "nmt experiment span --task adding"


Leave = Callable[..., None]


@pytest.fixture
def leave(tmp_path: Path) -> Leave:
    """Writes a result with claims as (id, number, verdict)."""

    def write(name: str, command: str, *claims: tuple[str, str, str], **more: Any) -> None:
        fields = ("id", "number", "verdict")
        values = {"command": command, "claims": [dict(zip(fields, claim, strict=True)) for claim in claims], **more}
        (tmp_path / f"{name}.json").write_text(json.dumps(values), "utf8")

    return write


@pytest.fixture
def page(tool: ModuleType, leave: Leave, tmp_path: Path) -> str:
    """The page from two results by hand, and a file that is not a result."""
    leave(
        "order",
        "nmt experiment order",
        ("A1", "0.0 | at 3 seeds; 2 of 3", "holds"),
        ("B6", "order's number", "holds under conditions"),
    )
    origin = {
        "commit": "0123456789abcdef-dirty",
        "date": "2026-01-02T03:04:05+00:00",
        "seconds": 90.0,
        "conditions": {"updates": 2000},
    }
    leave("span", SPAN, ("B6", "span's *number*", "does not hold"), ("B3", "1e-9", "does not hold"), **origin)
    (tmp_path / "other.json").write_text("[1]")
    found: str = tool.page(tool.read_results([tmp_path, tmp_path / "absent"]))
    return found


def row(page: str, name: str) -> list[str]:
    (line,) = (line for line in page.splitlines() if line.startswith((f"| {name} |", f"| [{name}](#{name.lower()}) |")))
    return [cell.strip() for cell in line.replace("\\|", "/").split("|")[1:-1]]


def section(page: str, name: str) -> str:
    return page.partition(f"\n### {name}\n")[2].partition("\n#")[0].strip()


def test_the_claims_are_complete_and_each_is_there_once() -> None:
    counts = {"A": 6, "B": 10, "C": 8, "D": 5, "E": 9}
    assert list(read_claims()) == [
        f"{letter}{number}" for letter, count in counts.items() for number in range(1, count + 1)
    ]
    assert list(counts) == list(CHAPTERS)


def test_every_claim_has_a_command_that_exists_or_a_reason_why_there_is_none() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group has them
    for each in read_claims().values():
        assert each.text.endswith(".")
        if not each.command:
            assert each.measured_by.startswith(tuple(f"{state}: " for state in UNMEASURED)), each.id
            continue
        program, command, argument, *_ = each.command.split()
        assert (program, command in commands) == ("nmt", True), each.id
        assert command != "experiment" or argument in EXPERIMENTS
        assert command != "study" or argument in STUDIES


def test_a_claim_leads_from_its_verdict_to_its_numbers_and_command(page: str) -> None:
    assert row(page, "A1")[2] == "**holds**"
    told = read_claims()["A1"].text
    numbers = "- 0.0 | at 3 seeds\n- 2 of 3"
    assert section(page, "A1") == f"{told}\n\n**holds**, by `nmt experiment order`:\n\n{numbers}"
    assert section(page, "B3").endswith(f"**does not hold**, by `{SPAN}`:\n\n- 1e-9")


def test_a_claim_that_several_results_answer_shows_all(page: str) -> None:
    assert row(page, "B6")[2] == "**holds under conditions**<br>**does not hold**"
    shown = section(page, "B6")
    assert "**holds under conditions**, by `nmt experiment order`:\n\n- order's number\n" in shown
    assert shown.endswith(f"**does not hold**, by `{SPAN}`:\n\n- span's \\*number\\*")


def test_every_number_stands_on_the_page_once(page: str) -> None:
    assert [page.count(number) for number in ("0.0 | at 3 seeds", "order's number", "1e-9")] == [1, 1, 1]


def test_a_claim_that_is_not_measured_says_why(page: str) -> None:
    assert row(page, "E2")[2] == "not measured yet: `nmt study recipes/bottleneck.yaml`"
    assert row(page, "A3")[2].startswith("out of scope: ")
    assert row(page, "D4")[2] == "not built yet: needs heads that classify and tag"
    assert section(page, "D4") == section(page, "E2") == ""
    states = "holds 1, does not hold 1, with differing verdicts 1, not measured yet 26, out of scope 5, not built yet 4"
    assert f"38 claims: {states}." in page


def test_results_are_listed_with_command_commit_date_and_conditions(page: str) -> None:
    found = page.partition("## The results\n")[2]
    assert f"`{SPAN}` | 0123456789-dirty | 2026-01-02 | 1.5 |" in found
    assert "span.json): updates 2,000\n" in found


def test_without_results_there_is_no_verdict(tool: ModuleType) -> None:
    page = tool.page([])
    assert "**holds" not in page
    assert "Nothing so far." in page
    assert "No results yet." in page


@pytest.mark.parametrize("claim", [("Z1", "1", "holds"), ("A1", "1", "is proved")])
def test_a_result_on_an_unknown_claim_is_refused(
    tool: ModuleType, leave: Leave, tmp_path: Path, claim: tuple[str, str, str]
) -> None:
    leave("odd", "nmt experiment odd", claim)
    with pytest.raises(UserError, match=r"odd\.json: there is no claim with the id"):
        tool.page(tool.read_results([tmp_path]))


def test_damaged_results_are_named_and_nothing_is_printed(tmp_path: Path) -> None:
    (tmp_path / "cut.json").write_text("{")
    done = run([sys.executable, FILE, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"claims: {tmp_path}/cut.json: cannot be read as a result")
