from __future__ import annotations

import gc

from nmt.serving import server


def test_a_collection_does_not_look_through_what_was_loaded_before() -> None:
    loaded = [[] for _ in range(1000)]  # type: list[list[object]]
    before = len(gc.get_objects())
    server.settle()
    try:
        assert len(gc.get_objects()) < before - len(loaded)
    finally:
        gc.unfreeze()
