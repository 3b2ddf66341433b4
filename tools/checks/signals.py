"""SIGTERM, SIGINT and SIGUSR1 in training, validation and saving: the documented exit, then the same result. SIGTERM
and SIGHUP while a file is translated: the documented exit, and nothing left.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator

from nmt.runs import run_folder
from nmt.training import checkpoints
from tools.checks import process
from tools.checks.check import Trial
from tools.checks.moments import SENT, Range, strike
from tools.checks.toy import UPDATES, Toy, toys

PLACES = {
    "training": ("nmt.training.loop", "nmt.data.batches", "nmt.training.objective", "nmt.training.step"),
    "validating": ("nmt.training.validation", "nmt.search", "nmt.inference.translator"),
    "saving": ("nmt.training.checkpoints", "nmt.models.weights", "torch.serialization"),
}
"""Phases of training and the modules that run in them: the signal comes between two lines of one of these."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
UNFINISHED = ".out.txt.nmt-*"
ENDING = (signal.SIGTERM, signal.SIGHUP)
LINES = 2000
"""More lines than one training executes in most of these modules."""


def trials(count: int) -> Iterator[Trial]:
    """Every signal in every phase in turn, at a random line; every fifth trial ends a translation instead."""
    ranges: dict[str, Range] = {}
    pairs = [(number, phase) for phase in PLACES for number in SIGNALS]
    with toys() as models:
        for turn in range(count):
            if turn % 5 == 4:
                yield _translating(models[turn % len(models)], ENDING[turn // 5 % 2], random.Random(f"signal {turn}"))
                continue
            number, phase = pairs[turn % len(pairs)]
            yield _trial(models[turn % len(models)], number, phase, ranges, random.Random(f"signal {turn}"))


def _trial(toy: Toy, number: signal.Signals, phase: str, ranges: dict[str, Range], rng: random.Random) -> Trial:
    while True:
        place = rng.choice(PLACES[phase])
        found = ranges.setdefault(f"{toy.name} {place}", Range(LINES))
        shutil.rmtree(toy.run, ignore_errors=True)
        (toy.folder / SENT).unlink(missing_ok=True)
        line = 1 + int(found.draw(rng))
        status = toy.train(prelude=strike(place, line, number))
        if not (toy.folder / SENT).exists():
            found.missed(line)
        elif _begun(toy) > 0:  # before the first update, a signal has its default effect
            break
    tried = f"{toy.name}: {number.name} in {phase}, at line {line} executed in {place}"
    return Trial(tried, _unlike_documented(toy, number, status) or toy.continued())


def _translating(toy: Toy, number: signal.Signals, rng: random.Random) -> Trial:
    """Ends a translation after a random part of its work; a file that it would replace must stay as it is."""
    _ = toy.whole
    out = toy.folder / "out.txt"
    out.write_text("what was there before\n")
    (toy.folder / "in.txt").write_text("Der Hund schläft.\n" * 2000)
    command = process.start(toy.folder, "translate", "whole", "-i", "in.txt", "-o", out.name)
    while command.is_alive() and not list(toy.folder.glob(UNFINISHED)):
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.5))
    if command.is_alive() and command.pid is not None:
        os.kill(command.pid, number)
    status = process.wait(command)
    left = [path.name for path in toy.folder.glob(UNFINISHED)]
    fault = f"left over: {', '.join(left)}" if left else None
    if status != 0 and (status != 128 + number or out.read_text() != "what was there before\n"):
        fault = f"exit {status}, output {out.read_text()[:40]!r}"
    return Trial(f"{toy.name}: {number.name} while a file is translated, exit {status}", fault)


def _unlike_documented(toy: Toy, number: signal.Signals, status: int) -> str | None:
    """How the exit after a signal differs from the documented one, or None.

    Documented: 128 + signal number within one update and one save, or 0 if training was over.
    """
    begun = _begun(toy)
    if status == 0 and begun == UPDATES and (toy.run / run_folder.OUTCOME).exists():
        return None
    if status != 128 + number:
        return f"exit {status}: {' / '.join(toy.stderr_lines[-3:])}"
    saved = max(checkpoints.steps(toy.run / run_folder.CHECKPOINTS))
    documented = f"stopped at update {saved}; everything is saved, the same command continues"
    return (
        None
        if saved in (begun, begun + 1) and toy.stderr_lines[-1] == documented
        else f"signalled in update {begun}, saved {saved}: {toy.stderr_lines[-1]}"
    )


def _begun(toy: Toy) -> int:
    """The last update that had begun when the signal came."""
    return int((toy.folder / SENT).read_text())
