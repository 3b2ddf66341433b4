"""Signals to a child process at an exact moment: before the n-th line executed in a module, or after an update."""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from nmt.data.batches import Batch
from nmt.training.loop import Training
from tools.checks.process import Prelude

SENT = Path("sent.txt")
"""In the folder of the process: the last update that had begun when the signal was sent, 0 before the first."""


def strike(place: str, line: int, number: signal.Signals) -> Prelude:
    """A prelude of `process.start` that sends the signal before the ``line``-th line executed in a module."""
    return partial(_strike, place, line, number)


def _strike(place: str, line: int, number: signal.Signals) -> None:
    file, left = importlib.import_module(place).__file__, line
    begun = _count_updates()

    def enter(frame: FrameType, event: str, value: Any) -> Any:
        return step if frame.f_code.co_filename == file else None

    def step(frame: FrameType, event: str, value: Any) -> Any:
        nonlocal left
        left -= event == "line"
        if left == 0 and event == "line":
            sys.settrace(None)
            SENT.write_text(str(begun[-1] if begun else 0))
            os.kill(os.getpid(), number)
        return step

    sys.settrace(enter)


def in_update(update: int, number: signal.Signals) -> Prelude:
    """A prelude of `process.start` that sends the signal directly after an update."""
    return partial(_in_update, update, number)


def _in_update(update: int, number: signal.Signals) -> None:
    def act(training: Training, make: Callable[[], None]) -> None:
        make()
        if training.progress.update == update:
            os.kill(os.getpid(), number)

    around_updates(act)


def around_updates(act: Callable[[Training, Callable[[], None]], None]) -> None:
    """Replaces every update in this process by ``act``, called with the training and a function that updates."""
    update = Training.update

    def acting(training: Training, batches: list[Batch]) -> None:
        act(training, lambda: update(training, batches))

    Training.update = acting  # type: ignore[method-assign,assignment]


def _count_updates() -> list[int]:
    """A list to which the number of every update is appended when it begins."""
    begun: list[int] = []

    def act(training: Training, make: Callable[[], None]) -> None:
        begun.append(training.progress.update + 1)
        make()

    around_updates(act)
    return begun


class Range:
    """Uniform random moments between 0 and the end of a process, which is estimated from moments that came too late."""

    def __init__(self, end: float) -> None:
        self.end = end

    def draw(self, rng: random.Random) -> float:
        """A random moment."""
        return rng.uniform(0, self.end)

    def missed(self, moment: float) -> None:
        """Lowers the end to a moment at which the process was over."""
        self.end = min(self.end, moment)
