"""Devices, and the precision of matrix products: fp32, or bf16 by autocast."""

from __future__ import annotations

import torch

from nmt.errors import UserError


def find_device(wanted: str) -> torch.device:
    """The device of that name, or for ``auto`` the first available of CUDA, MPS and CPU.

    Raises `UserError` for a device that this machine does not have.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        wanted = next(name for name, usable in available.items() if usable)
    if not available[wanted]:
        others = ", ".join(name for name in available if available[name])
        raise UserError(f"device: {wanted} is not available on this machine; expected one of {others}, or auto")
    return torch.device(wanted)


def resolve_precision(wanted: str, device: torch.device) -> str:
    """``auto`` is bf16 where the hardware computes in it, and fp32 elsewhere."""
    return wanted if wanted != "auto" else "bf16" if computes_bf16(device) else "fp32"


def computes_bf16(device: torch.device) -> bool:
    """Whether the device has instructions for bf16; emulation does not count."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # torch has no public function for CPUs
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Autocast to bf16, or without effect for fp32."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
