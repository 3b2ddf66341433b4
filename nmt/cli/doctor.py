"""`nmt doctor`: what this installation has to work with, and whether a model translates a sentence alike in any company."""

from __future__ import annotations

import platform
from importlib import metadata
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.cli.output import console, logger, print_json
from nmt.errors import UserError

PACKAGES = (
    "nmt-recipes",
    "torch",
    "sentencepiece",
    "sacrebleu",
    "datasets",
    "typer",
    "pydantic",
    "ruamel.yaml",
    "safetensors",
)
EXTRAS = {"plot": "matplotlib", "tensorboard": "tensorboard", "ct2": "ctranslate2", "serve": "fastapi", "lid": "lingua"}
"""Extras of this package, and the module that tells whether each is there."""
HUB_DATASET = "bentrevett/multi30k"


SENTENCES = 200
DIFFERENCE = 1e-4
"""Nats by which the score of another text may differ: rounding, where two translations are as good as each other."""


def doctor(
    run: Annotated[
        Path | None, typer.Argument(help="A run folder or a bundle to be examined; by default the installation is.")
    ] = None,
    input: Annotated[
        Path | None,
        typer.Option("-i", "--input", help="With a run: lines to translate, by default of the built-in corpus."),
    ] = None,
    sentences: Annotated[int, typer.Option("--sentences", min=2, help="With a run: how many lines.")] = SENTENCES,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors besides the report.")] = False,
) -> None:
    """Print versions, threads, devices, extras, and whether the Hugging Face Hub answers.

    With a run: translate sentences alone and in mixed batches of 2 to 64, and compare. Exit status 1 if more than one text in a thousand
    differs, or one by more than rounding explains.

    Examples:

      nmt doctor

      nmt doctor runs/de-en -i letter.de.txt
    """
    if run is not None:
        found = _batches(run, input, sentences, quiet)
    elif input is not None:
        raise UserError("--input: expected with a run only: nmt doctor RUN --input FILE")
    else:
        found = {"python": platform.python_version(), **_versions(), **_machine(), "extras": _extras(), "hub": _hub()}
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            print(
                f"{name:<16}{value if not isinstance(value, dict) else ', '.join(f'{key}: {each}' for key, each in value.items())}"
            )
    raise typer.Exit(0 if found.get("sound", True) else 1)


def _batches(path: Path, input: Path | None, count: int, quiet: bool) -> dict[str, Any]:
    """What became of sentences alone and in company."""
    from rich.progress import track

    from nmt.evaluation import batching
    from nmt.inference.open import open_translator

    sentences, translator = _sentences(path, input, count), open_translator(path, "torch", device="cpu")
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
            f"text {number}": f"{pair.alone.source!r}: {pair.alone.text!r} alone, {pair.together.text!r} beside {pair.beside} others"
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


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


def _machine() -> dict[str, Any]:
    import torch

    from nmt import provenance
    from nmt.models.device import find_device, resolve_precision

    device = find_device("auto")
    return {
        **provenance.machine(),
        "threads": torch.get_num_threads(),
        "device": device.type,
        "precision": resolve_precision("auto", device),
    }


def _extras() -> dict[str, str]:
    return {
        name: "there" if find_spec(module) else f"missing: pip install 'nmt-recipes[{name}]'"
        for name, module in EXTRAS.items()
    }


def _hub() -> str:
    from nmt.data import hub

    try:
        hub.probe(HUB_DATASET, None)
    except (hub.UnreachableError, UserError) as reason:
        return f"does not answer ({reason})"
    return "answers"
