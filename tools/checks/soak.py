"""Memory during 10,000 translations and 2,000 updates: it does not grow."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from nmt.data.builtin import pairs
from tools.checks import process
from tools.checks.check import Trial
from tools.checks.toy import Toy, toys

EVERY = 0.02
"""Seconds between two measurements of a process's memory."""
WARMING = 0.4
"""Share of the measurements, from the beginning, in which caches may fill."""
LIMIT = 1.0
"""MB that memory may grow in 1,000 translations or updates."""
SENTENCES, LONGEST = 500, 12
"""Different sentences to translate, and most words of each."""
TRANSLATIONS_FOR_AN_UPDATE = 5


def trials(count: int) -> Iterator[Trial]:
    """``count`` translations and a fifth as many updates with each family."""
    with toys(("fp32",)) as models:
        for toy in models:
            updates = count // TRANSLATIONS_FOR_AN_UPDATE
            seldom = (f"training.{name}={updates}" for name in ("updates", "validate_every", "save_every"))
            yield _trial(toy, f"{updates:,} updates", updates, toy.start(*seldom))
            _write(toy.folder / "in.txt", count)
            command = ("translate", str(toy.run), "-i", "in.txt", "-o", "out.txt", "--beam", "5")
            yield _trial(toy, f"{count:,} translations", count, process.start(toy.folder, *command))
            shutil.rmtree(toy.run)


def _write(path: Path, count: int) -> None:
    short = (source for source, _ in pairs("valid") if source.count(" ") < LONGEST)
    path.write_text("".join(f"{line}\n" for line in islice(cycle(list(islice(short, SENTENCES))), count)), "utf8")


def _trial(toy: Toy, what: str, count: int, command: process.Process) -> Trial:
    seen = _watched(command)
    if status := process.wait(command):
        return Trial(f"{toy.name}: {what}", f"exit {status}: {' / '.join(toy.stderr_lines[-3:])}")
    slope = growth(np.array(seen), count)
    name = f"MB per 1,000 {what.split()[1]}"
    return Trial(f"{toy.name}: {what}", f"{name}: {slope:.2f}" if slope >= LIMIT else None, {name: slope})


def _watched(command: process.Process) -> list[float]:
    """Resident megabytes of a process at regular intervals until it ends, without pages mapped from files."""
    seen: list[float] = []
    while command.is_alive():
        fields = Path(f"/proc/{command.pid}/statm").read_text().split()
        seen.append((int(fields[1]) - int(fields[2])) * resource.getpagesize() / 1e6)
        command.join(EVERY)
    return seen[:-1]  # the last measurement may be of a process that is ending


def growth(megabytes: np.ndarray, count: int) -> float:
    """Growth in MB per 1,000 of ``count`` evenly paced steps, by least squares over measurements after warming up."""
    kept = megabytes[int(WARMING * len(megabytes)) :]
    return float(np.polyfit(np.arange(len(kept)), kept, 1)[0]) * len(megabytes) / count * 1000
