"""Dynamic batching: sentences of many requests are translated together by one thread, while the event loop keeps the
queue.

Waiting calls take turns: in each round a call has `SHARE` of a batch, so a long text does not hold up short ones that
come later. Entries are taken in the order of their rounds, up to a window of several batches. If more than one client
was waiting, the worker first waits a few milliseconds for clients that send their next request at once. A window is cut
into batches of one kind of computation and of about the same length; the batch whose turn it is comes first, and the
rest returns to the queue if other calls have arrived meanwhile.

A batch that fails is run again in halves, so that only the sentences at fault fail. Entries whose client hung up or
whose deadline passed leave the queue at once, and a batch that nobody waits for any more is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, groupby
from operator import attrgetter
from time import monotonic
from typing import Any, NamedTuple, TypeAlias

Cancelled: TypeAlias = Callable[[], bool]
"""Whether nobody waits for a batch any more."""
Compute: TypeAlias = Callable[[Sequence[str], Cancelled], Sequence[Any]]
"""Computes one result for each text of a batch, or raises `SearchCancelledError`. Jobs with an equal function share
batches."""

QUIET = 0.002
"""Seconds without a new arrival after which a window is closed."""
LONGEST_WAIT = 0.01
"""Seconds after which it is closed in any case."""
WINDOW = 8
"""Most batches in a window: entries after these are sorted again with later arrivals."""
SHARE = 1 / 8
"""Share of a batch that a call has in each round."""
RESERVE = 0.1
"""Share of the queue kept for requests that are being read; new ones are refused unread, which costs the least."""


class QueueFullError(Exception):
    """The queue has no room; it is expected to have some in ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the queue is full")
        self.seconds = seconds


class TooManyTokensError(Exception):
    """A call is larger than any call may be."""

    def __init__(self, tokens: int, most: int) -> None:
        super().__init__(f"{tokens} tokens, and at most {most} are allowed")
        self.tokens, self.most = tokens, most


class Job(NamedTuple):
    """One text to compute."""

    compute: Compute
    text: str
    tokens: int
    """How much of the queue it takes."""


@dataclass(eq=False)
class Call:
    """One call of `Batcher.run`; all its entries share one future, since a long text has thousands of sentences."""

    done: asyncio.Future[list[Any]]
    entries: list[Entry]
    missing: int

    def settle(self, entry: Entry, result: Any) -> None:
        """Stores the result of an entry; the first exception or the last result settles the future."""
        entry.result = result
        self.missing -= 1
        if self.done.done():
            return
        if isinstance(result, Exception):
            self.done.set_exception(result)
        elif not self.missing:
            self.done.set_result([each.result for each in self.entries])


@dataclass(eq=False)
class Entry:
    """A job in the queue."""

    job: Job
    call: Call
    turn: tuple[int, int]
    """Its round, and its number in order of arrival."""
    left: bool = False
    """Whether it is done, or no client waits for it any more."""
    result: Any = None


