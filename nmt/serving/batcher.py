"""Sentences from many requests, translated together: one thread computes, the event loop keeps the books.

What waits becomes a window, taken in the order of arrival; where several clients ask, those whose answers have just been sent get a few
milliseconds to come again. A window is cut into batches of one kind of work and of about the same length. A batch that fails is run again in
halves, so that only the sentences at fault fail. Work that nobody waits for any more, because the client hung up or its time is over, leaves
the queue at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

Compute: TypeAlias = Callable[[Sequence[str]], Sequence[Any]]
"""What makes one result of each text of a batch. Equal ones share batches."""

QUIET = 0.002
"""Seconds without a new arrival after which a window is closed."""
LONGEST_WAIT = 0.01
"""Seconds after which it is closed anyway."""
WINDOW = 8
"""Batches in a window at most: what has not begun after these is sorted again with what came meanwhile."""
RESERVE = 0.1
"""Share of the queue that is kept for requests that are being read: the others are refused before anybody reads them, which costs the least."""


class FullError(Exception):
    """The queue has no room; in ``seconds`` it probably has."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the queue is full")
        self.seconds = seconds


class Work(NamedTuple):
    """One text to compute."""

    compute: Compute
    text: str
    pieces: int
    """How much of the queue it takes."""


@dataclass(eq=False)
class Order:
    """What one call of `Batcher.run` waits for: a single future, since a long text has thousands of sentences."""

    done: asyncio.Future[list[Any]]
    jobs: list[Job]
    missing: int

    def settle(self, job: Job, result: Any) -> None:
        """Takes the result of a job; the first exception, or the last result, is the end."""
        job.result = result
        self.missing -= 1
        if self.done.done():
            return
        if isinstance(result, Exception):
            self.done.set_exception(result)
        elif not self.missing:
            self.done.set_result([each.result for each in self.jobs])


@dataclass(eq=False)
class Job:
    """Work that somebody waits for."""

    work: Work
    order: Order
    left: bool = False
    """Whether it is done, or nobody waits for it any more."""
    result: Any = None


class Batcher:
    """A queue counted in pieces, and the thread that empties it."""

    def __init__(self, *, queue: int, batch: int) -> None:
        """`queue` is the most pieces that wait or are computed, `batch` the most padded pieces computed at a time."""
        self.queue, self.batch = queue, batch
        self.pieces = 0
        """Pieces that somebody waits for."""
        self.observe: Callable[[int, int, float], None] = lambda texts, pieces, seconds: None
        """Told of every batch: its texts, its pieces, and the seconds it took."""
        self._waiting: dict[Job, None] = {}  # a dict, since any of them may leave
        self._arrived = asyncio.Event()
        self._asked = 0  # calls of `run` since the last window
        self._thread = ThreadPoolExecutor(1, "translating")
        self._rate = 1000.0  # pieces a second, lately
        self._worker: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether there is no room for a request that has not been read yet."""
        return self.pieces >= (1 - RESERVE) * self.queue

    async def run(self, works: Sequence[Work]) -> list[Any]:
        """The results, in order; raises `FullError`, or what computing one of them raised. More than the whole queue is let in when nothing waits."""
        if self.pieces and self.pieces + sum(work.pieces for work in works) > self.queue:
            raise FullError(self.seconds)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if not works:
            return []
        order = self._order(works)
        try:
            return await order.done
        finally:
            for job in order.jobs:
                self._leave(job)

    @property
    def seconds(self) -> float:
        """How long the work that waits will take."""
        return self.pieces / self._rate

    async def close(self) -> None:
        """Stops the worker; what still waits is cancelled."""
        for job in list(self._waiting):
            job.order.done.cancel()
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _order(self, works: Sequence[Work]) -> Order:
        order = Order(asyncio.get_running_loop().create_future(), [], len(works))
        order.jobs = [Job(work, order) for work in works]
        self.pieces += sum(work.pieces for work in works)
        self._waiting.update(dict.fromkeys(order.jobs))
        self._asked += 1
        self._arrived.set()
        return order

    def _leave(self, job: Job) -> None:
        if not job.left:
            job.left = True
            self.pieces -= job.work.pieces
            self._waiting.pop(job, None)

    async def _work(self) -> None:
        company = False  # whether several asked for the last window, or somebody did while it was computed
        while True:
            await self._arrived.wait()
            if company:
                await self._gather()
            asked, self._asked = self._asked, 0
            for jobs in batches(self._window(), self.batch):
                await self._compute(jobs)
            company = asked > 1 or self._asked > 0
            if not self._waiting:
                self._arrived.clear()

    async def _gather(self) -> None:
        """Waits while requests keep arriving and there is less than a batch of them, but not for long."""
        end = monotonic() + LONGEST_WAIT
        seen = 0
        while seen < len(self._waiting) and self.pieces < self.batch and monotonic() < end:
            seen = len(self._waiting)
            await asyncio.sleep(QUIET)

    def _window(self) -> list[Job]:
        """The next jobs in the order of arrival, taken out of the queue."""
        taken: list[Job] = []
        room = WINDOW * self.batch
        for job in self._waiting:
            room -= job.work.pieces
            if room < 0 and taken:
                break
            taken.append(job)
        for job in taken:
            del self._waiting[job]
        return taken

    async def _compute(self, jobs: list[Job]) -> None:
        jobs = [job for job in jobs if not job.left]
        if not jobs:
            return
        begun, pieces = monotonic(), sum(job.work.pieces for job in jobs)
        found = await asyncio.get_running_loop().run_in_executor(
            self._thread, results, jobs[0].work.compute, [job.work.text for job in jobs]
        )
        seconds = max(monotonic() - begun, 1e-6)
        self._rate += 0.2 * (pieces / seconds - self._rate)
        self.observe(len(jobs), pieces, seconds)
        for job, result in zip(jobs, found, strict=True):
            self._leave(job)
            job.order.settle(job, result)


def batches(jobs: Sequence[Job], most: int) -> Iterator[list[Job]]:
    """Jobs of one kind in order of length, as many as fit into ``most`` padded pieces, but at least one."""
    of_a_kind = sorted(jobs, key=lambda job: (id(job.work.compute), job.work.pieces))
    for _, group in groupby(of_a_kind, key=lambda job: job.work.compute):
        batch: list[Job] = []
        for job in group:
            if batch and job.work.pieces * (len(batch) + 1) > most:
                yield batch
                batch = []
            batch.append(job)
        yield batch


def results(compute: Compute, texts: Sequence[str]) -> list[Any]:
    """A result for each text, or the exception that it causes when it is computed without those that do not."""
    try:
        found = list(compute(texts))
        if len(found) != len(texts):
            raise RuntimeError(f"expected {len(texts)} results, found {len(found)}")
        return found
    except Exception as error:
        if len(texts) == 1:
            return [error]
        middle = len(texts) // 2
        return [*results(compute, texts[:middle]), *results(compute, texts[middle:])]
