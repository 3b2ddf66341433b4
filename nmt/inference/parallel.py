"""Several processes that translate side by side, one thread each.

On a CPU, small matrix products gain more from that than from more threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice
from multiprocessing.connection import wait
from types import TracebackType
from typing import Self

from nmt.cpu_tuning import keep_freed_memory
from nmt.errors import RunError
from nmt.inference.translator import WINDOW, Translation, Translator
from nmt.search import SearchSettings

Shares = list[Future[list[Translation]]]


class ParallelTranslator(Translator):
    """Translates in ``count`` processes, each of which opens a translator. Translations come without their weights.

    Use as a context; errors of the run or of the settings are raised when it is entered. The processes are started
    afresh, not forked, so a program that uses this guards its main code with ``if __name__ == "__main__"``.
    """

    def __init__(self, count: int, opener: Callable[[], Translator], limit: int) -> None:
        """``opener`` can be pickled; ``limit`` is that of its translator."""
        if count < 1:
            raise ValueError(f"workers: expected an integer of at least 1, found {count!r}")
        self.count, self.opener, self.limit = count, opener, limit
        self.search: SearchSettings | None = None

    def with_search(self, search: SearchSettings) -> Self:
        other = copy(self)
        other.search = search
        return other

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._pool = stack.enter_context(processes(self.count, partial(_begin, self.opener)))
            self._result(self._pool.submit(_translated, [], None))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def stream(self, lines: Iterable[str], window: int = WINDOW) -> Iterator[Translation]:
        # One window is read ahead, and each is dealt out line by line, so that all processes have equal work.
        lines, begun = iter(lines), deque[Shares]()
        while chunk := list(islice(lines, window)):
            dealt = (chunk[first :: self.count] for first in range(min(self.count, len(chunk))))
            begun.append([self._pool.submit(_translated, share, self.search) for share in dealt])
            if len(begun) > 1:
                yield from self._together(begun.popleft())
        for shares in begun:
            yield from self._together(shares)

    def _together(self, shares: Shares) -> Iterator[Translation]:
        done = [self._result(share) for share in shares]
        for place in range(sum(map(len, done))):
            yield done[place % len(done)][place // len(done)]

    def _result(self, share: Future[list[Translation]]) -> list[Translation]:
        try:
            return share.result()
        except BrokenProcessPool as error:
            raise RunError(
                "a worker was killed, perhaps because memory ran out\nuse fewer --workers, or a smaller --batch-tokens"
            ) from error


@contextmanager
def processes(count: int, begin: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """A pool of spawned processes, each set up by ``begin``. If its user fails, they are terminated without waiting."""
    before = multiprocessing.active_children()
    with ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=_begun, initargs=(begin,)
    ) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                if process not in before:
                    process.terminate()
            raise


def _begun(begin: Callable[[], None]) -> None:
    keep_freed_memory()
    begin()


_OPENERS: list[Callable[[], Translator]] = []
"""In a worker, what opens its translator."""


def _begin(opener: Callable[[], Translator]) -> None:
    """Sets up a worker: one thread."""
    import torch

    torch.set_num_threads(1)
    _OPENERS.append(opener)
    end_with_parent()


def end_with_parent() -> None:
    """Leaves Ctrl-C and a closed terminal to the parent process, and ends this one when the parent ends, even if it was
    killed."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@lru_cache(maxsize=1)
def _translator() -> Translator:
    """This process's translator, opened by the first task, whose result its errors are."""
    return _OPENERS[0]()


def _translated(lines: list[str], search: SearchSettings | None) -> list[Translation]:
    """Translates a worker's share of a window. Weights are dropped, since they are large and not used by the caller."""
    translator = _translator() if search is None else _translator().with_search(search)
    return [replace(found, weights=None) for found in translator.translate(lines)]
