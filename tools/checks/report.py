"""Writes what is promised, how it was put to the test, and how often it held, as Markdown, from the records of the checks.

python -m tools.checks.report > docs/reliability.md
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.errors import UserError
from nmt.evaluation.report import Table, markdown
from nmt.provenance import abbreviated
from tools.checks.check import RESULTS, Check

HEADER = """\
# What is promised, and how often it held

Each row is a promise that is put to the test by `python -m tools.checks.NAME`, where `--count N` tries it less often. A figure that falls
short is published as it is. `make check` runs all of them and writes this page from the records in `docs/results/checks`; the tests run each
with a small count. Checks of serving take run folders too (`python -m tools.checks.load runs/de-en`), and then judge times as well; without
one they make tiny models, whose times say nothing.
"""


def checks() -> list[Check]:
    """All checks there are, in the order of their numbers."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    found = (getattr(importlib.import_module(f"tools.checks.{name}"), "CHECK", None) for name in names)
    return sorted((check for check in found if isinstance(check, Check)), key=lambda check: check.number)


def read(folder: Path, check: Check) -> dict[str, Any] | None:
    """The record of a check, or None where it was not run."""
    path = folder / f"{check.name}.json"
    if not path.exists():
        return None
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise UserError(f"{path}: cannot be read as a record ({error}); run the check again") from error
    return record


def page(found: Sequence[Check], folder: Path) -> str:
    """The whole page."""
    records = [(check, read(folder, check)) for check in found]
    columns = ("promise", "check", "figure", "kept", "date", "commit")
    table = markdown(Table(columns, tuple(_row(check, record) for check, record in records))).replace("---:", "---")
    faults = [line for check, record in records if record for line in _faults(check, record)]
    machines = sorted({_machine(record) for _, record in records if record})
    parts = [HEADER, table, "", *(f"Machine: {machine}." for machine in machines)]
    return "\n".join([*parts, *(["", "## What did not hold", "", *faults] if faults else [])]) + "\n"


def _row(check: Check, record: dict[str, Any] | None) -> tuple[str, ...]:
    if record is None:
        return (check.promise, check.name, "not run yet", "", "", "")
    short = f" (the full count is {check.full:,})" if record["count"] < check.full else ""
    judged = (
        record.get("bounds", check.bounds) == check.bounds
    )  # records made before there were bounds judged everything
    kept = ("yes" if record["kept"] else "no") + ("" if judged else ", bounds not judged")
    return (
        check.promise,
        check.name,
        record["figure"] + short,
        kept,
        record["date"][:10],
        abbreviated(record.get("commit", "")),
    )


def _faults(check: Check, record: dict[str, Any]) -> list[str]:
    return [
        f"- {check.name}: {' '.join(fault['tried'].split())}: {' '.join(fault['fault'].split())}"
        for fault in record["faults"]
    ]


def _machine(record: dict[str, Any]) -> str:
    machine, versions = record["machine"], record["versions"]
    return f"{machine['system']} {machine['architecture']}, {machine['cores']} cores, Python {versions['python']}, torch {versions['torch']}"


def main(
    results: Annotated[Path, typer.Argument(metavar="[RESULTS_DIR]", help="Folder with the records.")] = RESULTS,
) -> None:
    """Print docs/reliability.md: every promise with its figure, date and commit."""
    try:
        print(page(checks(), results), end="")
    except UserError as fault:
        print(f"report: {fault}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
