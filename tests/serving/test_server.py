from __future__ import annotations

import gc

from nmt.serving import server


def test_frozen_objects_are_not_collected_again() -> None:
    loaded = [[] for _ in range(1000)]  # type: list[list[object]]
    before = len(gc.get_objects())
    server.freeze_loaded_objects()
    try:
        assert len(gc.get_objects()) < before - len(loaded)
    finally:
        gc.unfreeze()
