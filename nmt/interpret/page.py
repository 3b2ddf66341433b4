"""A view as one HTML file: a table whose cells are shaded, with each value on hover and all of them in a table below.

Nothing is fetched and nothing runs: the page forbids itself both. Light or dark follows the reader's settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from nmt.interpret.matrix import Label, Margin, Matrix, labels
from nmt.interpret.view import View

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --letters: #1f2937; --faint: #6b7280; --ground: #eef1f6; --ink: #12355b; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181f; --letters: #e5e7eb; --faint: #9ca3af; --ground: #232a35; --ink: #8ec5ff; }
}
body { margin: 1.5rem auto; max-width: 75rem; padding: 0 1rem; font: 16px/1.45 system-ui, sans-serif; }
body { background: var(--paper); color: var(--letters); }
h1 { font-size: 1.3rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt, p, summary { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem; }
th { font-weight: 600; white-space: nowrap; }
th.continues { font-weight: 400; color: var(--faint); }
tbody th { text-align: right; padding-right: .5rem; position: sticky; left: 0; background: var(--paper); }
thead th { vertical-align: bottom; padding-bottom: .4rem; }
thead th > span { writing-mode: vertical-rl; transform: rotate(180deg); }
.matrix td { padding: 0 0 1px; }
.matrix .begins { padding-left: 3px; }
.matrix tr.begins > * { padding-top: 3px; }
td i { display: block; height: 1.7rem; }
td > i { width: 1.7rem; background: var(--ground); }
td > i > i { background: var(--ink); -webkit-print-color-adjust: exact; print-color-adjust: exact; }
.number { text-align: right; font-variant-numeric: tabular-nums; color: var(--faint); }
.matrix .number { font-size: .75rem; padding-left: .5rem; }
.matrix tfoot .number { padding-left: 0; text-align: center; }
.values th, .values td { padding: .1rem .5rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(view: View) -> str:
    """The whole page; every text in it is escaped."""
    subject, matrix = view.subject, view.matrix
    about = {
        "source": subject.source,
        "translation": subject.text,
        "log p": f"{subject.hypothesis.log_probability:.2f}",
        "run": view.run,
    }
    notes = (
        f"A stronger shade is more: {matrix.scale}, from 0 to {matrix.top:.2f}.",
        "A hyphen marks a piece that continues a word.",
        *matrix.notes,
    )
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{escape(view.kind.capitalize())}: {escape(subject.source)}</title>",
            f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(view.kind.capitalize())}</h1>",
            *("<dl>", *(f"<dt>{name}<dd>{escape(value)}" for name, value in about.items()), "</dl>"),
            *_matrix(matrix),
            *(f"<p>{escape(note)}</p>" for note in notes),
            *_pieces(view),
            *("<details><summary>All values</summary>", *_values(matrix), "</details>\n</body>\n</html>\n"),
        ]
    )


def _matrix(matrix: Matrix) -> Iterator[str]:
    """The picture: a table of shades."""
    yield '<div class="scroll"><table class="matrix">\n<thead><tr><td></td>'
    yield from (
        f'<th scope="col" class="{_class(label)}"><span>{escape(label.text)}</span></th>' for label in matrix.columns
    )
    yield f'<th class="number">{escape(matrix.beside.name)}</th></tr></thead>\n<tbody>'
    for row, values, beside in zip(matrix.rows, matrix.values, matrix.beside.values, strict=True):
        cells = (_cell(matrix, row, column, value) for column, value in zip(matrix.columns, values, strict=True))
        yield f'<tr class="{_class(row)}">{_row_name(row)}{"".join(cells)}<td class="number">{beside:.2f}</td></tr>'
    yield f"</tbody>{_below(matrix.below)}</table></div>"


def _cell(matrix: Matrix, row: Label, column: Label, value: float) -> str:
    title = escape(f"{row.text}, {column.text}: {value:.3f}")
    return f'<td class="{_class(column)}" title="{title}"><i><i style="opacity:{matrix.share(value):.3f}"></i></i></td>'


def _below(margin: Margin | None) -> str:
    if margin is None:
        return ""
    cells = "".join(f'<td class="number">{value:.1f}</td>' for value in margin.values)
    return f'<tfoot><tr><th scope="row" class="number">{escape(margin.name)}</th>{cells}</tr></tfoot>'


def _pieces(view: View) -> Iterator[str]:
    """The scores of the pieces, where they do not stand beside the rows."""
    if view.matrix.beside.name != "log p":
        scored = zip(labels(view.subject.target_pieces), view.subject.scores, strict=True)
        yield f"<p>log p of each piece: {escape(', '.join(f'{label.text} {score:.2f}' for label, score in scored))}</p>"


def _values(matrix: Matrix) -> Iterator[str]:
    """The numbers themselves."""
    yield '<div class="scroll"><table class="values">\n<thead><tr><td></td>'
    yield from (f'<th scope="col">{escape(label.text)}</th>' for label in matrix.columns)
    yield "</tr></thead>\n<tbody>"
    for row, values in zip(matrix.rows, matrix.values, strict=True):
        cells = "".join(f'<td class="number">{value:.3f}</td>' for value in values)
        yield f"<tr>{_row_name(row)}{cells}</tr>"
    yield "</tbody></table></div>"


def _row_name(label: Label) -> str:
    return f'<th scope="row" class="{_class(label)}">{escape(label.text)}</th>'


def _class(label: Label) -> str:
    return "begins" if label.begins else "continues"
