from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from nmt.search import SearchCancelledError, never
from nmt.serving import batcher as batcher_module
from nmt.serving.batcher import Batcher, Cancelled, Job, QueueFullError, TooManyTokensError, compute_each


class Recorder:
    """Returns capitals and records its batches."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.batches = seconds, list[list[str]]()

    def __call__(self, texts: Sequence[str], cancelled: Cancelled = lambda: False) -> list[str]:
        self.batches.append(list(texts))
        time.sleep(self.seconds)
        if any("poison" in text for text in texts):
            raise ZeroDivisionError
        return [text.upper() for text in texts]


def run(
    body: Callable[[Batcher], Coroutine[Any, Any, Any]], *, queue: int = 1000, batch: int = 64, most: int = 10**6
) -> Any:
    async def main() -> Any:
        batcher = Batcher(queue=queue, batch=batch, most=most)
        try:
            return await body(batcher)
        finally:
            await batcher.close()

    return asyncio.run(main())


def jobs(compute: Any, *texts: str) -> list[Job]:
    return [Job(compute, text, len(text)) for text in texts]


def test_every_call_gets_its_own_results_in_order() -> None:
    draw, recorder = random.Random(1), Recorder()
    asked = [
        [f"{client}-{number}" + "x" * draw.randrange(30) for number in range(draw.randrange(4))]
        for client in range(200)
    ]

    async def body(batcher: Batcher) -> Any:
        return await asyncio.gather(*(batcher.run(jobs(recorder, *texts)) for texts in asked))

    assert run(body, queue=10**6) == [[text.upper() for text in texts] for texts in asked]
    assert len(recorder.batches) < sum(map(len, asked))


def test_batches_are_of_one_computation_and_at_most_so_many_padded_tokens() -> None:
    one, two = Recorder(), Recorder()

    async def body(batcher: Batcher) -> None:
        await batcher.run([*jobs(one, "a" * 30, "b" * 5, "c" * 100, "d" * 32), *jobs(two, "e" * 5)])

    run(body)
    assert one.batches == [["b" * 5, "a" * 30], ["c" * 100], ["d" * 32]]
    assert two.batches == [["e" * 5]]


def test_only_the_sentence_at_fault_fails() -> None:
    assert [type(each) for each in compute_each(Recorder(), ["a", "b", "poison", "c", "d"], never)] == [
        str,
        str,
        ZeroDivisionError,
        str,
        str,
    ]

    async def body(batcher: Batcher) -> Any:
        return await asyncio.gather(
            *(batcher.run(jobs(recorder, text)) for text in ("a", "poison", "b")), return_exceptions=True
        )

    recorder = Recorder()
    found = run(body)
    assert (found[0], type(found[1]), found[2]) == (["A"], ZeroDivisionError, ["B"])


def test_a_wrong_number_of_results_is_a_failure_and_never_swaps_answers() -> None:
    assert [str(each) for each in compute_each(lambda texts, _: ["one"], ["a", "b"], never)] == ["one", "one"]
    assert all(isinstance(each, RuntimeError) for each in compute_each(lambda texts, _: [], ["a", "b"], never))


def test_jobs_beyond_the_queue_are_refused_unless_it_is_empty() -> None:
    async def body(batcher: Batcher) -> None:
        waiting = asyncio.create_task(batcher.run(jobs(Recorder(0.05), "a" * 60)))
        await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await batcher.run(jobs(Recorder(), "b" * 41))
        assert await batcher.run(jobs(Recorder(), "c" * 40)) == ["C" * 40]
        await waiting
        assert await batcher.run(jobs(Recorder(), "d" * 500)) == ["D" * 500]
        await asyncio.sleep(0)
        assert batcher.tokens == 0

    run(body, queue=100)


def test_a_cancelled_call_frees_its_room_at_once_and_is_not_computed() -> None:
    recorder = Recorder(0.05)

    async def body(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.run(jobs(recorder, "first")))
        await asyncio.sleep(0.02)
        leaving = asyncio.create_task(batcher.run(jobs(recorder, "leaving")))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await asyncio.sleep(0)
        assert batcher.tokens == len("first")
        await first
        await batcher.run(jobs(recorder, "last"))

    run(body)
    assert recorder.batches == [["first"], ["last"]]


def test_requests_that_arrive_together_share_a_batch() -> None:
    recorder = Recorder()

    async def body(batcher: Batcher) -> None:
        await asyncio.gather(*(batcher.run(jobs(recorder, text)) for text in "abcdef"))

    run(body)
    assert recorder.batches == [list("abcdef")]


def test_a_single_client_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher_module, "QUIET", 3600)

    async def body(batcher: Batcher) -> Any:
        return [await batcher.run(jobs(Recorder(), *texts)) for texts in (["a"], ["b", "c"], ["d"])]

    assert run(body) == [["A"], ["B", "C"], ["D"]]


def test_a_client_that_asks_again_at_once_shares_a_batch_with_later_arrivals() -> None:
    """Two clients would otherwise take turns for ever, with a sentence in every batch."""
    recorder = Recorder(0.02)

    async def client(batcher: Batcher, name: str, after: float) -> None:
        await asyncio.sleep(after)
        for number in range(3):
            await batcher.run(jobs(recorder, f"{name}{number}"))

    async def body(batcher: Batcher) -> None:
        await asyncio.gather(client(batcher, "a", 0), client(batcher, "b", 0.01))

    run(body)
    assert recorder.batches[0] == ["a0"]
    assert sorted(recorder.batches[1]) == ["a1", "b0"]


def test_a_full_batch_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batcher_module, "QUIET", 3600)
    recorder = Recorder(0.02)

    async def body(batcher: Batcher) -> None:
        first = asyncio.create_task(batcher.run(jobs(recorder, "a")))
        await asyncio.sleep(0.01)
        await batcher.run(jobs(recorder, "b" * 64))
        await first

    run(body, batch=64)
    assert recorder.batches == [["a"], ["b" * 64]]


def test_the_last_tenth_of_the_queue_is_for_requests_that_are_being_read() -> None:
    async def body(batcher: Batcher) -> None:
        waiting = asyncio.create_task(batcher.run(jobs(Recorder(0.05), "a" * 90)))
        await asyncio.sleep(0)
        assert batcher.full
        assert await batcher.run(jobs(Recorder(), "b" * 10)) == ["B" * 10]
        await waiting
        assert not batcher.full

    run(body, queue=100)


def test_a_short_call_is_answered_before_a_long_one_that_came_earlier() -> None:
    recorder = Recorder(0.005)

    async def body(batcher: Batcher) -> None:
        texts = ["long" * 8] * 100
        waiting = [asyncio.create_task(batcher.run(jobs(recorder, *texts)))]
        await asyncio.sleep(0.02)
        assert await batcher.run(jobs(recorder, "short")) == ["SHORT"]
        assert not waiting[0].done()
        assert await waiting[0] == [text.upper() for text in texts]

    run(body, queue=10**4)
    (place,) = (number for number, batch in enumerate(recorder.batches) if "short" in batch)
    assert place < 20, "of 50 batches"


def test_a_long_call_ends_although_short_ones_keep_coming() -> None:
    recorder = Recorder(0.001)

    async def body(batcher: Batcher) -> None:
        done = False

        async def client() -> None:
            while not done:
                await batcher.run(jobs(recorder, "short"))

        async with asyncio.timeout(10), asyncio.TaskGroup() as clients:
            for _ in range(30):
                clients.create_task(client())
            await batcher.run(jobs(recorder, *["long" * 8] * 20))
            done = True

    run(body, queue=10**4)


def test_a_call_of_too_many_tokens_is_refused_whether_or_not_there_is_room() -> None:
    async def body(batcher: Batcher) -> None:
        with pytest.raises(TooManyTokensError, match="31 tokens, and at most 30 are allowed"):
            await batcher.run(jobs(Recorder(), "a" * 16, "b" * 15))
        assert await batcher.run(jobs(Recorder(), "a" * 30)) == ["A" * 30]
        assert batcher.tokens == 0

    run(body, most=30)


class Endless:
    """Computes until it is cancelled."""

    def __init__(self) -> None:
        self.calls = self.cancelled = 0

    def __call__(self, texts: Sequence[str], cancelled: Cancelled) -> list[str]:
        self.calls += 1
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if cancelled():
                self.cancelled += 1
                raise SearchCancelledError
            time.sleep(0.001)
        return list(texts)


def test_a_batch_that_nobody_waits_for_is_cancelled_at_once_and_not_tried_again() -> None:
    endless = Endless()

    async def body(batcher: Batcher) -> None:
        leaving = [asyncio.create_task(batcher.run(jobs(endless, text))) for text in ("a", "b")]
        await asyncio.sleep(0.05)
        leaving[0].cancel()
        await asyncio.sleep(0.05)
        assert endless.cancelled == 0, "the other client still waits"
        leaving[1].cancel()
        async with asyncio.timeout(5):
            assert await batcher.run(jobs(Recorder(), "next")) == ["NEXT"]

    run(body)
    assert (endless.calls, endless.cancelled) == (1, 1)
