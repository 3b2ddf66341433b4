from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from nmt.serving import batcher as batcher_module
from nmt.serving.batcher import Batcher, FullError, Work, results


class Recorder:
    """Computes capitals, and remembers its batches."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.batches = seconds, list[list[str]]()

    def __call__(self, texts: Sequence[str]) -> list[str]:
        self.batches.append(list(texts))
        time.sleep(self.seconds)
        if any("poison" in text for text in texts):
            raise ZeroDivisionError
        return [text.upper() for text in texts]


def ran(body: Callable[[Batcher], Coroutine[Any, Any, Any]], *, queue: int = 1000, batch: int = 64) -> Any:
    async def main() -> Any:
        batcher = Batcher(queue=queue, batch=batch)
        try:
            return await body(batcher)
        finally:
            await batcher.close()

    return asyncio.run(main())


def works(compute: Any, *texts: str) -> list[Work]:
    return [Work(compute, text, len(text)) for text in texts]


def test_everyone_gets_their_own_results_in_order() -> None:
    draw, recorder = random.Random(1), Recorder()
    asked = [
        [f"{client}-{number}" + "x" * draw.randrange(30) for number in range(draw.randrange(4))]
        for client in range(200)
    ]

    async def body(batcher: Batcher) -> Any:
        return await asyncio.gather(*(batcher.run(works(recorder, *texts)) for texts in asked))

    assert ran(body, queue=10**6) == [[text.upper() for text in texts] for texts in asked]
    assert len(recorder.batches) < sum(map(len, asked))


def test_batches_are_of_one_kind_and_hold_no_more_padded_pieces_than_allowed() -> None:
    one, two = Recorder(), Recorder()

    async def body(batcher: Batcher) -> None:
        await batcher.run([*works(one, "a" * 30, "b" * 5, "c" * 100, "d" * 32), *works(two, "e" * 5)])

    ran(body)
    assert one.batches == [["b" * 5, "a" * 30], ["d" * 32], ["c" * 100]]
    assert two.batches == [["e" * 5]]


def test_only_the_culprit_fails() -> None:
    assert [type(each) for each in results(Recorder(), ["a", "b", "poison", "c", "d"])] == [
        str,
        str,
        ZeroDivisionError,
        str,
        str,
    ]

    async def body(batcher: Batcher) -> Any:
        return await asyncio.gather(
            *(batcher.run(works(recorder, text)) for text in ("a", "poison", "b")), return_exceptions=True
        )

    recorder = Recorder()
    found = ran(body)
    assert (found[0], type(found[1]), found[2]) == (["A"], ZeroDivisionError, ["B"])


def test_a_wrong_number_of_results_is_a_failure_and_no_swap() -> None:
    assert [str(each) for each in results(lambda texts: ["one"], ["a", "b"])] == ["one", "one"]
    assert all(isinstance(each, RuntimeError) for each in results(lambda texts: [], ["a", "b"]))


def test_what_does_not_fit_is_refused_and_what_is_alone_is_let_in() -> None:
    async def body(batcher: Batcher) -> None:
        waiting = asyncio.create_task(batcher.run(works(Recorder(0.05), "a" * 60)))
        await asyncio.sleep(0)
        with pytest.raises(FullError):
            await batcher.run(works(Recorder(), "b" * 41))
        assert await batcher.run(works(Recorder(), "c" * 40)) == ["C" * 40]
        await waiting
        assert await batcher.run(works(Recorder(), "d" * 500)) == ["D" * 500]
        await asyncio.sleep(0)
        assert batcher.pieces == 0

    ran(body, queue=100)


def test_who_leaves_frees_the_room_at_once_and_is_not_computed() -> None:
    recorder = Recorder(0.05)

    async def body(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.run(works(recorder, "first")))
        await asyncio.sleep(0.02)
        leaving = asyncio.create_task(batcher.run(works(recorder, "leaving")))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await asyncio.sleep(0)
        assert batcher.pieces == len("first")
        await first
        await batcher.run(works(recorder, "last"))

    ran(body)
    assert recorder.batches == [["first"], ["last"]]


def test_requests_that_arrive_together_share_a_batch() -> None:
    recorder = Recorder()

    async def body(batcher: Batcher) -> None:
        await asyncio.gather(*(batcher.run(works(recorder, text)) for text in "abcdef"))

    ran(body)
    assert recorder.batches == [list("abcdef")]


def test_who_is_alone_is_not_kept_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher_module, "QUIET", 3600)

    async def body(batcher: Batcher) -> Any:
        return [await batcher.run(works(Recorder(), *texts)) for texts in (["a"], ["b", "c"], ["d"])]

    assert ran(body) == [["A"], ["B", "C"], ["D"]]


def test_who_asks_again_at_once_shares_a_batch_with_those_who_came_meanwhile() -> None:
    """Two clients would otherwise take turns for ever, with a sentence in every batch."""
    recorder = Recorder(0.02)

    async def client(batcher: Batcher, name: str, after: float) -> None:
        await asyncio.sleep(after)
        for number in range(3):
            await batcher.run(works(recorder, f"{name}{number}"))

    async def body(batcher: Batcher) -> None:
        await asyncio.gather(client(batcher, "a", 0), client(batcher, "b", 0.01))

    ran(body)
    assert recorder.batches[0] == ["a0"]
    assert sorted(recorder.batches[1]) == ["a1", "b0"]


def test_a_full_batch_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher_module, "QUIET", 3600)
    recorder = Recorder(0.02)

    async def body(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.run(works(recorder, "a")))
        await asyncio.sleep(0.01)
        await batcher.run(works(recorder, "b" * 64))
        await first

    ran(body, batch=64)
    assert recorder.batches == [["a"], ["b" * 64]]


def test_the_last_tenth_of_the_queue_is_for_what_is_being_read() -> None:
    async def body(batcher: Batcher) -> None:
        waiting = asyncio.create_task(batcher.run(works(Recorder(0.05), "a" * 90)))
        await asyncio.sleep(0)
        assert batcher.full
        assert await batcher.run(works(Recorder(), "b" * 10)) == ["B" * 10]
        await waiting
        assert not batcher.full

    ran(body, queue=100)
