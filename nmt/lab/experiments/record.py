"""An outcome as a record: with command, commit, versions and machine, as JSON and as text for a terminal."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from nmt import provenance
from nmt.atomic import JsonObject
from nmt.lab.experiments import claims
from nmt.lab.experiments.experiment import Options, Outcome, Value

if TYPE_CHECKING:
    from nmt.evaluation.report import Table


def as_json(name: str, options: Options, outcome: Outcome, seconds: float) -> JsonObject:
    """The record of an experiment that took so many seconds."""
    return {"experiment": name, **provenance.origin(command(name, options), seconds), **outcome.as_json()}


def command(name: str, options: Options) -> str:
    """The command that reproduces the outcome."""
    given = {key: value for key, value in asdict(options).items() if value is not None}
    words = (
        word for key, value in given.items() for word in (f"--{key}", ",".join(value) if key == "cells" else str(value))
    )
    return shlex.join(["nmt", "experiment", name, *words])


def text(record: JsonObject) -> str:
    """The question, the table with conditions and notes, and the claims with their verdicts."""
    from nmt.evaluation import report

    return "\n".join([record["question"], "", report.text(table(record)), *_claims(record)]).rstrip("\n")


def table(record: JsonObject) -> Table:
    """The table of a record, with conditions, provenance and notes below it."""
    from nmt.evaluation.report import Table

    columns = tuple(record["columns"])
    rows = tuple(tuple(map(shown, row, columns)) for row in record["rows"])
    return Table(columns, rows, (f"conditions: {settings(record['conditions'])}", _origin(record), *record["notes"]))


def shown(value: Value, column: str = "") -> str:
    """A value as it is printed: integers in full, one decimal in columns with %, otherwise three digits."""
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if "%" in column:
        return f"{value:.1f}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")


def settings(conditions: JsonObject) -> str:
    """Conditions in one line."""
    return "; ".join(f"{key.replace('_', ' ')} {_setting(value)}" for key, value in conditions.items())


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        return f"({settings(dict(value))})"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return " / ".join(map(_setting, value))
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def _origin(record: JsonObject) -> str:
    machine, versions = record["machine"], ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    threads = f"{machine['threads']} {'thread' if machine['threads'] == 1 else 'threads'}"
    where = f"{machine['system']} {machine['architecture']}, {machine['cores']} cores, {threads}"
    return f"measured in {record['seconds']:,.0f} s on {where}, with {versions}" + (
        f", commit {provenance.abbreviated(record['commit'])}" if "commit" in record else ""
    )


def _claims(record: JsonObject) -> Iterator[str]:
    known = claims.read_claims()
    for claim in record["claims"]:
        yield f"{claim['id']} {claim['verdict']}. As usually told: {known[claim['id']].text}"
        yield f"   Measured: {claim['number']}"
        if claim["verdict"] == "not answered":
            yield "   These models have not learned the task; give them more --updates."
