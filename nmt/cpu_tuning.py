"""Settings of the C libraries below torch, made before the first matrix product."""

from __future__ import annotations

import ctypes
import os
import sys


def keep_freed_memory() -> None:
    """Makes glibc keep freed blocks. By default it returns each large block to the system, and allocating the same
    megabytes again, in every update of training and every step of search, takes a tenth to a third of the time.
    Elsewhere than on Linux with glibc nothing changes."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(-4, 0)  # M_MMAP_MAX: no block of its own mapping
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD


def keep_few_kernels(count: int = 64) -> None:
    """Limits how many compiled matrix products oneDNN keeps, one for every shape, unless the environment sets it.

    Batches have thousands of shapes, so that hardly one recurs before the default of 1,024 is full; within an update
    the layers of a stack share theirs.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(count))
