"""The bottleneck report as one HTML page without scripts or anything loaded; light or dark follows the browser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from nmt.atomic import JsonObject
from nmt.evaluation.report import Table
from nmt.lab.experiments import record
from nmt.lab.studies import figures
from nmt.lab.studies.analysis import Analysis
from nmt.lab.studies.attention_svg import attention_svg
from nmt.lab.studies.figures import Chart

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --paper: #fff; --letters: #1f2937; --faint: #5b6472; --line: #d5dae1; }
:root { --ground: #f1f4f8; --ink: #0f4c81; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181f; --letters: #e5e7eb; --faint: #a3acb9; --line: #39414d; --ground: #1e242d; --ink: #7cc0ff; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 78rem; padding: 1rem; font: 17px/1.5 system-ui, sans-serif; }
body { background: var(--paper); color: var(--letters); }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.6rem); line-height: 1.15; margin: 1rem 0 .5rem; }
h1 { max-width: 40ch; text-wrap: balance; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; }
p, li { max-width: 48rem; }
.kicker, figcaption, small, .notes { color: var(--faint); }
.notice { border-left: 4px solid var(--ink); background: var(--ground); padding: .5rem .8rem; }
.top { display: grid; gap: 1.5rem; align-items: start; }
.top { grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
.charts { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); }
figure { margin: 0 0 1.5rem; }
.chart { background: #fff; border: 1px solid var(--line); border-radius: .5rem; padding: .4rem; max-width: 44rem; }
.chart svg { display: block; width: 100%; height: auto; }
.chart svg * { stroke-linejoin: round; stroke-linecap: butt; }
@media (prefers-color-scheme: dark) { .chart { filter: invert(.9) hue-rotate(180deg); } }
details { border-bottom: 1px solid var(--line); }
summary { cursor: pointer; font-weight: 600; padding: .6rem 0; }
details[open] { padding-bottom: 1rem; }
figcaption { font-size: .9rem; margin-top: .4rem; max-width: 48rem; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll + .scroll { margin-top: 1.6rem; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; vertical-align: top; white-space: nowrap; }
th, td { border-bottom: 1px solid var(--line); }
th:first-child, .words td, .words th { text-align: left; white-space: normal; }
th:first-child { min-width: 7rem; }
tbody th { font-weight: 500; }
.notes { overflow-wrap: anywhere; font-size: .85rem; margin: .3rem 0 1.6rem; padding-left: 1.1rem; }
.pair { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 3fr) minmax(18rem, 2fr); align-items: start; }
@media (max-width: 60rem) { .pair { grid-template-columns: minmax(0, 1fr); } }
.pair .scroll { max-height: 64rem; overflow-y: auto; }
.matrix { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.matrix rect { width: 12px; height: 12px; fill: var(--ink); }
.matrix text { fill: var(--letters); }
.matrix .continues { fill: var(--faint); }
dt { color: var(--faint); font-size: .9rem; }
dd { margin: 0 0 .8rem; overflow-wrap: anywhere; }
dl { margin: 0; }
.conditions { display: grid; gap: 0 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr)); }
pre { overflow-x: auto; background: var(--ground); padding: .7rem; border-radius: .4rem; font-size: .85rem; }
@media print { .scroll, .pair .scroll, pre { overflow: visible; max-height: none; } }
@media print { details::details-content { content-visibility: visible; } }
@media print { figure, table { break-inside: avoid; } * { print-color-adjust: exact; } }
"""

TERMS = (
    ("k", "the number of sentences that are concatenated into one line and translated at once"),
    ("cost", "BLEU of translating them one by one minus BLEU of translating them at once; k50 is where half is left"),
    ("thought vector", "a model whose decoder is given the whole line as one vector"),
    ("attention", "a model whose decoder looks at every source token again at each step; so does the Transformer"),
)
"""Words of the page, before they are used."""


