"""What the machine can do at best: the rate at which torch multiplies large matrices, in the same precision and with the same threads."""

from __future__ import annotations

import time

import torch

SIDE = {"cpu": 2048, "cuda": 8192, "mps": 4096}
"""Rows and columns: large enough to be bound by arithmetic."""
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def product_rate(device: torch.device, precision: str, rounds: int = 5, threads: int | None = None) -> float:
    """Floating-point operations a second of the best of several products of square matrices, with as many threads as torch has, or as given."""
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
    """Waits for what a device was told to do; a CPU has done it already."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
