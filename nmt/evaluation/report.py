"""Tables of results as text, Markdown, LaTeX, CSV and JSON, from the records of `Result.as_json`.

Signatures and search settings that rows share are printed once, below the table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nmt import printable
from nmt.evaluation.metrics import METRICS, SMALL
from nmt.evaluation.significance import LEVEL, Difference

Record = dict[str, Any]
WIDTH, SHORTEST = 80, 12
"""Columns of a terminal that a table of scores fits, and characters that shortening leaves of the first column."""
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "*": "$^{*}$",
}


@dataclass(frozen=True)
class Table:
    """Cells as text, a title above and notes below them. The first column is aligned to the left, the others to the
    right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    title: str = ""


def scores_table(records: Sequence[Record]) -> Table:
    """One row per run on one test set."""
    varying = varying_keys([record["search"] for record in records])
    names = [score["name"] for score in _metrics(records[0])] if records else []
    return Table(
        ("run", *varying, *names[:1], "95 %", *names[1:], "BP", "length ratio"),
        tuple(_scores_row(record, varying) for record in records),
        tuple(_scores_notes(records, varying)),
        heading(records[0]) if records else "",
    )


def differences_table(records: Sequence[Record], differences: Sequence[Sequence[Difference]]) -> Table:
    """The differences of `compare`: one row per run but the first."""
    columns = ["run"]
    for one in differences[0]:
        columns += [one.metric] if one.low is None else [one.metric, "95 %", "p"]
    rows = tuple(
        (record["run"], *(cell for one in row for cell in _difference_cells(one)))
        for record, row in zip(records[1:], differences, strict=True)
    )
    note = f"* p < {LEVEL} by paired bootstrap (5 % two-sided); says nothing of training seeds"
    return Table(tuple(columns), rows, (note,), f"compared with {records[0]['run']}")


def heading(record: Record) -> str:
    """The test set of a record and its size."""
    small = f", under {SMALL}: read the intervals" if record["scores"]["small"] else ""
    return f"{record['test']}: {record['sentences']:,} sentences{small}"


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
    signatures = once(f"BLEU: {bucket['bleu']['signature']}" for bucket in record["by_length"])
    return Table(
        ("source words", "sentences", "BLEU", "95 %", "BP", "length ratio"), tuple(rows), (*notes, *signatures)
    )


def text(table: Table, width: int | None = None) -> str:
    """Aligned columns and the notes, for a terminal or a pipe; ``width`` shortens the first column of wider tables."""
    widths = [max(map(len, column)) for column in zip(table.columns, *table.rows, strict=True)]
    if width is not None:
        widths[0] = max(min(widths[0], SHORTEST), min(widths[0], width - sum(widths[1:]) - 2 * len(widths[1:])))
    rows = [(shortened(row[0], widths[0]), *row[1:]) for row in (table.columns, *table.rows)]
    lines = [_aligned(row, widths) for row in (rows[0], tuple("-" * each for each in widths), *rows[1:])]
    title = [table.title] if table.title else []
    return "\n".join([*title, *lines, "", *table.notes]).rstrip("\n") + "\n"


def shortened(name: str, width: int) -> str:
    """A name with its middle left out if it is longer than ``width``."""
    end = (width - 1) // 2
    return name if len(name) <= width else f"{name[: width - 1 - end]}…{name[len(name) - end :]}"


def markdown(table: Table) -> str:
    """A GitHub table under its title in bold, and the notes as a list."""
    rule = ("---", *("---:" for _ in table.columns[1:]))
    lines = [
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in (table.columns, rule, *table.rows)
    ]
    title = [f"**{table.title}**", ""] if table.title else []
    return (
        "\n".join([*title, *lines, "", *(f"- {re.sub('^[*]', chr(92) + '*', note)}" for note in table.notes)]).rstrip(
            "\n"
        )
        + "\n"
    )


def latex(table: Table) -> str:
    """A ``tabular`` for the LaTeX package booktabs; title and notes are comments, to be used in the caption."""
    lines = [" & ".join(map(latex_text, row)) + r" \\" for row in (table.columns, *table.rows)]
    comments = [f"% {note}" for note in (table.title, *table.notes) if note]
    return "\n".join(
        [
            *comments,
            rf"\begin{{tabular}}{{l{'r' * len(table.columns[1:])}}}",
            r"\toprule",
            lines[0],
            r"\midrule",
            *lines[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def latex_text(cell: str) -> str:
    """Text with LaTeX's special characters escaped, ranges with an en dash, and numbers with a minus sign."""
    escaped = "".join(_LATEX.get(character, character) for character in cell)
    dashed = re.sub(r"(?<=\d) to (?=\d)", "--", escaped)
    return re.sub(r"(?:(?<=^)|(?<= ))-(?=\d)", "$-$", dashed)


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
        *(str(record["search"].get(key, "")) for key in varying),
        f"{bleu['value']:.2f}",
        _interval(bleu),
        *(f"{score['value']:.2f}" for score in others),
        f"{bleu['brevity_penalty']:.3f}",
        f"{bleu['length_ratio']:.3f}",
    )


def _difference_cells(one: Difference) -> tuple[str, ...]:
    """The difference with its mark, and where it has an interval that and p."""
    marked = f"{one.difference:+.2f}{'*' if one.significant else ''}"
    if one.low is None or one.high is None:
        return (marked,)
    return (marked, f"{one.low:+.2f} to {one.high:+.2f}", f"{one.p_value:.3f}")


def _interval(score: Record) -> str:
    return "" if score["low"] is None else f"{score['low']:.1f} to {score['high']:.1f}"


def _scores_notes(records: Sequence[Record], varying: Sequence[str]) -> Iterable[str]:
    yield from once(f"{score['name']}: {score['signature']}" for record in records for score in _metrics(record))
    yield from once(f"search: {settings}" for record in records if (settings := _settings(record["search"], varying)))
    yield from once(
        f"{record['run']}, {record['test']}: {looks(record['scored_before'])}"
        for record in records
        if record["scored_before"]
    )
    yield from once(
        f"{record['run']}, {record['test']}: {note}"
        for record in records
        for note in (*record["notes"], *record["scores"]["warnings"])
    )


def looks(scored_before: int) -> str:
    """The note on a test set that was scored before."""
    return f"scored {scored_before + 1} times; what was chosen by a test set cannot be measured on it"


def _metrics(record: Record) -> list[Record]:
    return [record["scores"][key] for key in METRICS]


def _settings(search: Record, varying: Sequence[str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in search.items() if key not in varying)


def varying_keys(searches: Sequence[Record]) -> tuple[str, ...]:
    """The search settings that differ between rows; each has a column."""
    keys = once(key for search in searches for key in search)
    return tuple(key for key in keys if any(search.get(key) != searches[0].get(key) for search in searches))


def once(values: Iterable[str]) -> list[str]:
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