def html(
    title: str,
    summary: Sequence[str],
    found: Analysis,
    tables: Mapping[str, Table],
    charts: Sequence[Chart],
    conditions: JsonObject,
    commands: Sequence[tuple[str, str]],
) -> str:
    """The whole page, with every text escaped. ``commands`` are pairs of what a command gives and the command."""
    first, *others = [_chart(chart) for chart in charts] or [""]
    about = f"{found.conditions.corpus}, {found.conditions.languages}"
    words = "".join(f"<p>{escape(text)}</p>" for text in summary) + _terms()
    repeat = "".join(f"<p>{escape(what)}</p><pre>{escape(command)}</pre>" for what, command in commands)
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            f'<p class="kicker">{escape(about)}</p>\n<h1>{escape(title)}</h1>',
            *_missing(found),
            f'<div class="top">\n{first}\n<div>{words}</div>\n</div>',
            *_section("Capacity and position", "".join(others)),
            *_section("One long sentence", _example(found)),
            *_section("Tables", "".join(_tables(tables))),
            *_section("Conditions and commands", _conditions(conditions) + repeat),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _missing(found: Analysis) -> Iterator[str]:
    if missing := found.conditions.missing_runs:
        yield f'<p class="notice">Not finished: {escape(", ".join(missing))}.</p>'


def _section(title: str, content: str) -> Iterator[str]:
    if content:
        yield f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def _chart(chart: Chart) -> str:
    panels = "".join(
        f'<div class="chart">{inline(figures.svg(panel), f"{chart.name}{place}", panel.alt)}</div>'
        for place, panel in enumerate(chart.panels)
    )
    return f'<figure><div class="charts">{panels}</div><figcaption>{escape(chart.caption)}</figcaption></figure>'


def inline(svg: str, prefix: str, alt: str) -> str:
    """A figure as part of a page: without a file head, as wide as its place, and with ids of its own."""
    drawn = svg[svg.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r'\s(xmlns(:xlink)?|version)="[^"]*"', "", drawn)
    drawn = re.sub(r'\s(width|height)="[\d.]+pt"', "", drawn, count=2).replace("xlink:href", "href")
    drawn = re.sub(r'((?<=\sid=")|(?<=href="#)|(?<=url\(#))', f"{prefix}-", drawn)
    return drawn.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)


def _example(found: Analysis) -> str:
    """The attention of one sentence beside its translations by the main systems."""
    examples = {name: found.examples[name] for name in found.main if name in found.examples}
    if not examples:
        return ""
    shown = examples.get(found.baseline or "", next(iter(examples.values())))
    texts = {"source": shown.source, **({"reference": found.reference} if found.reference else {})}
    for name, example in examples.items():
        if example.source == shown.source:
            texts[found.title(name)] = " ".join([example.text, *(f"({warning})" for warning in example.warnings)])
    said = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in texts.items())
    figure = ""
    if shown.weights and len(shown.weights[0]) > 1:
        figure = (
            '<figure><div class="scroll" tabindex="0" role="region" aria-label="Attention weights">'
            f"{attention_svg(shown.source_pieces, shown.pieces, shown.weights)}</div>"
            "<figcaption>Attention weights: one row per target piece. A hyphen marks a piece that continues a word."
            "</figcaption></figure>"
        )
    return f'<div class="pair">{figure}<dl>{said}</dl></div>'


def _terms() -> str:
    explained = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in TERMS)
    return f'<dl class="notice">{explained}</dl>'


def _tables(tables: Mapping[str, Table]) -> Iterator[str]:
    """Each table folded under its caption; the first is open."""
    for place, (caption, table) in enumerate(tables.items()):
        opened = "" if place else " open"
        yield f"<details{opened}><summary>{escape(caption)}</summary>{_table(caption, table)}</details>"


def _table(caption: str, table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.columns)
    rows = (
        (escape(row[0]), "".join(f"<td>{escape(cell).replace('; p =', '<br>p =')}</td>" for cell in row[1:]))
        for row in table.rows
    )
    body = "".join(f'<tr><th scope="row">{name}</th>{cells}</tr>' for name, cells in rows)
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    words = ' class="words"' if table.columns[1] == "measured" else ""
    title = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table{words} aria-label="{title}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def _conditions(conditions: JsonObject) -> str:
    named = {key.replace("_", " "): record.settings({"": value}).strip() for key, value in conditions.items()}
    cells = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(value)}</dd></div>" for key, value in named.items())
    return f'<dl class="conditions">{cells}</dl>'
