"""Several processes that translate side by side, one thread each: on a CPU, small products gain more from that than from more threads."""

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
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from multiprocessing.connection import wait
from pathlib import Path
from types import TracebackType
from typing import Any

from nmt.cpu_tuning import keep_freed_memory
from nmt.errors import RunError
from nmt.inference.translator import WINDOW, Translation, Translator

Shares = list[Future[list[Translation]]]


class Workers:
    """Translates as the `Translator` of a run does, by ``count`` processes that hold a model each. Translations come without their weights.

    Use as a context; faults of the run or of the settings come up when it is entered. The processes are started afresh, not forked, so a program
    that uses this guards its main code with ``if __name__ == "__main__"``.
    """

    def __init__(self, count: int, run: Path, search: dict[str, Any]) -> None:
        """``search`` are the settings that take the place of the recipe's."""
        if count < 1:
            raise ValueError(f"workers: expected an integer of at least 1, found {count!r}")
        self.count, self.asked = count, (str(run), tuple(search.items()))

    def __enter__(self) -> Workers:
        with ExitStack() as stack:
            self._pool = stack.enter_context(processes(self.count, _begin))
            self._result(self._pool.submit(_translated, *self.asked, []))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, traceback)

    def stream(self, lines: Iterable[str], window: int = WINDOW) -> Iterator[Translation]:
        """Translates lines in order. A window is read ahead, and each is dealt out line by line, so that all have as much to do."""
        lines, begun = iter(lines), deque[Shares]()
        while chunk := list(islice(lines, window)):
            dealt = (chunk[first :: self.count] for first in range(min(self.count, len(chunk))))
            begun.append([self._pool.submit(_translated, *self.asked, share) for share in dealt])
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
                "a worker ended before its work was done; it was killed, perhaps for want of memory\nuse fewer --workers, or a smaller --batch-tokens"
            ) from error


@contextmanager
def processes(count: int, begin: Callable[[], None]) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes that compute, and each ``begin`` so. When what is done with it fails, they are ended and not waited for."""
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


def _begin() -> None:
    """Of each process: one thread."""
    import torch

    torch.set_num_threads(1)
    end_with_parent()


def end_with_parent() -> None:
    """Makes this process leave Ctrl-C to its parent, and end with it however that ends: killed too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


@lru_cache(maxsize=1)
def _translator(run: str, search: tuple[tuple[str, Any], ...]) -> Translator:
    from nmt.runs.run_folder import Run

    return Translator.of(Run(Path(run)), **dict(search))


def _translated(run: str, search: tuple[tuple[str, Any], ...], lines: list[str]) -> list[Translation]:
    """A worker's share of a window; weights stay behind, since nobody in another process has asked for tensors so far."""
    return [replace(found, weights=None) for found in _translator(run, search).translate(lines)]
