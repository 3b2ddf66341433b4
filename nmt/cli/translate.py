"""`nmt translate`: lines in, as many lines out, in order."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from nmt import files
from nmt.cli.output import console, speaker
from nmt.faults import InputFault
from nmt.text import lines

if TYPE_CHECKING:
    from nmt.translator import Translation, Translator


def translate(
    run: Annotated[Path | None, typer.Argument(help="A run folder or a bundle; by default the run that finished last.")] = None,
    input: Annotated[Path | None, typer.Option("-i", "--input", help="A file to translate, plain or gz; by default stdin.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; appears whole, and replaces. By default stdout.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="A text to translate; may be given several times.")] = None,
    beam: Annotated[int | None, typer.Option("--beam", min=1, help="Hypotheses kept in search; 1 is greedy.")] = None,
    nbest: Annotated[int, typer.Option("--nbest", min=1, help="Alternatives to give, with --json.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line: text, score, pieces, alternatives, alignment, warnings.")] = False,
    batch_tokens: Annotated[int | None, typer.Option("--batch-tokens", min=1, help="Source pieces translated at a time.")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Translate stdin, a file or texts.

    One line in is one line out; blank lines stay blank; a line that is too long is translated in parts and joined.

    Examples:

      nmt translate runs/de-en --text 'Ein Hund läuft.'

      nmt translate runs/de-en -i letter.de.txt -o letter.en.txt

      tail -f log.de | nmt translate
    """
    if nbest > 1 and not as_json:
        raise InputFault("--nbest: alternatives are given with --json only, so that plain output keeps one line for one line")
    if text and input:
        raise InputFault("--text and --input: expected one of them")
    say, notes = speaker(quiet), Counter[str]()
    translator = _translator(run, beam, nbest, batch_tokens, quiet)
    with _target(output) as out, _source(input, text) as (chunks, waits):
        texts = (_texts(chunk, notes) for chunk in chunks)
        windows = texts if waits else iter([chain.from_iterable(texts)])
        for window in windows:
            for found in _progress(translator.stream(window), quiet or waits or not console.is_terminal):
                notes.update(_kinds(found))
                out.write((json.dumps(found.as_json(), ensure_ascii=False) if as_json else found.text).encode() + b"\n")
            out.flush()
    for kind, count in notes.items():
        say(f"{kind}: {count:,} {'line' if count == 1 else 'lines'}")


def _translator(run: Path | None, beam: int | None, nbest: int, batch_tokens: int | None, quiet: bool) -> Translator:
    from nmt import load, runs

    if run is None:
        run = runs.newest_finished()
        speaker(quiet)(f"translating with {run}")
    given = {"beam": beam, "batch_tokens": batch_tokens}
    settings = {name: value for name, value in given.items() if value is not None}
    if nbest > 1 and beam is None:
        settings["beam"] = max(nbest, runs.Run(run).recipe.search.beam)
    try:
        return load(run, nbest=nbest, keep_weights=True, **settings)
    except InputFault:
        raise
    except ValueError as error:  # a constructor's words, which begin with the name of the setting
        raise InputFault(f"--{error}") from error


@contextmanager
def _source(path: Path | None, texts: list[str] | None) -> Iterator[tuple[Iterable[list[bytes]], bool]]:
    """Chunks of lines as they arrive, and whether somebody may be waiting for each of them."""
    if texts:
        yield [[" ".join(text.split("\n")).encode("utf8", "surrogateescape") for text in texts]], False
    elif path is None or str(path) == "-":
        stdin = sys.stdin.buffer
        yield lines.arriving(stdin), not stat.S_ISREG(os.fstat(stdin.fileno()).st_mode)
    else:
        with lines.opened(path) as stream:
            yield lines.arriving(stream), False


@contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
    elif path.is_dir():
        raise InputFault(f"--output: {path} is a folder; expected a file")
    elif path.exists() and not path.is_file():  # a device or a pipe is written to, not replaced
        with path.open("wb") as out:
            yield out
    else:
        with files.building(path) as out:
            yield out


def _texts(chunk: list[bytes], notes: Counter[str]) -> list[str]:
    decoded = [lines.decode(line) for line in chunk]
    if replaced := sum(bad for _, bad in decoded):
        notes["invalid UTF-8 was replaced"] += replaced
    return [text for text, _ in decoded]


def _kinds(found: Translation) -> list[str]:
    from nmt.warnings import kind

    return [kind(warning) for warning in found.warnings]


def _progress(found: Iterator[Translation], hidden: bool) -> Iterable[Translation]:
    if hidden:
        return found
    from rich.progress import track

    return track(found, description="translating", console=console, total=None)
