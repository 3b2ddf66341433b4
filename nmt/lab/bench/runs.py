"""Benchmarks of a run folder: its model in training, its translations by every engine, and the start of a command."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.atomic import JsonObject
from nmt.data.batches import Batches, TokenIds
from nmt.errors import RunError
from nmt.inference.open import Engine, find_export, open_translator, silent
from nmt.lab.bench import decoding, training
from nmt.models.device import find_device
from nmt.runs.run_folder import Run

SECONDS_PER_DAY = 86_400
STARTS = 3
"""How often a command is started; the fastest start counts."""
PUBLISHED = 4.5e9
"""Translations per day, as published for a recurrent system."""


@dataclass(frozen=True)
class Text:
    """Sentence pairs to train on and to translate."""

    source: Sequence[str]
    target: Sequence[str]


def train(path: Path, text: Text, device: str, precision: str, updates: int) -> JsonObject:
    """Times updates on the text, in batches of the run's size; the run is not changed."""
    run = Run(path)
    sides = (
        TokenIds([vocabulary.encode(line) for line in lines])
        for vocabulary, lines in zip(run.vocabularies, (text.source, text.target), strict=True)
    )
    found = training.measure(
        run.fresh_model(),
        Batches(*sides, seed=0, batch_tokens=run.recipe.training.batch_tokens),
        device=find_device(device),
        precision=precision,
        updates=updates,
    )
    return {"work": "train", "precision": precision, **found.as_json()}


def start(path: Path, line: str) -> JsonObject:
    """Seconds until the help is printed, which loads no model, and until one line is translated."""
    translate = ["translate", str(path), "--engine", "torch", "-q", "--text", line]
    commands = {"help_seconds": ["--help"], "first_translation_seconds": translate}
    fastest = {name: min(_seconds(command) for _ in range(STARTS)) for name, command in commands.items()}
    return {"work": "start", **fastest}


def _seconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "nmt", *command], capture_output=True, text=True)
    if done.returncode:
        raise RunError(f"nmt {shlex.join(command)}: ended with status {done.returncode}: {done.stderr.strip()[-200:]}")
    return time.perf_counter() - begun


def translate(
    path: Path, text: Text, engine: Engine, device: str, workers: int | None, threads: int, beam: int, precision: str
) -> JsonObject:
    """Times the translation of the text in one process, or by ``workers`` of one thread each.

    An export has a precision of its own, so ``precision`` is empty for one.
    """
    run = Run(path)
    search = run.search_settings(beam=beam)
    with open_translator(
        run, engine, device=device, workers=workers, precision=precision or None, search=search, split="never"
    ) as translator:
        found = decoding.translate(translator, text.source)
    cores = workers or threads
    export = find_export(run, engine, silent)
    return {
        "work": "translate",
        **(
            {"engine": f"CTranslate2 {export.description.quantization}"}
            if export
            else {"engine": "torch", "precision": precision}
        ),
        "beam": beam,
        "cores": cores,
        **found.as_json(),
        "cores_for_4.5_billion_a_day": PUBLISHED / SECONDS_PER_DAY / (found.lines / found.seconds / cores),
    }


def claims(path: Path, rows: Sequence[JsonObject]) -> list[dict[str, str]]:
    """The verdict on the published number of translations per day, which concerns recurrent models only."""
    run = Run(path)
    translated = [row for row in rows if row["work"] == "translate"]
    if not run.description.recurrent or not translated:
        return []
    best = min(translated, key=lambda row: float(row["cores_for_4.5_billion_a_day"]))
    rate, cores = best["lines_per_second"] / best["cores"], best["cores_for_4.5_billion_a_day"]
    number = (
        f"a model of {run.metadata.decided.parameters / 1e6:.1f} M parameters translates {rate:.1f} sentences a second "
        f"and core (beam {best['beam']}, {best.get('precision', best['engine'])}): {cores:,.0f} such cores for "
        "4.5 billion a day; what ran there is history"
    )
    return [{"id": "E5", "number": number, "verdict": "holds under conditions"}]
