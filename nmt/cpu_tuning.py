"""What a process that computes asks of the libraries below torch, before torch multiplies for the first time."""

from __future__ import annotations

import ctypes
import os
import sys


def keep_freed_memory() -> None:
    """Tells glibc to keep freed blocks. By default it returns each large one to the system, and who asks for the same megabytes again, in every
    update of training and every step of a search, waits a tenth to a third of the time for empty pages. Elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(-4, 0)  # M_MMAP_MAX: no block of its own mapping
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def keep_few_kernels(count: int = 64) -> None:
    """Tells oneDNN to keep so many of the kernels that it makes for every shape of a product, unless the environment says otherwise.

    Batches have thousands of shapes, so that hardly one comes again before the 1,024 kept by default are full; within an update the
    layers of a stack share theirs.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(count))
