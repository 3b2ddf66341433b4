"""Learning rates as functions of the update number: nothing inside counts, so a resumed run has the rates of an uninterrupted one."""

from __future__ import annotations

import math

SCHEDULES = ("constant", "inverse_sqrt", "cosine", "plateau")


def learning_rate(
    schedule: str, update: int, *, peak: float, warmup: int, total: int, factor: float = 1.0, drops: int = 0
) -> float:
    """The learning rate of update 1, 2, ..., ``total``.

    It rises linearly to ``peak`` over ``warmup`` updates; then `constant` stays, `inverse_sqrt` falls as 1/sqrt(update) (Vaswani et al.
    2017, section 5.3), `cosine` falls to 0 at ``total`` (Loshchilov and Hutter 2017, one cycle), and `plateau` has been multiplied by
    ``factor`` as many times as validation stalled (``drops``).
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"training.schedule: expected one of {', '.join(SCHEDULES)}, found {schedule!r}")
    if update <= warmup:
        return peak * update / warmup
    if schedule == "inverse_sqrt":
        return peak * math.sqrt(max(warmup, 1) / update)
    if schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (update - warmup) / max(1, total - warmup))))
    if schedule == "plateau":
        return peak * factor**drops
    return peak
