"""Measuring in a process of its own: with its own threads, and a peak of memory that nothing else has raised."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from nmt.errors import RunError
from nmt.inference.parallel import end_with_parent, processes


def measured(work: Callable[..., dict[str, Any]], *arguments: Any, threads: int) -> dict[str, Any]:
    """What ``work`` finds, with the ``peak_bytes`` that its process came to hold (or the largest of its own workers; on a GPU: torch, there)."""
    with processes(1, end_with_parent) as pool:
        try:
            return pool.submit(_work, work, threads, arguments).result()
        except BrokenProcessPool as error:
            raise RunError(
                "the process that was measured ended before its work was done; it was killed, perhaps for want of memory"
            ) from error


def _work(work: Callable[..., dict[str, Any]], threads: int, arguments: tuple[Any, ...]) -> dict[str, Any]:
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    found = work(*arguments)
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return found | {"peak_bytes": torch.cuda.max_memory_allocated()}
    unit = 1 if sys.platform == "darwin" else 1024
    largest = max(resource.getrusage(whose).ru_maxrss for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return found | {"peak_bytes": largest * unit}
