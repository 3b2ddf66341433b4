"""Every check with a small count: what `python -m tools.checks NAME` does often."""

from __future__ import annotations

import pytest

from tools.checks.check import SkippedError, tally
from tools.checks.table import CHECKS

COUNTS = {
    "kills": 2,
    "signals": 5,
    "damage": 4,
    "full": 4,
    "seeds": 1,
    "finite": 3,
    "hub": 2,
    "lines": 60,
    "html": 50,
    "batches": 10,
    "survive": 30,
    "mismatched": 21,
    "recipes": 60,
    "strangers": 6,
    "large": 2000,
    "load": 100,
    "clients": 6,
    "poison": 40,
    "sentences": 4,
    "drain": 2,
    "limits": 14,
    "fuzz": 300,
    "schema": 3,
    "overload": 300,
    "latency": 20,
    "page": 4,
}
"""Left out: soak takes minutes, and clone runs these very tests."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", COUNTS)
def test_the_promise_holds(name: str) -> None:
    (check,) = (each for each in CHECKS if each.name == name)
    try:
        found = tally(check, COUNTS[name])
    except SkippedError as reason:
        pytest.skip(str(reason))
    assert found.trials
    assert found.faults == []