class Batcher:
    """A queue counted in tokens, and the thread that empties it."""

    def __init__(self, *, queue: int, batch: int, most: int) -> None:
        """`queue` is the most tokens that wait or are computed, `batch` the most padded tokens computed at a time,
        `most` the most tokens of one call."""
        self.queue, self.batch, self.most = queue, batch, most
        self.tokens = 0
        """Tokens that wait or are computed."""
        self.observe: Callable[[int, int, float], None] = lambda texts, tokens, seconds: None
        """Called after every batch with its texts, its tokens and the seconds it took."""
        self._waiting: dict[Entry, None] = {}  # a dict, since any entry may leave
        self._arrived = asyncio.Event()
        self._calls = 0  # calls of `run` since the last window
        self._round = 0  # the latest round that has been computed
        self._numbers = count()
        self._thread = ThreadPoolExecutor(1, "translating")
        self._rate = 1000.0  # tokens a second, a moving average
        self._worker: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether there is no room for a request that has not been read yet."""
        return self.tokens >= (1 - RESERVE) * self.queue

    async def run(self, jobs: Sequence[Job]) -> list[Any]:
        """The results in order; raises `TooManyTokensError`, `QueueFullError`, or the exception of a computation.

        Jobs that are larger than the whole queue are accepted when it is empty.
        """
        tokens = sum(job.tokens for job in jobs)
        if tokens > self.most:
            raise TooManyTokensError(tokens, self.most)
        if self.tokens and self.tokens + tokens > self.queue:
            raise QueueFullError(self.expected_wait)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        if not jobs:
            return []
        call = self._enqueue(jobs)
        try:
            return await call.done
        finally:
            for entry in call.entries:
                self._remove(entry)

    @property
    def expected_wait(self) -> float:
        """Seconds that the waiting tokens are expected to take."""
        return self.tokens / self._rate

    async def close(self) -> None:
        """Stops the worker; waiting entries are cancelled."""
        for entry in list(self._waiting):
            entry.call.done.cancel()
        if self._worker:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _enqueue(self, jobs: Sequence[Job]) -> Call:
        call = Call(asyncio.get_running_loop().create_future(), [], len(jobs))
        share, before = max(1, int(SHARE * self.batch)), 0  # tokens of the call that come earlier
        for job in jobs:
            # The next round, so that those who have waited longer come first in it.
            turn = self._round + 1 + before // share, next(self._numbers)
            call.entries.append(Entry(job, call, turn))
            before += job.tokens
        self.tokens += before
        self._waiting.update(dict.fromkeys(call.entries))
        self._calls += 1
        self._arrived.set()
        return call

    def _remove(self, entry: Entry) -> None:
        if not entry.left:
            entry.left = True
            self.tokens -= entry.job.tokens
            self._waiting.pop(entry, None)

    async def _work(self) -> None:
        several = False  # whether the last window had several calls, or another call arrived while it was computed
        while True:
            await self._arrived.wait()
            if several:
                await self._wait_for_arrivals()
            calls, self._calls = self._calls, 0
            for entries in self._window():
                if self._calls:
                    self._waiting.update(dict.fromkeys(entry for entry in entries if not entry.left))
                else:
                    await self._compute(entries)
            several = calls > 1 or self._calls > 0
            if not self._waiting:
                self._arrived.clear()

    async def _wait_for_arrivals(self) -> None:
        """Waits while requests keep arriving and are less than a batch, but at most `LONGEST_WAIT`."""
        end = monotonic() + LONGEST_WAIT
        seen = 0
        while seen < len(self._waiting) and self.tokens < self.batch and monotonic() < end:
            seen = len(self._waiting)
            await asyncio.sleep(QUIET)

    def _window(self) -> list[list[Entry]]:
        """Takes the next batches out of the queue; the first is the one whose turn it is."""
        taken: list[Entry] = []
        room = WINDOW * self.batch
        for entry in sorted(self._waiting, key=attrgetter("turn")):
            room -= entry.job.tokens
            if room < 0 and taken:
                break
            taken.append(entry)
        for entry in taken:
            del self._waiting[entry]
        return sorted(batches(taken, self.batch), key=_turn)

    async def _compute(self, entries: list[Entry]) -> None:
        entries = [entry for entry in entries if not entry.left]
        if not entries:
            return
        self._round = max(self._round, _turn(entries)[0])
        begun, tokens = monotonic(), sum(entry.job.tokens for entry in entries)

        def cancelled() -> bool:
            return all(entry.left for entry in entries)

        found = await asyncio.get_running_loop().run_in_executor(
            self._thread, compute_each, entries[0].job.compute, [entry.job.text for entry in entries], cancelled
        )
        seconds = max(monotonic() - begun, 1e-6)
        if not cancelled():
            self._rate += 0.2 * (tokens / seconds - self._rate)
        self.observe(len(entries), tokens, seconds)
        for entry, result in zip(entries, found, strict=True):
            self._remove(entry)
            entry.call.settle(entry, result)


def batches(entries: Sequence[Entry], most: int) -> Iterator[list[Entry]]:
    """Batches of one computation each, sorted by length, of at most ``most`` padded tokens but at least one entry."""
    by_kind = sorted(entries, key=lambda entry: (id(entry.job.compute), entry.job.tokens))
    for _, group in groupby(by_kind, key=lambda entry: entry.job.compute):
        batch: list[Entry] = []
        for entry in group:
            if batch and entry.job.tokens * (len(batch) + 1) > most:
                yield batch
                batch = []
            batch.append(entry)
        yield batch


def _turn(entries: Sequence[Entry]) -> tuple[int, int]:
    """The turn of a batch: the earliest of its entries."""
    return min(entry.turn for entry in entries)


def compute_each(compute: Compute, texts: Sequence[str], cancelled: Cancelled) -> list[Any]:
    """A result for each text; for a text that makes every batch fail, the exception. Failed batches are halved."""
    try:
        found = list(compute(texts, cancelled))
        if len(found) != len(texts):
            raise RuntimeError(f"expected {len(texts)} results, found {len(found)}")
        return found
    except Exception as error:
        if len(texts) == 1 or cancelled():
            return [error] * len(texts)
        middle = len(texts) // 2
        return [
            *compute_each(compute, texts[:middle], cancelled),
            *compute_each(compute, texts[middle:], cancelled),
        ]
