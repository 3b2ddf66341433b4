from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from nmt.errors import UserError
from nmt.lab.plotting import style
from nmt.lab.studies import figures, page, plan, report, verdicts
from nmt.lab.studies.analysis import Analysis
from nmt.lab.studies.results import read_summary
from nmt.lab.studies.tables import MARK, tables
from tests.lab.studies.example import COSTS, K50, Changes, analysis

ORIGIN = {"command": "nmt study recipes/bottleneck.yaml", "commit": "abc", "date": "2026-01-01"}
VOID = {"meta", "br", "hr", "link", "img"}


class Page(HTMLParser):
    """The content of a page; fails where an element is not closed as it was opened."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.feed(content)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value for name, value in attributes if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def drawn(found: Analysis) -> str:
    """The page without its figures, which take time."""
    made = tables(found, verdicts.expectations(found), verdicts.claims(found))
    commands = list(report.commands(found, ORIGIN["command"]))
    return page.html("The title", ["A paragraph."], found, made, [], {"corpus": "made-up"}, commands)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "summary.md").write_text("# By hand\n\nOne\nparagraph & more.\n\nAnother.\n")
    report.save(analysis(singles=COSTS, missing=["none-seed1"]), ORIGIN, folder)
    return folder


def test_a_report_is_json_markdown_a_page_and_figures(saved: Path) -> None:
    names = {
        "summary.md",
        "bottleneck.json",
        "bottleneck.md",
        "index.html",
        *(f"{name}.{ending}" for name in ("cost", "capacity", "positions") for ending in ("svg", "png")),
    }
    assert {path.name for path in saved.iterdir()} == names


def test_a_summary_written_by_hand_opens_the_report_and_the_page(saved: Path) -> None:
    assert read_summary(saved) == ["By hand", "One paragraph & more.", "Another."]
    assert (saved / "bottleneck.md").read_text().startswith("# By hand\n\nOne paragraph & more.\n\nAnother.\n\n")
    content = (saved / "index.html").read_text()
    assert "<h1>By hand</h1>" in content
    assert "<p>One paragraph &amp; more.</p><p>Another.</p>" in content


def test_without_a_summary_the_report_says_nothing_but_numbers(tmp_path: Path) -> None:
    assert read_summary(tmp_path) == []


def test_the_page_is_well_formed_needs_nothing_from_anywhere_and_runs_nothing(saved: Path) -> None:
    content = (saved / "index.html").read_text()
    found = Page(content)
    assert "http:" not in content
    assert "https:" not in content
    assert not {"script", "link", "iframe", "img", "style"} & set(found.tags[found.tags.index("body") :])
    assert re.findall(r"@import|url\((?!#)|\son\w+=", content) == []


def test_no_two_figures_of_a_page_share_a_name(saved: Path) -> None:
    found = Page((saved / "index.html").read_text())
    assert len(found.ids) == len(set(found.ids)) > 100


def test_every_figure_of_the_page_says_what_it_shows(saved: Path) -> None:
    content = (saved / "index.html").read_text()
    assert content.count("<svg") == content.count('<svg role="img" aria-label="') + content.count(
        '<svg class="matrix" role="img" aria-label="'
    )


def test_words_are_explained_before_the_figures_and_all_tables_but_the_first_are_folded(saved: Path) -> None:
    content = (saved / "index.html").read_text()
    assert all(f"<dt>{term}</dt>" in content.partition("<h2>")[0] for term, _ in page.TERMS)
    assert content.count("<details open>") == 1
    assert content.count("<details") == content.count("<table") > 5


def test_the_published_page_has_the_present_style_and_words() -> None:
    content = (Path(__file__).parents[3] / "docs" / "results" / "bottleneck" / "index.html").read_text()
    Page(content)
    assert f"<style>{page.STYLE}</style>" in content
    assert all(f"<dt>{term}</dt><dd>{text}</dd>" in content for term, text in page.TERMS)
    assert content.count("<details") == content.count("<table")


def test_text_from_models_and_recipes_is_escaped() -> None:
    content = drawn(analysis(missing=["<script>alert(1)</script>"], attention_title="<i>attention</i> & co"))
    Page(content)
    assert "<script>" not in content
    assert "<b>dog</b>" not in content
    assert "A &lt;b&gt;dog&lt;/b&gt; &amp; attention" in content
    assert "&lt;i&gt;attention&lt;/i&gt; &amp; co" in content


def test_runs_that_are_missing_are_named() -> None:
    assert "Not finished: none-seed1, none-seed2." in drawn(analysis(missing=["none-seed1", "none-seed2"]))
    assert "Not finished" not in drawn(analysis())


def test_the_page_shows_a_sentence_with_its_reference_and_the_translations_of_the_main_systems() -> None:
    text = "".join(Page(drawn(analysis(reference="Dogs, rightly"))).text)
    assert all(
        part in text for part in ("Ein Hunde", "Dogs, rightly", "& attention", "& thought-vector", "& transformer")
    )


@pytest.mark.parametrize(
    ("left_out", "absent"),
    [
        ({"k50": {}}, "width 32"),
        ({"losses": {}}, "chrF2 at each position"),
        ({"seeds": 1}, " to 17.3"),
        ({"core": ("attention",)}, '"row">Transformer'),
    ],
)
def test_a_study_that_is_not_complete_has_a_report_of_what_there_is(left_out: Changes, absent: str) -> None:
    found = analysis(**left_out)
    assert next(chart.name for chart in figures.charts(found)) == "cost"
    assert absent not in drawn(found)
    Page(drawn(found))


def test_the_numbers_of_the_markdown_are_those_of_the_json(saved: Path) -> None:
    found, text = json.loads((saved / "bottleneck.json").read_text()), (saved / "bottleneck.md").read_text()
    for beam in (1, 5):
        table = text.split(f"## Cost of concatenation in BLEU, beam {beam}\n")[1].split("##")[0]
        for name, about in found["systems"].items():
            [row] = re.findall(rf"^\| {re.escape(about['title'])}(?:{MARK})? \| (.*) \|$", table, re.MULTILINE)
            for cell, size in zip(row.split(" | "), (2, 3, 4, 8), strict=True):
                values = [
                    cost["value"]
                    for cost in found["costs"]
                    if (cost["system"], cost["k"], cost["beam"]) == (name, size, beam)
                ]
                wanted = [sum(values) / len(values), min(values), max(values)][: 3 if len(values) > 1 else 1]
                assert [float(number) for number in re.findall(r"-?[\d.]+", cell)] == pytest.approx(wanted, abs=0.0501)


def test_rows_of_a_single_seed_are_marked(saved: Path) -> None:
    text = (saved / "bottleneck.md").read_text()
    assert f"| width 32{MARK} |" in text
    assert f"| attention{MARK} |" not in text
    assert f"- {MARK.strip()} one seed\n" in text


def test_the_commands_name_the_files_of_a_run_and_the_numbers_that_they_give() -> None:
    *_, together, single = report.commands(analysis(), "nmt study recipes/bottleneck.yaml")
    options, reference = "-m bleu -b -w 2 -tok 13a", "outputs/references/test.concatenated4.txt"
    run = "outputs/attention-seed1"
    assert together[1] == f"sacrebleu {reference} -i {run}/test.concatenated4.beam5.txt {options}"
    pasted = f"paste -d ' ' - - - - < {run}/test.concatenated1.beam5.txt"
    assert single[1] == f"{pasted} | sacrebleu {reference} {options}"
    assert "34.40" in together[0]
    assert "35.00" in single[0]


def test_a_system_has_the_same_style_whatever_else_is_finished() -> None:
    whole, part = (
        figures.styles(analysis(core=core))
        for core in (("thought-vector", "attention", "transformer"), ("attention", "transformer"))
    )
    assert {name: whole[name] for name in part} == part
    assert len({drawn.color for drawn in whole.values()}) == len(whole)


def test_figures_are_drawn_to_be_read_on_a_phone(saved: Path) -> None:
    for name in ("cost", "capacity", "positions"):
        [width] = re.findall(r'<svg[^>]* width="([\d.]+)pt"', (saved / f"{name}.svg").read_text())
        assert float(width) < 330


def test_a_width_that_keeps_more_than_half_throughout_is_drawn_at_the_end_of_the_scale() -> None:
    sweep = next(chart for chart in figures.charts(analysis(k50=K50)) if chart.name == "capacity")
    assert "512 numbers: more than 8" in sweep.panels[0].alt
    _, (axes,) = style.subplots()
    sweep.panels[0].draw(axes)
    assert list(np.asarray(axes.get_lines()[0].get_xydata())[-1]) == [512, 8]


def test_without_a_finished_run_there_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        "study: {kind: bottleneck, baseline: one}\n"
        "recipe: {data: {corpus: builtin}, training: {updates: 1}}\n"
        "systems: {one: {title: one}}\n"
    )
    with pytest.raises(
        UserError, match=r"^no run of this study is finished in .*results; train with nmt study recipes/small.yaml"
    ):
        report.write(plan.read(tmp_path / "small.yaml"), tmp_path / "results", lambda text: None)
