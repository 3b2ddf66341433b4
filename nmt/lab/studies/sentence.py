"""One long sentence on the page: where attention looked, next to what every core model made of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from nmt.interpret.heatmap import Label, labels
from nmt.lab.studies.findings import Findings

CELL, LETTER = 13, 6.6
"""Pixels: the side of a cell, and about the width of a letter."""
STRONG, FAINT = 0.2, 0.05
"""The strongest shade is the largest weight, but no weight below the first; shares of it below the second are not drawn, as nobody would see
them: attention that is spread over everything is a picture of nothing."""


def html(findings: Findings) -> str:
    """The picture and the texts; empty where no finished run has such a sentence."""
    examples = {name: example for name in findings.parts if (example := findings.found["examples"].get(name))}
    if not examples:
        return ""
    shown = examples.get(findings.baseline or "", next(iter(examples.values())))
    same = {name: example for name, example in examples.items() if example["source"] == shown["source"]}
    return f'<div class="pair">{_looked(findings, shown)}<dl class="said">{"".join(_said(findings, shown, same))}</dl></div>'


def _said(findings: Findings, shown: Any, examples: dict[str, Any]) -> Iterator[str]:
    yield _text("source", shown["source"])
    if reference := findings.found.get("reference"):
        yield _text("reference", reference)
    for name, example in examples.items():
        yield _text(findings.title(name), example["text"], *example["warnings"])


def _text(name: str, text: str, *notes: str) -> str:
    return f"<dt>{escape(name)}</dt><dd>{escape(text)}{''.join(f' <small>({escape(note)})</small>' for note in notes)}</dd>"


def _looked(findings: Findings, example: Any) -> str:
    if not example["weights"] or len(example["weights"][0]) == 1:
        return ""
    caption = f"Where {findings.title(findings.baseline or '')} looked: each row is a piece of the translation, the stronger a cell, the more weight."
    drawn = picture(example["source_pieces"], example["pieces"], example["weights"])
    return (
        f'<figure><div class="scroll" tabindex="0" role="region" aria-label="Attention picture">{drawn}</div>'
        f"<figcaption>{escape(caption)} A hyphen marks a piece that continues a word.</figcaption></figure>"
    )


def picture(source: Sequence[str], target: Sequence[str], weights: Sequence[Sequence[float]]) -> str:
    """Weights ``(target, source)`` as SVG in the colours of the page, with a name for every row and column."""
    rows, columns = labels(target), labels(source)
    left, top = (LETTER * max(len(label.text) for label in side) + 8 for side in (rows, columns))
    width, height = left + CELL * len(columns) + 2, top + CELL * len(rows) + 2
    most = max(STRONG, *map(max, weights))
    first = max(range(len(columns)), key=lambda column: sum(row[column] for row in weights))
    alt = f"Attention weights of {len(rows)} target pieces over {len(columns)} source pieces; most weight in all is on {columns[first].text}."
    placed = enumerate(zip(rows, weights, strict=True))
    cells = "".join(_row(row, values, columns, most, left, top + CELL * place) for place, (row, values) in placed)
    names = "".join(_column(label, left + CELL * (place + 0.5), top) for place, label in enumerate(columns))
    box = f'viewBox="0 0 {width:.0f} {height:.0f}" style="min-width:{width * 0.8:.0f}px;max-width:{width * 1.2:.0f}px"'
    return f'<svg class="matrix" role="img" aria-label="{escape(alt)}" {box}>{names}{cells}</svg>'


def _column(label: Label, x: float, y: float) -> str:
    return (
        f'<text transform="translate({x + 4:.1f} {y - 5:.1f}) rotate(-90)"{_faint(label)}>{escape(label.text)}</text>'
    )


def _row(label: Label, values: Sequence[float], columns: Sequence[Label], most: float, x: float, y: float) -> str:
    seen = [(place, value) for place, value in enumerate(values) if value / most >= FAINT]
    cells = "".join(
        _cell(f"{label.text}, {columns[place].text}: {value:.2f}", x + CELL * place, y, value / most)
        for place, value in seen
    )
    return f'<text x="{x - 5:.1f}" y="{y + CELL - 3:.1f}" text-anchor="end"{_faint(label)}>{escape(label.text)}</text>{cells}'


def _cell(title: str, x: float, y: float, share: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" fill-opacity="{share:.2f}"><title>{escape(title)}</title></rect>'


def _faint(label: Label) -> str:
    return "" if label.begins else ' class="continues"'
