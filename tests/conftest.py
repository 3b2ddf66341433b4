"""Tests compute on one thread: tiny tensors gain nothing from more, and sums are then the same on every machine."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
