"""A run folder measured: its model in training, and its translations by every engine it has."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nmt.data.batches import Batches, TokenIds
from nmt.errors import RunError
from nmt.inference.open import Engine, find_export, open_translator, silent
from nmt.lab.bench import searches, updates
from nmt.models.device import find_device
from nmt.runs.run_folder import Run

DAY = 86_400
STARTS = 3
"""How often a command is started, of which the quickest counts."""
PUBLISHED = 4.5e9
"""Translations a day that were once published for a recurrent system."""


@dataclass(frozen=True)
class Text:
    """Sentence pairs to train on and to translate."""

    source: Sequence[str]
    target: Sequence[str]


def train(path: Path, text: Text, precision: str, count: int) -> dict[str, Any]:
    """Updates on the text, in batches of the run's size; the run itself is not touched."""
    run = Run(path)
    sides = (
        TokenIds([vocabulary.encode(line) for line in lines])
        for vocabulary, lines in zip(run.vocabularies, (text.source, text.target), strict=True)
    )
    batches = Batches(*sides, seed=0, batch_tokens=run.recipe.training.batch_tokens)
    device = find_device(run.recipe.training.device)
    sizes, vocabulary = run.recipe.model.model_dump(), len(run.vocabularies[1])
    found = updates.measure(
        run.fresh_model(), sizes, vocabulary, batches, device=device, precision=precision, updates=count
    )
    return {"work": "train", "precision": precision, **found.as_json()}


def start(path: Path, line: str) -> dict[str, Any]:
    """Seconds from the command to the translation of one line, and to the help, which loads no model: the best of a few."""
    commands = {
        "help_seconds": ["--help"],
        "first_translation_seconds": ["translate", str(path), "--engine", "torch", "-q", "--text", line],
    }
    return {
        "work": "start",
        **{name: min(_seconds(command) for _ in range(STARTS)) for name, command in commands.items()},
    }


def _seconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "nmt", *command], capture_output=True, text=True)
    if done.returncode:
        raise RunError(f"nmt {shlex.join(command)}: ended with status {done.returncode}: {done.stderr.strip()[-200:]}")
    return time.perf_counter() - begun


def translate(
    path: Path, text: Text, engine: Engine, workers: int | None, threads: int, beam: int, precision: str
) -> dict[str, Any]:
    """Translates the text by an engine: in one process, or by workers of one thread each. An export has a precision of its own."""
    run = Run(path)
    translator = open_translator(
        run,
        engine,
        device="cpu",
        workers=workers,
        precision=precision or None,
        search=run.search_settings(beam=beam),
    )
    with translator:
        found = searches.translate(translator, text.source)
    cores = workers or threads
    cores_for_all = PUBLISHED / DAY / (found.lines / found.seconds / cores)
    export = find_export(run, engine, silent)
    named = {"engine": f"CTranslate2 {export.quantization}"} if export else {"engine": "torch", "precision": precision}
    return {
        "work": "translate",
        **named,
        "beam": beam,
        "cores": cores,
        **found.as_json(),
        "cores_for_4.5_billion_a_day": cores_for_all,
    }


def claims(path: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """What the rates of a recurrent model say of the story's claim; those of another family say nothing of it."""
    run = Run(path)
    translated = [row for row in rows if row["work"] == "translate"]
    if not run.description.recurrent or not translated:
        return []
    best = min(translated, key=lambda row: row["cores_for_4.5_billion_a_day"])
    rate, cores = best["lines_per_second"] / best["cores"], best["cores_for_4.5_billion_a_day"]
    number = (
        f"a model of {run.metadata.decided.parameters / 1e6:.1f} M parameters translates {rate:.1f} sentences a second and core "
        f"(beam {best['beam']}, {best.get('precision', best['engine'])}): {cores:,.0f} such cores for 4.5 billion a day; what ran there is history"
    )
    return [{"id": "E5", "number": number, "verdict": "holds under conditions"}]
