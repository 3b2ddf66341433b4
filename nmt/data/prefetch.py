"""Batches made ahead by background threads."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from nmt.data.batches import Batch, Batches


class Prefetcher:
    """`Batches` in which the next ones are made ahead, one per thread; with 0 threads each is made on request.

    A batch is a function of its epoch and number, so batches are the same with any number of threads.
    """

    def __init__(self, batches: Batches, threads: int = 0) -> None:
        self.batches, self.threads = batches, threads
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="batches")
        self._pending: dict[tuple[int, int], Future[Batch]] = {}

    def count(self, epoch: int) -> int:
        """Batches in an epoch."""
        self._finish_others(epoch)
        return self.batches.count(epoch)

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch; also starts making the next ones."""
        if not self.threads:
            return self.batches.batch(epoch, number)
        for ahead in range(number, min(number + self.threads + 1, self.count(epoch))):
            if (epoch, ahead) not in self._pending:
                self._pending[epoch, ahead] = self._pool.submit(self.batches.batch, epoch, ahead)
        return self._pending.pop((epoch, number)).result()

    def _finish_others(self, epoch: int) -> None:
        """Waits for pending batches of other epochs, since `Batches` holds the order of one epoch at a time."""
        for each in [key for key in self._pending if key[0] != epoch]:
            self._pending.pop(each).result()
