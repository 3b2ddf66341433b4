"""`nmt translate`: one output line for each input line, in order."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal

import typer

from nmt import atomic, printable
from nmt.cli import completion
from nmt.cli.options import Demo, Device, Precision, Protect, Quiet, Split
from nmt.cli.output import check_folder, console, logger, option_errors
from nmt.cli.run_choice import open_run
from nmt.data import lines
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.inference.translator import Translation
    from nmt.runs.run_folder import Run
    from nmt.search import SearchSettings


def translate(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="A run folder or a bundle; by default the run that finished last.", autocompletion=completion.runs
        ),
    ] = None,
    input: Annotated[
        Path | None, typer.Option("-i", "--input", help="A file to translate, plain or gz; by default stdin.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file to write, atomically; by default stdout."),
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option("--text", help="A text to translate; may be given several times.")
    ] = None,
    beam: Annotated[
        int | None, typer.Option("--beam", min=1, max=1000, help="Hypotheses of beam search; 1 is greedy search.")
    ] = None,
    nbest: Annotated[int, typer.Option("--nbest", min=1, max=1000, help="Number of alternatives, with --json.")] = 1,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a line: text, score, pieces, alternatives, alignment, warnings."),
    ] = False,
    batch_tokens: Annotated[
        int | None, typer.Option("--batch-tokens", min=1, help="Source tokens in a batch, padding included.")
    ] = None,
    demo: Demo = False,
    split: Split = "auto",
    protect: Protect = True,
    precision: Precision = None,
    device: Device = "auto",
    engine: Annotated[
        Literal["auto", "torch", "ctranslate2"],
        typer.Option("--engine", help="auto uses the export of the run if there is one."),
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Number of parallel processes with one thread each.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Translate stdin, a file or texts.

    Each input line gives one output line. Lines are split into sentences, which are translated one by one and put
    together again; blank lines and lines without letters stay as they are.

    Examples:

      nmt translate --demo --text 'Die Frau liest ein Buch im Garten.'

      nmt translate runs/de-en --text 'Ein Hund läuft.'

      nmt translate runs/de-en -i letter.de.txt -o letter.en.txt

      nmt translate runs/de-en --workers 2 -i book.de.txt -o book.en.txt

      tail -f log.de | nmt translate
    """
    if nbest > 1 and not as_json:
        raise UserError(
            "--nbest: alternatives are given with --json only, so that plain output keeps one line for one line"
        )
    if text and input:
        raise UserError("--text and --input: expected one of them")
    from nmt.inference.open import open_translator

    say, notes = logger(quiet), Counter[str]()
    opened = open_run(run, demo=demo, log=say)
    with option_errors():
        translator = open_translator(
            opened,
            engine,
            device=device,
            workers=workers,
            precision=precision,
            search=_search(opened, beam, nbest, keep_weights=as_json),
            batch_tokens=batch_tokens,
            split=split,
            protect=protect,
            log=say,
        )
    with (
        translator,
        _target(output) as out,
        _source(input, text) as (chunks, waits),
    ):
        texts = (_texts(chunk, notes) for chunk in chunks)
        windows = texts if waits else iter([chain.from_iterable(texts)])
        for window in windows:
            for found in _progress(translator.stream(window), quiet or waits or not console.is_terminal):
                notes.update(_kinds(found))
                out.write(
                    (printable.dumps(found.as_json()) if as_json else printable.without_controls(found.text)).encode()
                    + b"\n"
                )
            out.flush()
    for kind, count in notes.items():
        say(f"{kind}: {count:,} {'line' if count == 1 else 'lines'}")


def _search(run: Run, beam: int | None, nbest: int, *, keep_weights: bool) -> SearchSettings:
    if nbest > 1 and beam is None:
        beam = max(nbest, run.recipe.search.beam)
    return run.search_settings(beam=beam, nbest=nbest, keep_weights=keep_weights)


@contextmanager
def _source(path: Path | None, texts: list[str] | None) -> Iterator[tuple[Iterable[list[bytes]], bool]]:
    """Chunks of lines as they arrive, and whether each should be translated at once (a pipe or a terminal)."""
    if texts:
        yield [[text.encode("utf8", "surrogateescape") for text in texts]], False
    elif path is None or str(path) == "-":
        if sys.stdin is None:  # closed by the parent process
            raise UserError("standard input is closed; name a file with --input, or give texts with --text")
        stdin = sys.stdin.buffer
        yield lines.arriving(stdin), not stat.S_ISREG(os.fstat(stdin.fileno()).st_mode)
    else:
        with lines.opened(path) as stream:
            yield lines.arriving(stream), False


@contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        if sys.stdout is None:  # closed by the parent process
            raise UserError("standard output is closed; name a file with --output")
        yield sys.stdout.buffer
    elif path.is_dir():
        raise UserError(f"--output: {path} is a folder; expected a file")
    else:
        check_folder(path)
        with atomic.output_file(path) as out:
            yield out


def _texts(chunk: list[bytes], notes: Counter[str]) -> list[str]:
    decoded = [lines.decode(line) for line in chunk]
    if replaced := sum(bad for _, bad in decoded):
        notes["invalid UTF-8 was replaced"] += replaced
    return [text for text, _ in decoded]


def _kinds(found: Translation) -> list[str]:
    from nmt.inference.diagnostics import kind

    return [kind(warning) for warning in found.warnings]


def _progress(found: Iterator[Translation], hidden: bool) -> Iterable[Translation]:
    if hidden:
        return found
    from rich.progress import track

    return track(found, description="translating", console=console, total=None)
