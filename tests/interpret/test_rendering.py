from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from nmt.cli.inspect import check_out, save
from nmt.errors import UserError
from nmt.interpret import page
from nmt.interpret.heatmap import Heatmap, Label, Margin
from nmt.interpret.interpretation import METHODS, Interpretation, interpret
from nmt.interpret.terminal import blocks, render
from nmt.lab.plotting import style

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh

HOSTILE = 'a <b>"c" & $5 $6 </title>'


def heatmap_of(*columns: str, row: str = "Hund") -> Heatmap:
    values = [[place / 4 for place in range(len(columns))]]
    return Heatmap([Label(row)], [Label(each) for each in columns], values, "share", Margin("log p", [-0.5]))


@pytest.fixture(params=METHODS)
def interpretation(request: pytest.FixtureRequest, fresh: Fresh) -> Interpretation:
    return interpret(fresh(), HOSTILE, request.param, "runs/toy")


@pytest.mark.parametrize("width", [50, 80, 200])
def test_lines_fit_the_terminal_and_every_row_is_in_every_block(interpretation: Interpretation, width: int) -> None:
    lines = render(interpretation, width).plain.split("\n")
    assert max(map(cell_len, lines)) <= width
    shown = sum(line.endswith(f" {interpretation.heatmap.row_margin.name}") for line in lines)
    first = interpretation.heatmap.row_margin.values[0]
    assert (
        shown
        == sum(interpretation.heatmap.rows[0].text in line and line.endswith(f" {first:.2f}") for line in lines)
        >= 1
    )


def test_shades_grow_with_the_value(fresh: Fresh) -> None:
    interpretation = interpret(fresh(), "a")
    shown = render(
        Interpretation("", "attention", interpretation.sentence, heatmap_of("a", "b", "c", "d", "e")), 80
    ).plain
    assert "Hund    ░░ ▒▒ ▓▓ ██ -0.50" in shown.replace("       ", "    ", 1)


def test_columns_are_numbered_and_their_pieces_stand_below_once_each(fresh: Fresh) -> None:
    pieces = ["Ein", "-e", "Katze", *(f"-{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")]
    columns = [Label(piece, begins=piece[0] != "-") for piece in pieces]
    values = [[0.0] * len(columns)]
    heatmap = Heatmap([Label("Hund")], columns, values, "share", Margin("log p", [-0.5]))
    shown = render(Interpretation("", "attention", interpret(fresh(), "a").sentence, heatmap), 60).plain
    header = next(line for line in shown.split("\n") if line.endswith("log p"))
    assert header.split()[:5] == ["1", "2", "3", "4", "5"]
    legend = " ".join(shown.partition("columns")[2].partition("shades")[0].replace("columns", "").split())
    assert [word for word in legend.split() if not word.isdigit() and word in pieces] == pieces
    assert all(f"{place} {piece}" in legend for place, piece in enumerate(pieces, 1))


def test_blocks_hold_every_column_once_and_no_more_than_fit() -> None:
    columns = [Label("x", begins=place % 3 == 0) for place in range(50)]
    found = blocks(columns, 20)
    assert [label for block in found for label in columns[block]] == columns
    assert max(sum(2 + label.begins for label in columns[block]) for block in found) <= 20
    assert len(found) == 7  # eight columns have 19 letters at most


class Cells(HTMLParser):
    """The names of tags, what cells say on hover, and every attribute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.titles, self.names = list[str](), list[str](), set[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.titles += [value or "" for name, value in attrs if name == "title"]


def test_the_page_loads_nothing_escapes_all_text_and_shows_values_on_hover(interpretation: Interpretation) -> None:
    text = page.html(interpretation)
    found = Cells(text)
    assert not {"script", "img", "link", "iframe", "b", "a"} & set(found.tags)
    assert not {"src", "href", "onclick", "srcset"} & found.names
    assert "http:" not in text
    assert "url(" not in text
    assert text.count("</title>") == 1
    assert "a &lt;b&gt;&quot;c&quot; &amp; $5 $6 &lt;/title&gt;" in text
    assert len(found.titles) == len(interpretation.heatmap.rows) * len(interpretation.heatmap.columns)
    row, column, value = (
        interpretation.heatmap.rows[0].text,
        interpretation.heatmap.columns[0].text,
        interpretation.heatmap.values[0][0],
    )
    assert found.titles[0] == f"{row}, {column}: {value:.3f}"
    assert "prefers-color-scheme: dark" in text


def test_a_folder_gets_every_format_and_a_file_its_own(fresh: Fresh, tmp_path: Path) -> None:
    interpretation = interpret(fresh(), HOSTILE)
    paths, warnings = save(interpretation, tmp_path / "figures")
    assert (sorted(path.name for path in paths), warnings) == (
        [f"{interpretation.kind}.{ending}" for ending in ("html", "json", "png", "svg")],
        [],
    )
    assert ElementTree.fromstring((tmp_path / "figures" / f"{interpretation.kind}.svg").read_bytes()).tag.endswith(
        "svg"
    )
    assert json.loads((tmp_path / "figures" / f"{interpretation.kind}.json").read_bytes()) == interpretation.as_json()
    assert save(interpretation, tmp_path / "one.SVG") == ([tmp_path / "one.SVG"], [])
    assert (tmp_path / "one.SVG").read_bytes() == (tmp_path / "figures" / f"{interpretation.kind}.svg").read_bytes()


@pytest.mark.parametrize("name", ["x.gif", "x.svg.gz", "x.pdf"])
def test_an_unknown_suffix_is_refused(name: str) -> None:
    with pytest.raises(
        UserError, match=rf"^--out: {name}: expected a folder, or a file that ends in \.svg, \.png, \.html, \.json$"
    ):
        check_out(Path(name))


def test_the_extra_plot_is_needed_for_figures_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    for name in ("x.html", "x.json"):
        check_out(Path(name))
    for name in ("x.svg", "x.PNG", "folder"):
        with pytest.raises(UserError, match="need matplotlib"):
            check_out(Path(name))
