from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from nmt.errors import UserError
from nmt.lab.plotting import curves, heatmap, style
from nmt.lab.plotting.curves import Curve

CURVES = [
    Curve("thought vector", [1, 2, 4], [30.0, 20.0, None], [29.0, 18.0, None], [31.0, 22.0, None]),
    Curve("attention", [1, 2, 4], [31, 30, 30]),
]


def test_the_same_figure_gives_the_same_bytes_as_svg_and_png(tmp_path: Path) -> None:
    saved = []
    for name in ("one", "other"):
        figure, (axes,) = style.subplots()
        curves.draw(axes, CURVES, x="sentences", y="BLEU", log_x=True)
        saved.append([path.read_bytes() for path in style.save(figure, tmp_path / name)])
    assert saved[0] == saved[1]
    assert ElementTree.fromstring(saved[0][0]).tag.endswith("svg")
    assert saved[0][1].startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "one.svg", "other.png", "other.svg"]


def test_curves_differ_in_colour_marker_and_dash_and_the_legend_names_them() -> None:
    _, (axes,) = style.subplots()
    curves.draw(axes, CURVES, x="sentences", y="BLEU")
    first, second = axes.get_lines()
    assert len({first.get_color(), second.get_color()}) == len({first.get_marker(), second.get_marker()}) == 2
    assert first.get_linestyle() != second.get_linestyle()
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["thought vector", "attention"]


def test_a_logarithmic_axis_that_spans_less_than_a_decade_has_labels() -> None:
    figure, (axes,) = style.subplots()
    curves.draw(axes, [Curve("rate", [10, 200], [2600, 8400])], x="length", y="pieces a second", log_x=True, log_y=True)
    figure.draw_without_rendering()
    low, high = axes.get_ylim()
    assert [text.get_text() for text in axes.get_yticklabels() if low <= text.get_position()[1] <= high] == [
        "3,000",
        "5,000",
    ]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["10", "200"]


def test_a_heatmap_names_every_row_and_column() -> None:
    _, (axes,) = style.subplots()
    heatmap.draw(
        axes, [[0.1, 0.9], [1.0, 0.0], [0.5, 0.5]], rows=["a", "dog", "."], columns=["ein", "Hund"], scale="weight"
    )
    assert [text.get_text() for text in axes.get_xticklabels()] == ["ein", "Hund"]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "dog", "."]


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'nmt-recipes\[plot\]'"):
        style.subplots()
