"""The figures of docs/results, as the pages quote them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from math import log
from statistics import linear_regression
from typing import Any

from tests.docs.pages import ROOT

CORE = {"thought-vector": "the thought vector", "attention": "attention", "transformer": "the Transformer"}


@cache
def read(path: str) -> Any:
    """The JSON file ``path`` under docs/results."""
    return json.loads((ROOT / "docs" / "results" / path).read_text(encoding="utf-8"))


def spread(values: list[float], digits: int = 1) -> str:
    """Mean, smallest and largest, such as ``10.3 (9.7 to 10.8)``."""
    mean = sum(values) / len(values)
    return f"{mean:.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def costs(system: str, size: int = 4, key: str = "value") -> list[float]:
    """A column of the table of costs in the study of the bottleneck at beam 5, one value a seed."""
    rows = read("bottleneck/bottleneck.json")["costs"]
    return [row[key] for row in rows if (row["system"], row["k"], row["beam"]) == (system, size, 5)]


def interval(score: dict[str, float]) -> str:
    """The 95 % interval of a score, such as ``38.9 to 42.0``."""
    return f"{score['low']:.1f} to {score['high']:.1f}"


def ladder_bleu(system: str) -> str:
    """BLEU of a row of the ladder."""
    return next(
        f"{row['scores']['bleu']['value']:.2f}" for row in read("ladder/ladder.json")["rows"] if row["system"] == system
    )


def peers(work: str, family: str, party: str) -> tuple[str, dict[str, str]]:
    """The rate of one party, and its ratio to each peer with the spread over rounds."""
    rows = [row for row in read(f"bench/peers-{work}-{family}/bench.json")["rows"] if row["system"] == party]
    return f"{rows[0]['rate']:,.0f}", {row["against"]: _ratio(row) for row in rows}


def _ratio(row: dict[str, float]) -> str:
    digits = 1 if row["ratio"] > 10 else 2
    return f"{row['ratio']:.{digits}f} ({row['low']:.{digits}f} to {row['high']:.{digits}f})"


def grown(work: str, family: str, value: str, **conditions: object) -> float:
    """One value of the benchmark of growth: fp32, two threads, and the default of every condition that is not named."""
    wanted = {
        "family": family,
        "precision": "fp32",
        "threads": 2,
        "workers": 1,
        "engine": "torch",
        "length": 15,
        "batch_tokens": 4096,
        "beam": 5,
        **conditions,
    }
    rows = read(f"bench/growth-{work}/bench.json")["rows"]
    return next(float(row[value]) for row in rows if wanted.items() <= row.items())


def power(sizes: Sequence[int], values: Sequence[float]) -> str:
    """The p of the least-squares fit value = c size^p."""
    return f"{linear_regression([log(size) for size in sizes], [log(value) for value in values]).slope:.2f}"
