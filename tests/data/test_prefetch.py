from __future__ import annotations

from dataclasses import fields
from threading import current_thread

import pytest
import torch

from nmt.data.batches import Batch, Batches, Prefetcher, TokenIds


def corpus(most_sentences: int = 1) -> Batches:
    side = TokenIds([[10 + row] * (1 + row % 5) for row in range(60)])
    return Batches(side, side, seed=3, batch_tokens=24, most_sentences=most_sentences, growth=2)


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(Batch))


@pytest.mark.parametrize("most_sentences", [1, 3])
@pytest.mark.parametrize("threads", [0, 1, 2, 4])
def test_batches_are_the_same_with_any_number_of_threads_from_any_place(threads: int, most_sentences: int) -> None:
    plain, loader = corpus(most_sentences), Prefetcher(corpus(most_sentences), threads)
    for epoch, first in ((0, 0), (1, 2), (2, 0)):
        assert loader.count(epoch) == plain.count(epoch)
        assert all(
            same(loader.batch(epoch, number), plain.batch(epoch, number)) for number in range(first, plain.count(epoch))
        )


def test_the_next_batch_is_made_by_another_thread_before_it_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, str]] = []
    batches, make = corpus(), Batches.batch

    def noted(self: Batches, epoch: int, number: int) -> Batch:
        made.append((number, current_thread().name))
        return make(self, epoch, number)

    monkeypatch.setattr(Batches, "batch", noted)
    loader = Prefetcher(batches, 1)
    loader.batch(0, 0)
    loader.batch(0, 1)
    numbers, names = zip(*made, strict=True)
    assert set(numbers) >= {0, 1}
    assert all(name.startswith("batches") for name in names)
    assert (0, 2) in loader._pending


def test_an_error_in_another_thread_is_raised_where_the_batch_is_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Batches, epoch: int, number: int) -> Batch:
        raise OSError("gone")

    monkeypatch.setattr(Batches, "batch", fails)
    with pytest.raises(OSError, match="gone"):
        Prefetcher(corpus(), 2).batch(0, 0)
