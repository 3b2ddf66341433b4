"""Tables of results as text, Markdown, CSV and JSON, from the records of `Result.as_json`.

Signatures and search settings that rows share are printed once, below the table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nmt import printable
from nmt.evaluation.metrics import METRICS, SMALL
from nmt.evaluation.significance import LEVEL, Difference

Record = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Cells as text, and notes below them. The first column is aligned to the left, the others to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def scores_table(records: Sequence[Record], differences: Sequence[Sequence[Difference]] = ()) -> Table:
    """One row per record; with the differences of `compare`, columns that compare each row with the first."""
    varying = _varying([record["search"] for record in records])
    names = [score["name"] for score in _metrics(records[0])] if records else []
    columns = ("run", "test", *varying, "sentences", *names[:1], "95 %", *names[1:], "BP", "length ratio")
    rows = [_scores_row(record, varying) for record in records]
    if differences:
        columns += ("BLEU - first", "95 %", *(f"p {name}" for name in names))
        empty = ("",) * (2 + len(names))
        rows = [row + cells for row, cells in zip(rows, [empty, *map(_difference_cells, differences)], strict=True)]
    return Table(columns, tuple(rows), tuple(_scores_notes(records, varying, differences)))


def lengths_table(record: Record) -> Table:
    """One row per bucket of source length."""
    rows = [
        (
            bucket["words"] + ("*" if bucket["small"] else ""),
            str(bucket["sentences"]),
            f"{bucket['bleu']['value']:.2f}",
            _interval(bucket["bleu"]),
            f"{bucket['bleu']['brevity_penalty']:.3f}",
            f"{bucket['bleu']['length_ratio']:.3f}",
        )
        for bucket in record["by_length"]
    ]
    notes = (
        [f"* under {SMALL} sentences: read the interval, not the value"]
        if any(bucket["small"] for bucket in record["by_length"])
        else []
    )
    signatures = _once(f"BLEU: {bucket['bleu']['signature']}" for bucket in record["by_length"])
    return Table(
        ("source words", "sentences", "BLEU", "95 %", "BP", "length ratio"), tuple(rows), (*notes, *signatures)
    )


def text(table: Table) -> str:
    """Aligned columns and the notes, for a terminal or a pipe."""
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    lines = [_aligned(row, widths) for row in (table.columns, tuple("-" * width for width in widths), *table.rows)]
    return "\n".join([*lines, "", *table.notes]).rstrip("\n") + "\n"


def markdown(table: Table) -> str:
    """A GitHub table, and the notes as a list."""
    rule = ("---", *("---:" for _ in table.columns[1:]))
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in (table.columns, rule, *table.rows)
    ]
    return "\n".join([*lines, "", *(f"- {note}" for note in table.notes)]).rstrip("\n") + "\n"


def csv_text(records: Sequence[Record]) -> str:
    """One row per record, without quality by length; nested keys are connected by dots."""
    rows = [_flat({key: value for key, value in record.items() if key != "by_length"}) for record in records]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def json_text(value: Any) -> str:
    """Indented JSON with a final line feed."""
    return printable.dumps(value, indent=2) + "\n"


def _scores_row(record: Record, varying: Sequence[str]) -> tuple[str, ...]:
    bleu, *others = _metrics(record)
    return (
        record["run"],
        record["test"],
        *(str(record["search"].get(key, "")) for key in varying),
        f"{record['sentences']}{'*' if record['scores']['small'] else ''}",
        f"{bleu['value']:.2f}",
        _interval(bleu),
        *(f"{score['value']:.2f}" for score in others),
        f"{bleu['brevity_penalty']:.3f}",
        f"{bleu['length_ratio']:.3f}",
    )


def _difference_cells(differences: Sequence[Difference]) -> tuple[str, ...]:
    bleu = differences[0]
    interval = "" if bleu.low is None or bleu.high is None else f"{bleu.low:+.2f} to {bleu.high:+.2f}"
    return (f"{bleu.difference:+.2f}", interval, *(f"{one.p_value:.3f}" for one in differences))


def _interval(score: Record) -> str:
    return "" if score["low"] is None else f"{score['low']:.1f} to {score['high']:.1f}"


def _scores_notes(
    records: Sequence[Record], varying: Sequence[str], differences: Sequence[Sequence[Difference]]
) -> Iterable[str]:
    yield from _once(f"{score['name']}: {score['signature']}" for record in records for score in _metrics(record))
    yield from _once(f"search: {settings}" for record in records if (settings := _settings(record["search"], varying)))
    if differences:
        yield (
            f"p: paired bootstrap against the first row, significant below {LEVEL}; "
            "it is over test sentences, and says nothing of training seeds"
        )
    yield from _once(
        f"{record['run']}, {record['test']}: {looks(record)}" for record in records if record["scored_before"]
    )
    yield from _once(
        f"{record['run']}, {record['test']}: {note}"
        for record in records
        for note in (*record["notes"], *record["scores"]["warnings"])
    )


def looks(record: Record) -> str:
    """The note on a test set that was scored before."""
    return f"scored {record['scored_before'] + 1} times; what was chosen by a test set cannot be measured on it"


def _metrics(record: Record) -> list[Record]:
    return [record["scores"][key] for key in METRICS]


def _settings(search: Record, varying: Sequence[str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in search.items() if key not in varying)


def _varying(searches: Sequence[Record]) -> tuple[str, ...]:
    """The search settings that differ between rows; each has a column."""
    keys = _once(key for search in searches for key in search)
    return tuple(key for key in keys if any(search.get(key) != searches[0].get(key) for search in searches))


def _once(values: Iterable[str]) -> list[str]:
    """The distinct values, in order of first occurrence."""
    return list(dict.fromkeys(values))


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip()


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            name: leaf for part in value for name, leaf in _flat(value[part], f"{key}.{part}" if key else part).items()
        }
    return {key: "; ".join(map(str, value)) if isinstance(value, list) else value}
