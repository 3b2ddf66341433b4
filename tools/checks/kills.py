"""Training is killed at random moments, half of them inside a save; the same command then ends with the same result."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from nmt import atomic
from nmt.runs import run_folder
from nmt.runs.run_folder import Run
from nmt.training import checkpoints
from tools.checks.check import Trial
from tools.checks.moments import Range, strike
from tools.checks.process import wait
from tools.checks.toy import Toy, toys

LINES = {
    "nmt.training.checkpoints": 2000,
    "nmt.atomic": 1000,
    "nmt.unfinished": 2000,
    "nmt.models.weights": 1000,
    "torch.serialization": 20_000,
    "shutil": 2000,
}
"""The modules of a save, each with more lines than one training executes; a kill is aimed at one of these lines."""
SECONDS = 10
"""More than one training takes."""
KILLED = -signal.SIGKILL


class Killer:
    """Kills training at random moments."""

    def __init__(self) -> None:
        self.ranges: dict[str, Range] = {"": Range(SECONDS)}

    def kill(self, toy: Toy, aimed: bool, rng: random.Random) -> str | None:
        """Trains until the kill and returns where it was; None if training had ended before."""
        return self._in_a_save(toy, rng) if aimed else self._at_any_time(toy, rng)

    def _in_a_save(self, toy: Toy, rng: random.Random) -> str | None:
        place = rng.choice(list(LINES))
        found = self.ranges.setdefault(f"{toy.name} {place}", Range(LINES[place]))
        line = 1 + int(found.draw(rng))
        if toy.train(prelude=strike(place, line, signal.SIGKILL)) == KILLED:
            return f"at line {line} executed in {place}"
        found.missed(line)
        return None

    def _at_any_time(self, toy: Toy, rng: random.Random) -> str | None:
        moment, began = self.ranges[""].draw(rng), time.monotonic()
        command = toy.start()
        command.join(moment)
        command.kill()
        if wait(command) == KILLED:
            return f"after {moment:.3f} s"
        self.ranges[""].missed(time.monotonic() - began)
        return None


def trials(count: int) -> Iterator[Trial]:
    """Each trial kills a training, kills it again if the second kill comes in time, and continues it to its end."""
    killer = Killer()
    with toys() as models:
        for number in range(count):
            yield _trial(
                models[number % len(models)], killer, number // len(models) % 2 == 0, random.Random(f"kill {number}")
            )


def _trial(toy: Toy, killer: Killer, aimed: bool, rng: random.Random) -> Trial:
    kept, struck = _beside(toy), None
    while struck is None:
        shutil.rmtree(toy.run, ignore_errors=True)
        struck = killer.kill(toy, aimed, rng)
    found = unreadable(toy.run)
    again = killer.kill(toy, aimed, rng)
    tried = f"{toy.name}: killed {struck}" + (f", then {again}" if again else "")
    fault = found or unreadable(toy.run) or toy.continued()
    gone = [path.parent.name for path in kept if not path.exists()]
    return Trial(tried, fault or (f"deleted beside the run: {', '.join(gone)}" if gone else None))


def _beside(toy: Toy) -> list[Path]:
    """Files of the user in folders beside the run, with names like its own."""
    paths = [toy.run.with_name(f".{toy.run.name}{end}") / "precious.txt" for end in (".1", ".2026-11-25", ".77.old")]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return paths


def unreadable(folder: Path) -> str | None:
    """What cannot be read in a run folder after a kill, or None; a run killed before its start has no folder."""
    if not folder.exists():
        return None
    try:
        found = Run(folder)
        _ = (
            found.recipe,
            found.metadata,
            found.vocabularies,
            found.outcome,
            atomic.read_records(folder / run_folder.METRICS),
        )
        if (folder / run_folder.WEIGHTS).exists():
            found.model()
    except Exception as error:  # any exception is a fault
        return f"unreadable: {error}"
    faults = [
        f"{path.name}: {fault}"
        for path in checkpoints.steps(folder / run_folder.CHECKPOINTS).values()
        if (fault := checkpoints.damage(path))
    ]
    return "; ".join(faults) or None
