"""`nmt translate`: one output line for each input line, in order, or a document in its own format."""

from __future__ import annotations

import os
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, NamedTuple

import typer

from nmt import atomic, printable
from nmt.cli import completion
from nmt.cli.meter import Sizes, shown
from nmt.cli.options import Demo, Device, Precision, Protect, Quiet, Split
from nmt.cli.output import check_folder, console, logger, option_errors
from nmt.cli.run_choice import open_run
from nmt.data import lines
from nmt.errors import UserError

if TYPE_CHECKING:
    from nmt.documents.document import Document
    from nmt.inference.translator import Translation, Translator
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
        Path | None,
        typer.Option("-i", "--input", help="A text or a document to translate, plain or gz; by default stdin."),
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
        typer.Option(
            "--engine", help="auto uses the export of the run if you made one here; ctranslate2 any that it has."
        ),
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Number of parallel processes with one thread each.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Translate stdin, a file or texts.

    Each input line gives one output line. Lines are split into sentences, which are translated one by one and put
    together again; blank lines and lines without letters stay as they are.

    Files that end in .html, .htm, .md, .markdown, .srt or .po are documents: their text is translated, their tags,
    code, times and keys are kept. What is no text is refused.

    Examples:

      nmt translate --demo --text 'Die Frau liest ein Buch im Garten.'

      nmt translate runs/de-en --text 'Ein Hund läuft.'

      nmt translate runs/de-en -i letter.de.txt -o letter.en.txt

      nmt translate runs/de-en -i page.de.html -o page.en.html

      nmt translate runs/de-en --workers 2 -i book.de.txt -o book.en.txt

      tail -f log.de | nmt translate
    """
    if nbest > 1 and not as_json:
        raise UserError(
            "--nbest: alternatives are given with --json only, so that plain output keeps one line for one line"
        )
    if text and input:
        raise UserError("--text and --input: expected one of them")
    document = _document(input, output, as_json)
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
            search=_search(opened, beam, nbest, keep_weights=as_json or document is not None),
            batch_tokens=batch_tokens,
            split=split,
            protect=protect,
            log=say,
        )
    hidden = quiet or not console.is_terminal
    with translator, _target(output) as out:
        if document is not None:
            _translate_document(translator, document, out, notes, hidden)
        else:
            with _source(input, text) as source:
                _translate_lines(translator, source, out, notes, _json if as_json else _plain, hidden)
    unit = "line" if document is None else "block"
    for kind, count in notes.items():
        say(f"{kind}: {count:,} {unit}{'s' * (count != 1)}")


def _search(run: Run, beam: int | None, nbest: int, *, keep_weights: bool) -> SearchSettings:
    if nbest > 1 and beam is None:
        beam = max(nbest, run.recipe.search.beam)
    return run.search_settings(beam=beam, nbest=nbest, keep_weights=keep_weights)


def _document(path: Path | None, output: Path | None, as_json: bool) -> Document | None:
    """The document of a file that is one by its ending; None for lines."""
    from nmt.documents import formats

    if path is None or not (ending := formats.ending_of(str(path))):
        return None
    if as_json:
        raise UserError(f"--json: {path} is translated as a document, in its own format; leave --json out")
    if output is not None:
        formats.check_output(ending, output)
    with lines.opened(path) as file:
        return formats.open_document(str(path), ending, file.read())


def _translate_document(
    translator: Translator, document: Document, out: BinaryIO, notes: Counter[str], hidden: bool
) -> None:
    sizes = list(map(len, document.blocks))
    found = list(shown(translator.stream(document.blocks), Sizes(sum(sizes), sizes), "blocks", hidden))
    for each in found:
        notes.update(_kinds(each))
    out.write(document.rebuilt(found).encode())


class _Source(NamedTuple):
    chunks: Iterable[list[bytes]]
    """Lines as they arrive."""
    waits: bool
    """Whether each chunk should be translated at once (a pipe or a terminal)."""
    name: str
    size: int | None = None
    """Bytes of a file that is not compressed."""


def _translate_lines(
    translator: Translator,
    source: _Source,
    out: BinaryIO,
    notes: Counter[str],
    spelled: Callable[[Translation], str],
    hidden: bool,
) -> None:
    sizes = Sizes(source.size)
    texts = (_texts(chunk, notes, sizes) for chunk in _checked(source))
    for window in texts if source.waits else iter([chain.from_iterable(texts)]):
        for found in shown(translator.stream(window), sizes, "lines", hidden or source.waits):
            notes.update(_kinds(found))
            out.write(spelled(found).encode() + b"\n")
        out.flush()


def _plain(found: Translation) -> str:
    return printable.without_controls(found.text)


def _json(found: Translation) -> str:
    return printable.dumps(found.as_json())


@contextmanager
def _source(path: Path | None, texts: list[str] | None) -> Iterator[_Source]:
    if texts:
        yield _Source([[text.encode("utf8", "surrogateescape") for text in texts]], False, "--text")
    elif path is None or str(path) == "-":
        if sys.stdin is None:  # closed by the parent process
            raise UserError("standard input is closed; name a file with --input, or give texts with --text")
        stdin = sys.stdin.buffer
        waits = not stat.S_ISREG(os.fstat(stdin.fileno()).st_mode)
        yield _Source(lines.arriving(stdin), waits, "standard input")
    else:
        with lines.opened(path) as stream:
            size = path.stat().st_size if stream.name == str(path) and path.is_file() else None
            yield _Source(lines.arriving(stream, str(path)), False, str(path), size)


def _checked(source: _Source) -> Iterator[list[bytes]]:
    """The chunks; a `UserError` as soon as one is no text."""
    from nmt.documents import formats

    number = 0
    for chunk in source.chunks:
        formats.check_lines(source.name, chunk, number)
        number += len(chunk)
        yield chunk


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


def _texts(chunk: list[bytes], notes: Counter[str], sizes: Sizes) -> list[str]:
    decoded = [lines.decode(line) for line in chunk]
    if replaced := sum(bad for _, bad in decoded):
        notes["invalid UTF-8 was replaced"] += replaced
    sizes.waiting.extend(len(line) + 1 for line in chunk)
    return [text for text, _ in decoded]


def _kinds(found: Translation) -> list[str]:
    from nmt.inference.diagnostics import kind

    return [kind(warning) for warning in found.warnings]
