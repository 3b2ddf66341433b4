"""Batches made ahead of their time, by other threads than the one that trains."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from nmt.data.batches import Batch, Batches


class Prefetcher:
    """The batches of an epoch in turn, of which as many are made ahead as there are threads; without any, each when it is asked for.

    A batch is a function of its epoch and number, so it does not matter who makes it, nor in which order.
    """

    def __init__(self, batches: Batches, threads: int = 0) -> None:
        self.batches, self.threads = batches, threads
        self._pool = ThreadPoolExecutor(max(1, threads), thread_name_prefix="batches")
        self._begun: dict[tuple[int, int], Future[Batch]] = {}

    def count(self, epoch: int) -> int:
        """Batches in an epoch."""
        self._leave(epoch)
        return self.batches.count(epoch)

    def batch(self, epoch: int, number: int) -> Batch:
        """Batch ``number`` of an epoch; those after it are begun."""
        if not self.threads:
            return self.batches.batch(epoch, number)
        for ahead in range(number, min(number + self.threads + 1, self.count(epoch))):
            if (epoch, ahead) not in self._begun:
                self._begun[epoch, ahead] = self._pool.submit(self.batches.batch, epoch, ahead)
        return self._begun.pop((epoch, number)).result()

    def _leave(self, epoch: int) -> None:
        """Waits for what was begun of other epochs, since there is the order of one at a time."""
        for each in [key for key in self._begun if key[0] != epoch]:
            self._begun.pop(each).result()
