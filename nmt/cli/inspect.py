"""`nmt inspect`: what a model looked at in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nmt.cli.output import logger, print_json

if TYPE_CHECKING:
    from nmt.interpret.view import View


def inspect(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    text: Annotated[str, typer.Argument(help="A sentence to translate.")],
    kind: Annotated[
        Literal["attention", "occlusion", "gates"] | None,
        typer.Option("--kind", help="By default attention, and for a run without it occlusion."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR_OR_FILE", help="A file .svg, .png, .html or .json, or a folder for all four."
        ),
    ] = None,
    beam: Annotated[int | None, typer.Option("--beam", min=1, help="Instead of the recipe's beam.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Translate one sentence and show what each piece of the translation rests on, with the score of each piece.

    attention: the weights of the source pieces. occlusion: how much less probable each target piece is when a source piece is left out;
    any model has this picture, the thought vector too. gates: what the gates of an LSTM or GRU encoder do at each source piece.

    Examples:

      nmt inspect runs/de-en 'Ein Hund läuft durch den Schnee.'

      nmt inspect runs/de-en-thought-vector 'Ein Hund läuft.' --kind occlusion --out dog.html

      nmt inspect runs/de-en 'Ein Hund läuft.' --kind gates --out pictures
    """
    from nmt import load
    from nmt.interpret import saving
    from nmt.interpret.view import look

    if out:
        saving.check(out)
    view = look(load(run, **({} if beam is None else {"beam": beam})), text, kind, str(run))
    say, warnings = logger(quiet), view.subject.warnings
    if out:
        paths, more = saving.save(view, out)
        say(f"written: {', '.join(map(str, paths))}")
        warnings += more
    for warning in warnings:
        say(f"warning: {warning}")
    if as_json:
        print_json(view.as_json())
    elif not out:
        _draw(view)


def _draw(view: View) -> None:
    """On stdout, in its width; a pipe is 80 letters wide, or what COLUMNS says."""
    from rich.console import Console

    from nmt.interpret.terminal import drawing

    console = Console(highlight=False)
    console.print(drawing(view, console.width), soft_wrap=True)
