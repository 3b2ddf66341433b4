"""Run folders as far as evaluation reads them, and a translator that is not trained."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from nmt.errors import RunError
from nmt.evaluation.evaluate import Decoding, Translate
from nmt.runs.run_folder import FORMAT, Run

LENGTHS = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
METADATA = {"format": FORMAT, "corpus": {"fallback": None}, "lengths": {"source": LENGTHS, "target": LENGTHS}}
OUTCOME = {"update": 1, "best": 1.0, "best_update": 1}
Calls = list[tuple[str, int, int]]


def make_run(path: Path, *, seed: int = 1, target: str = "en", recipe: str = "", finished: bool = True) -> Run:
    """A run whose weights are its path."""
    path.mkdir(parents=True)
    (path / "model.safetensors").write_text(f"weights of {path}")
    (path / "run.json").write_text(json.dumps(METADATA))
    (path / "recipe.yaml").write_text(
        f"data: {{corpus: builtin, source: de, target: {target}}}\ntraining: {{updates: 1, seed: {seed}}}\n{recipe}"
    )
    if finished:
        (path / "outcome.json").write_text(json.dumps(OUTCOME))
    return Run(path)


def opener(calls: Calls) -> Callable[[Run, Decoding], Translate]:
    """Opens a translator that says the same of everything, and notes each call: run, beam and number of sentences. It
    fails for a run with a file ``broken``."""

    def open_run(run: Run, decoding: Decoding) -> Translate:
        def translate(sentences: list[str]) -> list[str]:
            calls.append((run.path.name, decoding.search.beam, len(sentences)))
            if (run.path / "broken").exists():
                raise RunError("the model cannot be loaded")
            return [f"a dog runs in the {run.path.name}"] * len(sentences)

        return translate

    return open_run
