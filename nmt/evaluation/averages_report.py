"""The averages of one or several test sets as text of 80 columns, Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from nmt.evaluation import metrics, report
from nmt.evaluation.averages import LEVEL, AveragedRow, Averages
from nmt.evaluation.report import Table

NO_SIGNAL = 1
"""BLEU of models that hardly translate."""
Format: TypeAlias = Literal["text", "csv", "json", "markdown", "latex"]


def scores_table(found: Averages) -> Table:
    """One line per row: number of runs, mean and range of BLEU with its interval, means of the other metrics."""
    varying = report.varying_keys([row.row.search for row in found.rows])
    names = [average.name for average in found.rows[0].averages.values()]
    columns = ("system", *varying, "n", names[0], "range", "95 %", *names[1:])
    rows = tuple(_scores_cells(row, varying) for row in found.rows)
    return Table(columns, rows, tuple(_scores_notes(found)), title(found))


def differences_table(found: Averages) -> Table:
    """One line per row that is compared with the baseline."""
    compared = [row for row in found.rows if row.differences]
    varying = report.varying_keys([row.row.search for row in found.rows])
    names = [average.name for average in found.rows[0].averages.values()]
    rows = tuple((row.row.system, *_settings_cells(row, varying), *_difference_cells(row)) for row in compared)
    columns = ("system", *varying, names[0], "95 %", "p", *names[1:])
    return Table(columns, rows, tuple(_difference_notes(found)), f"compared with {found.baseline}")


def whole_table(found: Averages) -> Table:
    """Scores and differences side by side."""
    scores = scores_table(found)
    if not found.compared:
        return scores
    names = [average.name for average in found.rows[0].averages.values()]
    columns = (f"{names[0]} difference", "95 %", "p", *(f"{name} difference" for name in names[1:]))
    cells = [_difference_cells(row) if row.differences else ("",) * len(columns) for row in found.rows]
    return Table(
        (*scores.columns, *columns),
        tuple((*row, *more) for row, more in zip(scores.rows, cells, strict=True)),
        (*scores.notes, f"difference: from {found.baseline}", *_difference_notes(found)),
        scores.title,
    )


def title(found: Averages) -> str:
    """Test set, languages and size."""
    count = len(found.test.source)
    small = f", under {metrics.SMALL}: read the intervals" if count < metrics.SMALL else ""
    return f"{found.test.name} ({found.languages}): {count:,} sentences{small}"


def text(found: Sequence[Averages]) -> str:
    """Two tables for each test set, of at most 80 columns."""
    tables = [
        table for each in found for table in (scores_table(each), *([differences_table(each)] if each.compared else []))
    ]
    return "\n".join(report.text(table, report.WIDTH) for table in tables)


def markdown(found: Sequence[Averages]) -> str:
    """One table for each test set."""
    return "\n".join(report.markdown(whole_table(each)) for each in found)


def latex(found: Sequence[Averages]) -> str:
    """One ``tabular`` for each test set."""
    return "\n".join(report.latex(whole_table(each)) for each in found)


def csv(found: Sequence[Averages]) -> str:
    """One line per row and test set, with unrounded numbers."""
    return report.csv_text(
        [
            {"test": each.test.name, "languages": each.languages, "baseline": each.baseline, **row.as_json()}
            for each in found
            for row in each.rows
        ]
    )


def json(found: Sequence[Averages]) -> str:
    """A list with an object for each test set."""
    return report.json_text([each.as_json() for each in found])


FORMATS: dict[Format, Callable[[Sequence[Averages]], str]] = {
    "text": text,
    "csv": csv,
    "json": json,
    "markdown": markdown,
    "latex": latex,
}
"""The forms of a report by name."""


def _scores_cells(row: AveragedRow, varying: Sequence[str]) -> tuple[str, ...]:
    first, *others = row.averages.values()
    several = len(row.row.results) > 1
    interval = "" if first.low is None or first.high is None else f"{first.low:.1f} to {first.high:.1f}"
    return (
        row.row.system,
        *_settings_cells(row, varying),
        str(len(row.row.results)),
        f"{first.mean:.2f}",
        f"{first.smallest:.2f} to {first.largest:.2f}" if several else "",
        interval,
        *(f"{average.mean:.2f}" for average in others),
    )


def _settings_cells(row: AveragedRow, varying: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.row.search.get(key, "")) for key in varying)


def _difference_cells(row: AveragedRow) -> tuple[str, ...]:
    first, *others = row.differences.values()
    marked = [f"{each.difference:+.2f}{'*' if each.significant else ''}" for each in (first, *others)]
    return (marked[0], f"{first.low:+.2f} to {first.high:+.2f}", f"{first.corrected:.3f}", *marked[1:])


def _scores_notes(found: Averages) -> Iterable[str]:
    yield "n: runs that differ in the seed alone; scores are their means, range is over them"
    yield "95 %: bootstrap over test sentences; it says nothing of training seeds"
    yield from report.once(f"{each.name}: {each.signature}" for row in found.rows for each in row.averages.values())
    varying = report.varying_keys([row.row.search for row in found.rows])
    yield from report.once(
        f"search: {', '.join(f'{key} {value}' for key, value in row.row.search.items() if key not in varying)}"
        for row in found.rows
        if row.row.search
    )
    yield from report.once(
        f"{result.run}: {note}"
        for row in found.rows
        for result in row.row.results
        for note in (
            *result.notes,
            *result.scores.warnings,
            *([report.looks(result.scored_before)] if result.scored_before else []),
        )
    )
    if weak := report.once(row.row.system for row in found.rows if row.averages["bleu"].mean < NO_SIGNAL):
        yield f"BLEU under {NO_SIGNAL}, hardly a translation, so differences mean nothing: {'; '.join(weak)}"


def _difference_notes(found: Averages) -> Iterable[str]:
    yield f"* p < {LEVEL}: paired bootstrap over test sentences, two-sided, {metrics.RESAMPLES:,} resamples"
    yield f"p is corrected for {found.compared} comparison{'s' * (found.compared != 1)} by each metric (Holm)"
    yield "p compares these trained models; it says nothing of training seeds: see n and range"
