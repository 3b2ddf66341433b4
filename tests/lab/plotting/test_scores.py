from __future__ import annotations

import numpy as np

from nmt.evaluation import averages
from nmt.lab.plotting import scores
from tests.evaluation.test_averages import row


def test_a_panel_names_every_system_and_marks_those_that_differ_from_the_baseline() -> None:
    rows = [row("base", 0.3, 1, 2), row("better", 0.1, 1), row("base", 0.3, 1, beam=1)]
    found = averages.average(rows, languages="de-en", baseline="base")
    figure = scores.draw([found, found])
    assert len(figure.axes) == 2
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["base, beam 5", "better *", "base, beam 1"]


def test_every_seed_is_a_point_at_its_score() -> None:
    found = averages.average([row("base", 0.3, 1, 2, 3)], languages="de-en")
    (axes,) = scores.draw([found]).axes
    points = next(line for line in axes.get_lines() if line.get_marker() == "s")
    values = [result.scores.bleu.value for result in found.rows[0].row.results]
    assert np.asarray(points.get_xdata()).tolist() == values
