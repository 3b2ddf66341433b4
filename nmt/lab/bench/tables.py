"""Tables of measurements: the settings that vary between rows, and the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from nmt.atomic import JsonObject
from nmt.evaluation.report import Table
from nmt.lab.bench.training import PHASES

Row: TypeAlias = JsonObject
"""A measurement: its settings and results by name."""

SETTINGS = (
    "family",
    "work",
    "engine",
    "precision",
    "threads",
    "workers",
    "length",
    "source",
    "batch_tokens",
    "beam",
    "device",
)


def table(rows: Sequence[Row]) -> Table:
    """A table of rows of the same kind of work, with the settings that all rows share in a note."""
    present = [name for name in SETTINGS if any(name in row for row in rows)]
    shared = [name for name in present if len({str(row.get(name)) for row in rows}) == 1]
    varying = [name for name in present if name not in shared] or shared[:1]
    found = {name: cell for name, cell in _RESULTS.items() if any(cell(row) is not None for row in rows)}
    cells = [
        (*(_setting(row.get(name)) for name in varying), *(cell(row) or "" for cell in found.values())) for row in rows
    ]
    note = ", ".join(f"{name.replace('_', ' ')} {rows[0][name]}" for name in shared if name not in varying)
    return Table(tuple(name.replace("_", " ") for name in (*varying, *found)), tuple(cells), (note,) if note else ())


def _setting(value: Any) -> str:
    return "" if value is None else str(value)


def _number(name: str, shown: Callable[[Any], str]) -> Callable[[Row], str | None]:
    return lambda row: None if row.get(name) is None else shown(row[name])


def _phase(name: str) -> Callable[[Row], str | None]:
    def cell(row: Row) -> str | None:
        seconds = row.get("seconds")
        return f"{1000 * seconds[name]:,.1f}" if isinstance(seconds, dict) else None

    return cell


_RESULTS: dict[str, Callable[[Row], str | None]] = {
    "target tokens/s": _number("tokens_per_second", lambda rate: f"{rate:,.0f}"),
    "positions/s": _number("positions_per_second", lambda rate: f"{rate:,.0f}"),
    "lines/s": _number("lines_per_second", lambda rate: f"{rate:,.1f}"),
    "tokens/s": _number("target_tokens_per_second", lambda rate: f"{rate:,.0f}"),
    **{f"{phase} ms": _phase(phase) for phase in PHASES},
    "share of rate": _number("share", lambda share: f"{share:.2f}"),
    "to the help s": _number("help_seconds", lambda seconds: f"{seconds:.2f}"),
    "to a first translation s": _number("first_translation_seconds", lambda seconds: f"{seconds:.2f}"),
    "padding": _number("padding", lambda share: f"{share:.3f}"),
    "peak MiB": _number("peak_bytes", lambda size: f"{size / 2**20:,.0f}"),
    "cores for 4.5 billion a day": _number("cores_for_4.5_billion_a_day", lambda cores: f"{cores:,.0f}"),
}
