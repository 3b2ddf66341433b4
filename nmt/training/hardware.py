"""What the machine offers: device, memory that is kept."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import Any

import torch

from nmt.faults import InputFault
from nmt.models.precision import computes_bf16


def device(wanted: str) -> torch.device:
    """The device of that name, or for ``auto`` the first of CUDA, MPS and CPU that is there."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        wanted = next(name for name, available in there.items() if available)
    if not there[wanted]:
        raise InputFault(f"training.device: {wanted} is not there; expected one of {', '.join(name for name in there if there[name])}, or auto")
    return torch.device(wanted)


def describe() -> dict[str, Any]:
    """The kind of machine, for the records; nothing that names it."""
    there = {"system": platform.system(), "architecture": platform.machine(), "cores": os.cpu_count(), "bf16": computes_bf16(torch.device("cpu"))}
    return there | ({"gpu": torch.cuda.get_device_name()} if torch.cuda.is_available() else {})


def keep_few_kernels() -> None:
    """Tells oneDNN to keep 64 of the kernels that it makes for every shape of a product, unless the environment says otherwise.

    Batches have thousands of shapes, so that hardly one comes again before the 1,024 kept by default are full; within an update the
    layers of a stack share theirs. To be called before torch multiplies for the first time.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


def keep_freed_memory() -> None:
    """Tells glibc to keep freed blocks. By default it returns each large one to the system, and a training step that asks for the same
    hundreds of megabytes again spends a quarter of its time on page faults. Elsewhere nothing happens."""
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(-4, 0)  # M_MMAP_MAX: no block of its own mapping
        mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
