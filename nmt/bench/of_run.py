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

from nmt.bench import searches, updates
from nmt.export import engines
from nmt.faults import RunFault
from nmt.runs import Run
from nmt.training import hardware
from nmt.training.batches import Batches, Encoded
from nmt.workers import Workers

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
        Encoded([vocabulary.encode(line) for line in lines]) for vocabulary, lines in zip(run.vocabularies, (text.source, text.target), strict=True)
    )
    batches = Batches(*sides, seed=0, batch_tokens=run.recipe.training.batch_tokens)
    device = hardware.device(run.recipe.training.device)
    sizes, vocabulary = run.recipe.model.model_dump(), len(run.vocabularies[1])
    found = updates.measure(run.fresh_model(), sizes, vocabulary, batches, device=device, precision=precision, updates=count)
    return {"work": "train", "precision": precision, **found.as_json()}


def start(path: Path, line: str) -> dict[str, Any]:
    """Seconds from the command to the translation of one line, and to the help, which loads no model: the best of a few."""
    commands = {"help_seconds": ["--help"], "first_translation_seconds": ["translate", str(path), "--engine", "torch", "-q", "--text", line]}
    return {"work": "start", **{name: min(_seconds(command) for _ in range(STARTS)) for name, command in commands.items()}}


def _seconds(command: Sequence[str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "nmt", *command], capture_output=True, text=True)
    if done.returncode:
        raise RunFault(f"nmt {shlex.join(command)}: ended with status {done.returncode}: {done.stderr.strip()[-200:]}")
    return time.perf_counter() - begun


def translate(path: Path, text: Text, engine: str, workers: int | None, threads: int, beam: int) -> dict[str, Any]:
    """Translates the text by an engine: in one process, or by workers of one thread each."""
    run, search = Run(path), {"beam": beam, "keep_weights": False}
    export = engines.usable(run, engine, lambda _: None)
    if export is None and workers is not None:
        with Workers(workers, path, search) as several:
            found = searches.translate(several, text.source)
    else:
        found = searches.translate(engines.translator(run, export, workers=workers or 1, **search), text.source)
    cores = workers or threads
    cores_for_all = PUBLISHED / DAY / (found.lines / found.seconds / cores)
    name = "torch" if export is None else f"CTranslate2 {export.quantization}"
    return {"work": "translate", "engine": name, "beam": beam, "cores": cores, **found.as_json(), "cores_for_4.5_billion_a_day": cores_for_all}
