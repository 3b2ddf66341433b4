from __future__ import annotations

from nmt.interpret.heatmap import Heatmap, Label, Margin
from nmt.lab.plotting import style
from nmt.lab.plotting.interpretation import GREY, figure, render


def heatmap_of(*columns: str) -> Heatmap:
    values = [[place / 4 for place in range(len(columns))]]
    return Heatmap([Label("Hund")], [Label(each) for each in columns], values, "share", Margin("log p", [-0.5]))


def test_a_figure_shows_dollars_as_they_are_and_continued_words_in_grey() -> None:
    heatmap = heatmap_of("$5", "$6")
    heatmap.columns.append(Label("-$", begins=False))
    heatmap.values[0].append(0.0)
    (panel, *_) = figure(heatmap).axes
    names = panel.get_xticklabels()
    assert [name.get_text() for name in names] == [r"\$5", r"\$6", r"-\$"]
    assert [name.get_color() == GREY for name in names] == [False, False, True]


def test_characters_that_the_font_lacks_are_a_warning() -> None:
    assert render(style.svg, heatmap_of("Hund"))[1] == []
    assert render(style.svg, heatmap_of("猫"))[1] == [
        "the font of the figure lacks some of these characters; the HTML page shows them all"
    ]
