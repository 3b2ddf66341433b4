"""The same seed in new processes, with other string hashes and 0, 1, 2 and 4 loaders: the same run, to the bit."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.checks.check import Trial
from tools.checks.outcome import difference, outcome
from tools.checks.toy import Toy, toys

ROOT = Path(__file__).parents[2]
LOADERS = (0, 1, 2, 4)


def trials(count: int) -> Iterator[Trial]:
    """One training each, of all models in turn, with another number of loaders in each round."""
    with toys() as models:
        for number in range(count):
            yield _trial(
                models[number % len(models)], str(number), LOADERS[(number // len(models) + number) % len(LOADERS)]
            )


def _trial(toy: Toy, hashes: str, loaders: int) -> Trial:
    shutil.rmtree(toy.run, ignore_errors=True)
    environment = {**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nmt", "train", "toy.yaml", f"training.loaders={loaders}", "--run", str(toy.run)]
    done = subprocess.run(command, cwd=toy.folder, env=environment, stderr=subprocess.PIPE, text=True, check=False)
    tried = f"{toy.name} with PYTHONHASHSEED={hashes} and {loaders} loaders"
    return Trial(tried, done.stderr[-300:] if done.returncode else difference(outcome(toy.run), toy.whole))
