"""Draws what each target piece attended to as a self-contained SVG: source pieces across, target pieces down, darker is more weight.

python tools/draw_attention.py runs/de-en 'Zwei Hunde spielen im Schnee.' > docs/attention.svg
"""

from __future__ import annotations

import sys
from html import escape
from typing import Annotated

import typer

import nmt
from nmt.faults import InputFault, RunFault
from nmt.translator import Translation

CELL, ROOM, TOP, FONT = 30, 118, 96, 14
"""Sizes in pixels: a cell, the space for target pieces at the left and for source pieces above, the letters."""


def svg(found: Translation) -> str:
    """The picture of one translation; a thought vector has one slot and so nothing to draw."""
    weights = found.weights
    if weights is None or weights.shape[1] != len(found.source_pieces):
        raise InputFault("nothing to draw: the model has no attention, or the sentence was translated in parts")
    width, height = ROOM + CELL * weights.shape[1] + 60, TOP + CELL * weights.shape[0] + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
            f' font-family="system-ui, sans-serif" font-size="{FONT}">',
            f"<title>Attention: {escape(found.source)} / {escape(found.text)}</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *(_source(place, piece) for place, piece in enumerate(found.source_pieces)),
            *(_target(place, piece) for place, piece in enumerate(found.pieces)),
            *(_cell(row, column, weight) for row, weights in enumerate(weights.tolist()) for column, weight in enumerate(weights)),
            "</svg>",
        ]
    )


def _source(place: int, piece: str) -> str:
    x, y = ROOM + CELL * place + CELL // 2 + 4, TOP - 8
    return f'<text transform="translate({x} {y}) rotate(-50)" fill="#222">{_shown(piece)}</text>'


def _target(place: int, piece: str) -> str:
    return f'<text x="{ROOM - 8}" y="{TOP + CELL * place + CELL // 2 + 5}" text-anchor="end" fill="#222">{_shown(piece)}</text>'


def _cell(row: int, column: int, weight: float) -> str:
    place = f'x="{ROOM + CELL * column + 1}" y="{TOP + CELL * row + 1}" width="{CELL - 2}" height="{CELL - 2}" rx="3"'
    shade = f'<rect {place} fill="#12355b" opacity="{weight:.2f}"><title>{weight:.2f}</title></rect>' if weight >= 0.01 else ""
    return f'<rect {place} fill="#eef1f6"/>{shade}'


def _shown(piece: str) -> str:
    """A piece that begins a word stands as it is; one that goes on with a word has a hyphen before it."""
    if piece == "</s>":
        return "end"
    return escape(piece.removeprefix("▁") if piece.startswith("▁") else f"-{piece}")


def main(run: Annotated[str, typer.Argument(help="A run folder.")], text: Annotated[str, typer.Argument(help="A sentence to translate.")]) -> None:
    """Print the attention of one translation as SVG."""
    try:
        print(svg(nmt.load(run).translate(text)))
    except (InputFault, RunFault) as fault:
        print(f"draw_attention: {fault}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(fault, InputFault) else 1) from None


if __name__ == "__main__":
    typer.run(main)
