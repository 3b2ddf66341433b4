"""Learning rate as a function of the update number, without state, so that a resumed run has the same rates."""

from __future__ import annotations

import math

SCHEDULES = ("constant", "inverse_sqrt", "cosine", "plateau")


def learning_rate(
    schedule: str, update: int, *, peak: float, warmup: int, total: int, factor: float = 1.0, drops: int = 0
) -> float:
    """The learning rate of update 1, 2, ..., ``total``.

    It rises linearly to ``peak`` over ``warmup`` updates. Then `constant` stays there, `inverse_sqrt` falls as
    1/sqrt(update) (Vaswani et al. 2017, section 5.3), `cosine` falls to 0 at ``total`` (Loshchilov and Hutter 2017, one
    cycle), and `plateau` is ``peak * factor**drops``, where ``drops`` counts how often validation stalled.
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
