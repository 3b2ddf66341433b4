"""The same seed in fresh interpreters, whose hashes of text differ: the same weights, for all families in fp32 and bf16."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.checks.check import Check, Trial, run
from tools.checks.outcome import difference, outcome
from tools.checks.toy import Toy, toys

ROOT = Path(__file__).parents[2]


def trials(count: int) -> Iterator[Trial]:
    """One more training each, of all models in turn."""
    with toys() as models:
        for number in range(count):
            yield _trial(models[number % len(models)], str(number))


def _trial(toy: Toy, hashes: str) -> Trial:
    shutil.rmtree(toy.run, ignore_errors=True)
    environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nmt", "train", "toy.yaml", "--run", str(toy.run)]
    done = subprocess.run(command, cwd=toy.folder, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    tried = f"{toy.name} with PYTHONHASHSEED={hashes}"
    return Trial(tried, done.stderr[-300:] if done.returncode else difference(outcome(toy.run), toy.whole))


CHECK = Check(
    number=6,
    name="seeds",
    promise="The same seed gives the same run, to the bit, in every fresh process: weights, optimizer and metrics.",
    held="identical",
    full=12,
    trials=trials,
)

if __name__ == "__main__":
    run(CHECK)
