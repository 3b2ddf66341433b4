"""Signals that end a command: it removes what it has begun to write, then exits with 128 + the number of the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C is not among them: Python makes it a `KeyboardInterrupt`, with the same effect."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """A context in which these signals raise `SystemExit`; a second one ends the process at once.

    One that is ignored, as `nohup` does with SIGHUP, stays ignored. Training and serving set handlers of their own.
    """
    here = threading.current_thread() is threading.main_thread()  # the only one that may set handlers
    before = {each: signal.getsignal(each) for each in SIGNALS if here}
    for each, handler in before.items():
        if handler is signal.SIG_DFL:
            signal.signal(each, _end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _end(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    raise SystemExit(128 + number)
