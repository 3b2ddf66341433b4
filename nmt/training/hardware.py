"""What the machine offers."""

from __future__ import annotations

import os
import platform
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
