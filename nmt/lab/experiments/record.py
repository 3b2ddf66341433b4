"""An outcome as it is kept and as it is read: with the command, commit, versions and machine that it came from, as JSON and as text."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from nmt import provenance
from nmt.lab.experiments import claims
from nmt.lab.experiments.experiment import Cell, Options, Outcome

if TYPE_CHECKING:
    from nmt.evaluation.report import Table

Record: TypeAlias = dict[str, Any]


def make(name: str, asked: Options, outcome: Outcome, seconds: float) -> Record:
    """Everything there is to keep of an outcome, ready for JSON."""
    return {"experiment": name, **provenance.origin(command(name, asked), seconds), **outcome.as_json()}


def command(name: str, asked: Options) -> str:
    """The command that gives the same numbers again."""
    given = {key: value for key, value in asdict(asked).items() if value is not None}
    options = (
        word for key, value in given.items() for word in (f"--{key}", ",".join(value) if key == "cells" else str(value))
    )
    return shlex.join(["nmt", "experiment", name, *options])


def text(record: Record) -> str:
    """The question, the table with its conditions and notes, and the claims with their verdicts, for a terminal."""
    from nmt.evaluation import report

    return "\n".join([record["question"], "", report.text(table(record)), *_claims(record)]).rstrip("\n")


def table(record: Record) -> Table:
    """The table of a record, its numbers printed with three significant digits; below it stand conditions, origin and notes."""
    from nmt.evaluation.report import Table

    columns = tuple(record["columns"])
    rows = tuple(tuple(map(shown, row, columns)) for row in record["rows"])
    return Table(columns, rows, (f"conditions: {settings(record['conditions'])}", _origin(record), *record["notes"]))


def shown(value: Cell, column: str = "") -> str:
    """A value of a table as it is printed: None as a dash, integers in full, what a column gives in % to a tenth, the rest to three digits."""
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if "%" in column:
        return f"{value:.1f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")


def settings(conditions: Mapping[str, Any]) -> str:
    """Conditions in one line."""
    return "; ".join(f"{key.replace('_', ' ')} {_setting(value)}" for key, value in conditions.items())


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"({settings(value)})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " / ".join(map(_setting, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def _origin(record: Record) -> str:
    machine, versions = record["machine"], ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    threads = f"{machine['threads']} {'thread' if machine['threads'] == 1 else 'threads'}"
    where = f"{machine['system']} {machine['architecture']}, {machine['cores']} cores, {threads}"
    return f"measured in {record['seconds']:,.0f} s on {where}, with {versions}" + (
        f", commit {provenance.abbreviated(record['commit'])}" if "commit" in record else ""
    )


def _claims(record: Record) -> Iterator[str]:
    story = claims.story()
    for claim in record["claims"]:
        yield f"{claim['id']} {claim['verdict']}. As usually told: {story[claim['id']].claim}"
        yield f"   Measured: {claim['number']}"
