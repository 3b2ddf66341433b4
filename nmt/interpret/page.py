"""An interpretation as one HTML file: a table of shaded cells with each value on hover, and a table of all values
below.

The page has no scripts and loads nothing, and its content security policy forbids both. Light or dark follows the
browser.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

from nmt.interpret.heatmap import Heatmap, Label, Margin, labels
from nmt.interpret.interpretation import Interpretation

STYLE = Path(__file__).with_suffix(".css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(interpretation: Interpretation) -> str:
    """The whole page, with every text escaped."""
    sentence, heatmap = interpretation.sentence, interpretation.heatmap
    title = escape(interpretation.kind.capitalize())
    about = {
        "source": sentence.source,
        "translation": sentence.text,
        "log p": f"{sentence.hypothesis.log_probability:.2f}",
        "run": interpretation.run,
    }
    notes = (
        f"A stronger shade is more: {heatmap.scale}, from 0 to {heatmap.maximum:.2f}.",
        "A hyphen marks a piece that continues a word.",
        *heatmap.notes,
    )
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{title}: {escape(sentence.source)}</title>",
            f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>\n</head>\n<body>\n<h1>{title}</h1>",
            *("<dl>", *(f"<dt>{name}<dd>{escape(value)}" for name, value in about.items()), "</dl>"),
            *_table(heatmap),
            *(f"<p>{escape(note)}</p>" for note in notes),
            *_piece_scores(interpretation),
            *("<details><summary>All values</summary>", *_values(heatmap), "</details>\n</body>\n</html>\n"),
        ]
    )


def _table(heatmap: Heatmap) -> Iterator[str]:
    """The heatmap as a table of shaded cells."""
    yield '<div class="scroll"><table class="matrix">\n<thead><tr><td></td>'
    yield from (
        f'<th scope="col" class="{_class(label)}"><span>{escape(label.text)}</span></th>' for label in heatmap.columns
    )
    yield f'<th class="number">{escape(heatmap.row_margin.name)}</th></tr></thead>\n<tbody>'
    for row, values, margin in zip(heatmap.rows, heatmap.values, heatmap.row_margin.values, strict=True):
        cells = (_cell(heatmap, row, column, value) for column, value in zip(heatmap.columns, values, strict=True))
        yield f'<tr class="{_class(row)}">{_row_name(row)}{"".join(cells)}<td class="number">{margin:.2f}</td></tr>'
    yield f"</tbody>{_column_margin(heatmap.column_margin)}</table></div>"


def _cell(heatmap: Heatmap, row: Label, column: Label, value: float) -> str:
    title = escape(f"{row.text}, {column.text}: {value:.3f}")
    return (
        f'<td class="{_class(column)}" title="{title}"><i><i style="opacity:{heatmap.shade(value):.3f}"></i></i></td>'
    )


def _column_margin(margin: Margin | None) -> str:
    if margin is None:
        return ""
    cells = "".join(f'<td class="number">{value:.1f}</td>' for value in margin.values)
    return f'<tfoot><tr><th scope="row" class="number">{escape(margin.name)}</th>{cells}</tr></tfoot>'


def _piece_scores(interpretation: Interpretation) -> Iterator[str]:
    """The scores of the pieces, unless they are the margin of the rows."""
    sentence = interpretation.sentence
    if interpretation.heatmap.row_margin.name != "log p":
        scored = zip(labels(sentence.target_pieces), sentence.scores, strict=True)
        yield f"<p>log p of each piece: {escape(', '.join(f'{label.text} {score:.2f}' for label, score in scored))}</p>"


def _values(heatmap: Heatmap) -> Iterator[str]:
    """All values as numbers."""
    yield '<div class="scroll"><table class="values">\n<thead><tr><td></td>'
    yield from (f'<th scope="col">{escape(label.text)}</th>' for label in heatmap.columns)
    yield "</tr></thead>\n<tbody>"
    for row, values in zip(heatmap.rows, heatmap.values, strict=True):
        cells = "".join(f'<td class="number">{value:.3f}</td>' for value in values)
        yield f"<tr>{_row_name(row)}{cells}</tr>"
    yield "</tbody></table></div>"


def _row_name(label: Label) -> str:
    return f'<th scope="row" class="{_class(label)}">{escape(label.text)}</th>'


def _class(label: Label) -> str:
    return "begins" if label.begins else "continues"
