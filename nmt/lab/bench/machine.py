"""What measurements need of the machine: its rate of matrix products, and a separate process for each measurement."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import torch

from nmt.atomic import JsonObject
from nmt.errors import RunError
from nmt.inference.parallel import end_with_parent, processes

SIDE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
"""Rows and columns of the matrices, large enough to be bound by arithmetic."""
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def product_rate(device: torch.device, precision: str, rounds: int = 5, threads: int | None = None) -> float:
    """Floating-point operations per second: the fastest of several products of large square matrices."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    side = SIDE[device.type]
    left, right = (torch.randn(side, side, device=device).to(TYPES[precision]) for _ in range(2))
    seconds = []
    for _ in range(rounds + 1):  # the first one warms up
        synchronise(device)
        begun = time.perf_counter()
        left @ right
        synchronise(device)
        seconds.append(time.perf_counter() - begun)
    torch.set_num_threads(before)
    return float(2 * side**3 / min(seconds[1:]))


def synchronise(device: torch.device) -> None:
    """Waits for the work given to a device; a CPU works synchronously."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def in_process(work: Callable[..., JsonObject], *arguments: Any, threads: int) -> JsonObject:
    """The result of ``work`` in a process of its own, with that number of threads, and ``peak_bytes`` of memory.

    The peak is that of the process or of the largest of its workers; on a GPU, that of torch's allocations there.
    """
    with processes(1, end_with_parent) as pool:
        try:
            return pool.submit(_work, work, threads, arguments).result()
        except BrokenProcessPool as error:
            raise RunError(
                "the process that was measured ended before its work was done; it may have run out of memory"
            ) from error


def _work(work: Callable[..., JsonObject], threads: int, arguments: tuple[Any, ...]) -> JsonObject:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    found = work(*arguments)
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return found | {"peak_bytes": torch.cuda.max_memory_allocated()}
    unit = 1 if sys.platform == "darwin" else 1024
    largest = max(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return found | {"peak_bytes": largest * unit}
