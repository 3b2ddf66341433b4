from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from nmt.lab.bench import figures
from nmt.lab.bench.cases import Case, sweep
from nmt.lab.plotting.curves import Curve

BASE = Case("attention", "decode", source=15)
RELATION = next(each for each in figures.RELATIONS if each.name == "decoding-length")


def rows() -> list[dict[str, Any]]:
    """A machine that decodes 100 positions a second, whatever is asked."""
    return [
        asdict(case) | {"positions_per_second": 100.0}
        for case in sweep(BASE, {"length": (30, 10), "beam": (1,), "precision": ("bf16",)})
    ]


def test_a_curve_has_the_rows_that_differ_from_the_base_only_in_its_setting() -> None:
    [curve] = figures.curves_of(rows(), RELATION)
    assert (curve.label, curve.x, curve.y) == ("attention", [10, 15, 30], [100.0, 150.0, 300.0])


def test_one_point_is_no_curve() -> None:
    assert figures.curves_of(rows()[:1], RELATION) == []


@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_the_exponent_of_growth_is_that_of_the_curve(exponent: float) -> None:
    assert figures.exponent(Curve("", [1, 2, 8, 32], [3 * x**exponent for x in (1, 2, 8, 32)])) == pytest.approx(
        exponent
    )


def test_figures_are_written_only_for_what_was_measured(tmp_path: Path) -> None:
    assert [path.name for path in figures.save(rows(), tmp_path)] == [
        f"decoding-{over}.{kind}" for over in ("length", "beam") for kind in ("svg", "png")
    ]
