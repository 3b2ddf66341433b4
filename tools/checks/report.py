"""Prints `docs/reliability.md` from the records of the checks: python -m tools.checks.report > docs/reliability.md"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.evaluation.report import Table, markdown
from nmt.provenance import abbreviated
from tools.checks.check import RESULTS, Check
from tools.checks.table import CHECKS

HEADER = """\
# Reliability: what is promised, and how often it held

Each row is a promise that `python -m tools.checks NAME` tries many times; `--count N` makes fewer trials. Figures that
fall short are published as they are. `make check` runs all checks and writes this page from the records in
`docs/results/checks`; the tests run each check with a small count. Checks of serving take run folders
(`python -m tools.checks load runs/de-en`) and then also judge times; without one they train tiny models, whose times
are not judged.
"""


def read_record(folder: Path, check: Check) -> JsonObject | None:
    """The record of a check, or None if it has not been run."""
    path = folder / f"{check.name}.json"
    if not path.exists():
        return None
    try:
        record: JsonObject = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: cannot be read as a record ({error}); run the check again") from error
    return record


def page(checks: Sequence[Check], folder: Path) -> str:
    """The whole page."""
    records = [(check, read_record(folder, check)) for check in checks]
    columns = ("promise", "check", "figure", "kept", "date", "commit")
    table = markdown(Table(columns, tuple(_row(check, record) for check, record in records))).replace("---:", "---")
    faults = [line for check, record in records if record for line in _faults(check, record)]
    machines = sorted({_machine(record) for _, record in records if record})
    parts = [HEADER, table, "", *(f"Machine: {machine}." for machine in machines)]
    return "\n".join([*parts, *(["", "## What did not hold", "", *faults] if faults else [])]) + "\n"


def _row(check: Check, record: JsonObject | None) -> tuple[str, ...]:
    if record is None:
        return (check.promise, check.name, "not run yet", "", "", "")
    short = f" (the full count is {check.full:,})" if record["count"] < check.full else ""
    judged = record.get("bounds", check.bounds) == check.bounds  # the oldest records judged all bounds and name none
    kept = ("yes" if record["kept"] else "no") + ("" if judged else ", bounds not judged")
    commit = abbreviated(record.get("commit", ""))
    return (check.promise, check.name, record["figure"] + short, kept, record["date"][:10], commit)


def _faults(check: Check, record: JsonObject) -> list[str]:
    return [
        f"- {check.name}: {' '.join(fault['tried'].split())}: {' '.join(fault['fault'].split())}"
        for fault in record["faults"]
    ]


def _machine(record: JsonObject) -> str:
    machine, versions = record["machine"], record["versions"]
    software = f"Python {versions['python']}, torch {versions['torch']}"
    return f"{machine['system']} {machine['architecture']}, {machine['cores']} cores, {software}"


def main(
    results: Annotated[Path, typer.Argument(metavar="[RESULTS_DIR]", help="Folder with the records.")] = RESULTS,
) -> None:
    """Print docs/reliability.md: every promise with its figure, date and commit."""
    try:
        print(page(CHECKS, results), end="")
    except UserError as error:
        print(f"report: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
