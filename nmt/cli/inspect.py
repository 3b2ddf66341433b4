"""`nmt inspect`: what the translation of one sentence rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nmt import atomic, printable
from nmt.cli.options import AsJson, Beam, Demo, Device, Quiet
from nmt.cli.output import check_folder, logger, option_errors, print_json
from nmt.cli.run_choice import check_no_run, open_run
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.interpret.interpretation import Interpretation

FORMATS = (".svg", ".png", ".html", ".json")


def inspect(
    run: Annotated[str, typer.Argument(help="A run folder or a bundle; left out with --demo.")],
    text: Annotated[str | None, typer.Argument(help="A sentence to translate.")] = None,
    demo: Demo = False,
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
    beam: Beam = None,
    as_json: AsJson = False,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Translate one sentence and show what each piece of the translation rests on, with the score of each piece.

    attention: its weights on the pieces of the source. occlusion: how much less probable each target piece is when a
    source piece is left out; works for any model, also one with a thought vector. gates: what the gates of an LSTM or
    GRU encoder do at each source piece.

    Examples:

      nmt inspect --demo 'Die Frau liest ein Buch im Garten.'

      nmt inspect runs/de-en 'Ein Hund läuft durch den Schnee.'

      nmt inspect runs/de-en-thought-vector 'Ein Hund läuft.' --kind occlusion --out dog.html

      nmt inspect runs/de-en 'Ein Hund läuft.' --kind gates --out figures
    """
    from nmt.inference.open import open_translator
    from nmt.interpret.interpretation import interpret

    log = logger(quiet)
    path, text = _arguments(run, text, demo)
    if out:
        check_out(out)
    opened = open_run(path, demo=demo, log=log)
    with option_errors():
        search = opened.search_settings(beam=beam, keep_weights=True)
    translator = open_translator(opened, "torch", device=device, search=search, split="never")
    interpretation = interpret(translator, text, kind, str(opened.path))
    warnings = interpretation.sentence.diagnostics
    if out:
        paths, more = save(interpretation, out)
        log(f"written: {', '.join(map(str, paths))}")
        warnings += more
    for warning in warnings:
        log(f"warning: {warning}")
    if as_json:
        print_json(interpretation.as_json())
    elif not out:
        _print(interpretation)


def _arguments(run: str, text: str | None, demo: bool) -> tuple[Path | None, str]:
    """The run and the sentence; with --demo the only argument is the sentence."""
    if demo:
        check_no_run(text)
        return None, run
    if text is None:
        raise UserError(f"nmt inspect: expected a run and a sentence, found {run!r} alone; or --demo and a sentence")
    return Path(run), text


def check_out(out: Path) -> None:
    """Refuses a name that cannot be written, and figures without the extra plot, before anything is computed."""
    from nmt.lab.plotting import style

    if not _is_folder(out) and out.suffix.lower() not in FORMATS:
        raise UserError(f"--out: {out}: expected a folder, or a file that ends in {', '.join(FORMATS)}")
    check_folder(out, "--out")
    if _is_folder(out) or out.suffix.lower() in (".svg", ".png"):
        style.require_matplotlib()


def save(interpretation: Interpretation, out: Path) -> tuple[list[Path], list[str]]:
    """Writes one file, or a file of each format into a folder; returns the paths, and warnings."""
    paths = [out / f"{interpretation.kind}{suffix}" for suffix in FORMATS] if _is_folder(out) else [out]
    warnings = []
    for path in paths:
        content, found = _content(interpretation, path.suffix.lower())
        atomic.write_file(atomic.followed(path), content)
        warnings += found
    return paths, list(dict.fromkeys(warnings))


def _content(interpretation: Interpretation, suffix: str) -> tuple[bytes | str, list[str]]:
    """What a file of this suffix holds, and warnings about it."""
    from nmt.interpret import page
    from nmt.lab.plotting import style
    from nmt.lab.plotting.interpretation import render

    if suffix == ".html":
        return page.html(interpretation), []
    if suffix == ".json":
        return printable.dumps(interpretation.as_json(), indent=1) + "\n", []
    if suffix == ".svg":
        return render(style.svg, interpretation.heatmap)
    return render(style.png, interpretation.heatmap)


def _is_folder(out: Path) -> bool:
    return out.is_dir() or not out.suffix


def _print(interpretation: Interpretation) -> None:
    """Prints to stdout in its width; a pipe is 80 characters wide, or what COLUMNS says."""
    from rich.console import Console

    from nmt.interpret.terminal import render

    console = Console(highlight=False)
    console.print(render(interpretation, console.width), soft_wrap=True)
