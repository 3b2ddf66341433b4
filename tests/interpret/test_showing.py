from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from nmt.errors import UserError
from nmt.interpret import page, picture, saving
from nmt.interpret.matrix import Label, Margin, Matrix
from nmt.interpret.terminal import blocks, drawing
from nmt.interpret.view import KINDS, View, look
from nmt.lab.plotting import canvas

if TYPE_CHECKING:
    from tests.interpret.conftest import Fresh

HOSTILE = 'a <b>"c" & $5 $6 </title>'


def of(*columns: str, row: str = "Hund") -> Matrix:
    values = [[place / 4 for place in range(len(columns))]]
    return Matrix([Label(row)], [Label(each) for each in columns], values, "share", Margin("log p", [-0.5]))


@pytest.fixture(params=KINDS)
def view(request: pytest.FixtureRequest, fresh: Fresh) -> View:
    return look(fresh(), HOSTILE, request.param, "runs/toy")


@pytest.mark.parametrize("width", [50, 80, 200])
def test_the_terminals_lines_fit_its_width_and_every_row_stands_in_every_part(view: View, width: int) -> None:
    lines = drawing(view, width).plain.split("\n")
    assert max(map(cell_len, lines)) <= width
    parts = sum(line.endswith(f" {view.matrix.beside.name}") for line in lines)
    first = view.matrix.beside.values[0]
    assert parts == sum(view.matrix.rows[0].text in line and line.endswith(f" {first:.2f}") for line in lines) >= 1


def test_shades_grow_with_the_value(fresh: Fresh) -> None:
    view = look(fresh(), "a")
    shown = drawing(View("", "attention", view.subject, of("a", "b", "c", "d", "e")), 80).plain
    assert "Hund    ░░ ▒▒ ▓▓ ██ -0.50" in shown.replace("       ", "    ", 1)


def test_parts_hold_every_column_once_and_no_more_than_fit() -> None:
    columns = [Label("x", begins=place % 3 == 0) for place in range(50)]
    parts = blocks(columns, 20)
    assert [label for part in parts for label in columns[part]] == columns
    assert max(sum(2 + label.begins for label in columns[part]) for part in parts) <= 20
    assert len(parts) == 7  # eight columns have 19 letters at most


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


def test_the_page_asks_nobody_for_anything_escapes_all_text_and_tells_values_on_hover(view: View) -> None:
    text = page.html(view)
    found = Cells(text)
    assert not {"script", "img", "link", "iframe", "b", "a"} & set(found.tags)
    assert not {"src", "href", "onclick", "srcset"} & found.names
    assert "http:" not in text
    assert "url(" not in text
    assert text.count("</title>") == 1
    assert "a &lt;b&gt;&quot;c&quot; &amp; $5 $6 &lt;/title&gt;" in text
    assert len(found.titles) == len(view.matrix.rows) * len(view.matrix.columns)
    row, column, value = view.matrix.rows[0].text, view.matrix.columns[0].text, view.matrix.values[0][0]
    assert found.titles[0] == f"{row}, {column}: {value:.3f}"
    assert "prefers-color-scheme: dark" in text


def test_a_folder_gets_every_format_and_a_file_its_own(fresh: Fresh, tmp_path: Path) -> None:
    view = look(fresh(), HOSTILE)
    paths, warnings = saving.save(view, tmp_path / "pictures")
    assert (sorted(path.name for path in paths), warnings) == (
        [f"{view.kind}.{ending}" for ending in ("html", "json", "png", "svg")],
        [],
    )
    assert ElementTree.fromstring((tmp_path / "pictures" / f"{view.kind}.svg").read_bytes()).tag.endswith("svg")
    assert json.loads((tmp_path / "pictures" / f"{view.kind}.json").read_bytes()) == view.as_json()
    assert saving.save(view, tmp_path / "one.SVG") == ([tmp_path / "one.SVG"], [])
    assert (tmp_path / "one.SVG").read_bytes() == (tmp_path / "pictures" / f"{view.kind}.svg").read_bytes()


@pytest.mark.parametrize("name", ["x.gif", "x.svg.gz", "x.pdf"])
def test_an_ending_that_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(
        UserError, match=rf"^--out: {name}: expected a folder, or a file that ends in \.svg, \.png, \.html, \.json$"
    ):
        saving.check(Path(name))


def test_the_extra_is_asked_for_only_by_what_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "find_spec", lambda name: None)
    for name in ("x.html", "x.json"):
        saving.check(Path(name))
    for name in ("x.svg", "x.PNG", "folder"):
        with pytest.raises(UserError, match="extra plot"):
            saving.check(Path(name))


def test_a_picture_shows_dollars_as_they_are_and_continued_words_in_grey() -> None:
    matrix = of("$5", "$6")
    matrix.columns.append(Label("-$", begins=False))
    matrix.values[0].append(0.0)
    (panel, *_) = picture.figure(matrix).axes
    names = panel.get_xticklabels()
    assert [name.get_text() for name in names] == [r"\$5", r"\$6", r"-\$"]
    assert [name.get_color() == picture.FAINT for name in names] == [False, False, True]


def test_letters_that_the_pictures_font_lacks_are_a_warning() -> None:
    assert picture.rendered(canvas.svg, of("Hund"))[1] == []
    assert picture.rendered(canvas.svg, of("猫"))[1] == [
        "the font of the picture lacks some of these characters; the HTML page shows them all"
    ]
