"""`nmt check-batching`: translations of sentences alone compared with translations in batches."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from nmt.atomic import JsonObject
from nmt.cli.options import AsJson, Device, Quiet, RunOrBundle
from nmt.cli.output import console, logger, print_json, print_values
from nmt.errors import UserError

SENTENCES = 200
DIFFERENCE = 1e-4
"""Largest difference of scores, in nats, between differing texts that are equally probable up to rounding."""


def check_batching(
    run: RunOrBundle,
    input: Annotated[
        Path | None, typer.Option("-i", "--input", help="Lines to translate; by default those of the built-in corpus.")
    ] = None,
    sentences: Annotated[int, typer.Option("--sentences", min=2, help="Number of lines.")] = SENTENCES,
    as_json: AsJson = False,
    device: Device = "cpu",
    quiet: Quiet = False,
) -> None:
    """Translate sentences alone and in mixed batches of 2 to 64, and compare.

    Exit status 1 if more than one text in a thousand differs, or one by more than rounding explains.

    Example: nmt check-batching runs/de-en -i letter.de.txt
    """
    found = _compare(run, input, sentences, device, quiet)
    if as_json:
        print_json(found)
    else:
        print_values(found)
    raise typer.Exit(0 if found["sound"] else 1)


def _compare(path: Path, input: Path | None, count: int, device: str, quiet: bool) -> JsonObject:
    from rich.progress import track

    from nmt.inference.open import open_translator
    from nmt.lab.bench import batching

    sentences, translator = _sentences(path, input, count), open_translator(path, "torch", device=device, split="never")
    logger(quiet)(f"{path}: translating {len(sentences):,} sentences alone and in mixed batches")
    found = track(
        batching.pairs(translator, sentences),
        "comparing",
        len(sentences),
        console=console,
        disable=quiet or not console.is_terminal,
    )
    pairs = list(found)
    differing = [pair for pair in pairs if not pair.same]
    largest = max(pair.difference for pair in pairs)
    sound = 1000 * len(differing) <= len(pairs) and all(pair.difference < DIFFERENCE for pair in differing)
    return {
        "run": str(path),
        "sentences": len(pairs),
        "same text": len(pairs) - len(differing),
        "score": f"differs by at most {largest:.2g} nats",
        **{
            f"text {number}": f"{pair.alone.source!r}: {pair.alone.text!r} alone, "
            f"{pair.together.text!r} beside {pair.beside} others"
            for number, pair in enumerate(differing[:3], 1)
        },
        "sound": sound,
    }


def _sentences(path: Path, input: Path | None, count: int) -> list[str]:
    from nmt.data import lines
    from nmt.runs.run_folder import Run

    if input is not None:
        found = [line for line in lines.read(input, "replace").text if line.strip()][:count]
    else:
        from nmt.data.builtin import LANGUAGES, pairs

        source = Run(path).recipe.data.source
        if source not in LANGUAGES:
            raise UserError(
                f"{path}: it translates from {source!r}, of which there is no built-in text; give lines: --input FILE"
            )
        found = [pair[LANGUAGES.index(source)] for pair in islice(pairs("test", count=count), count)]
    if len(found) < 2:
        raise UserError(f"{input}: expected at least 2 lines that are not blank, found {len(found)}")
    return found
