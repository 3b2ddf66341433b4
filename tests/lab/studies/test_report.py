from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nmt.errors import UserError
from nmt.lab.plotting import style
from nmt.lab.studies import figures, page, plan, report
from nmt.lab.studies.findings import Findings
from nmt.lab.studies.tables import MARK, tables
from tests.lab.studies.example import COSTS, K50, analysis

VOID = {"meta", "br", "hr", "link", "img"}


class Attention(HTMLParser):
    """What stands in a page; fails where an element is not closed as it was opened."""

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


def drawn(found: dict[str, Any]) -> str:
    """The page without its figures, which take the time."""
    findings = Findings(report.complete(found))
    said = [findings.found["answer"], *findings.found["paragraphs"]]
    return page.html(findings, said, tables(findings), [], list(report.repeated(findings)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with everything in it."""
    folder = tmp_path_factory.mktemp("report")
    report.save(
        report.complete(analysis(singles=COSTS, longer=COSTS, matched=(7, 12, 16, 21), missing=["none-seed1"])), folder
    )
    return folder


def test_a_report_is_json_markdown_a_page_and_figures(saved: Path) -> None:
    names = {
        "bottleneck.json",
        "bottleneck.md",
        "index.html",
        *(f"{name}.{ending}" for name in ("cost", "capacity", "positions") for ending in ("svg", "png")),
    }
    assert {path.name for path in saved.iterdir()} == names


def test_the_page_is_well_formed_needs_nothing_from_anywhere_and_runs_nothing(saved: Path) -> None:
    content = (saved / "index.html").read_text()
    found = Attention(content)
    assert "http:" not in content
    assert "https:" not in content
    assert not {"script", "link", "iframe", "img", "style"} & set(found.tags[found.tags.index("body") :])
    assert re.findall(r"@import|url\((?!#)|\son\w+=", content) == []


def test_no_two_figures_of_a_page_share_a_name(saved: Path) -> None:
    found = Attention((saved / "index.html").read_text())
    assert len(found.ids) == len(set(found.ids)) > 100


def test_every_figure_of_the_page_says_what_it_shows(saved: Path) -> None:
    content = (saved / "index.html").read_text()
    assert content.count("<svg") == content.count('<svg role="img" aria-label="') + content.count(
        '<svg class="matrix" role="img" aria-label="'
    )


def test_text_from_models_and_recipes_is_escaped() -> None:
    found = analysis(missing=["<script>alert(1)</script>"])
    found["systems"]["attention"]["title"] = "<i>attention</i> & co"
    content = drawn(found)
    Attention(content)
    assert "<script>" not in content
    assert "<b>dog</b>" not in content
    assert "A &lt;b&gt;dog&lt;/b&gt; &amp; attention" in content
    assert "&lt;i&gt;attention&lt;/i&gt; &amp; co" in content


def test_runs_that_are_missing_are_named() -> None:
    assert "Not finished, and so not in any number here: none-seed1, none-seed2." in drawn(
        analysis(missing=["none-seed1", "none-seed2"])
    )
    assert "Not finished" not in drawn(analysis())


def test_the_sentence_stands_beside_its_reference_and_what_each_model_made_of_it() -> None:
    text = "".join(Attention(drawn({**analysis(), "reference": "Dogs, rightly"})).text)
    assert all(
        part in text for part in ("Ein Hunde", "Dogs, rightly", "& attention", "& thought-vector", "& transformer")
    )


@pytest.mark.parametrize(
    ("left_out", "absent"),
    [
        ({"k50": {}}, "slot 32"),
        ({"losses": {}}, "chrF2 by place"),
        ({"seeds": 1}, " to 17.3"),
        ({"core": ("attention",)}, '"row">Transformer'),
    ],
)
def test_a_study_that_is_not_complete_has_a_report_of_what_there_is(left_out: dict[str, Any], absent: str) -> None:
    found = report.complete(analysis(**left_out))
    assert next(chart.name for chart in figures.charts(Findings(found))) == "cost"
    assert absent not in drawn(found)
    Attention(drawn(found))


def test_with_one_finished_system_there_is_no_answer_and_no_claim() -> None:
    found = report.complete(analysis(core=("attention",), k50={}, losses={}))
    assert found["answer"].startswith("Not answered yet")
    assert found["claims"] == []


def test_the_numbers_of_the_markdown_are_those_of_the_json(saved: Path) -> None:
    found, text = json.loads((saved / "bottleneck.json").read_text()), (saved / "bottleneck.md").read_text()
    for beam in (1, 5):
        table = text.split(f"## Cost of packing in BLEU, join less pack, beam {beam}\n")[1].split("##")[0]
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
    assert f"| slot 32{MARK} |" in text
    assert f"| attention{MARK} |" not in text
    assert "one seed: one run, without a range over seeds" in text


def test_the_commands_name_the_files_of_a_run_and_the_numbers_that_they_give() -> None:
    _, pack, join = report.repeated(Findings(analysis()))
    options = "-m bleu -b -w 2 -tok 13a"
    assert pack[1] == f"sacrebleu references/test.pack4.txt -i attention-seed1/outputs/test.pack4.beam5.txt {options}"
    assert (
        join[1]
        == f"paste -d ' ' - - - - < attention-seed1/outputs/test.pack1.beam5.txt | sacrebleu references/test.pack4.txt {options}"
    )
    assert "34.40" in pack[0]
    assert "35.00" in join[0]


def test_a_system_has_the_same_ink_whatever_else_is_finished() -> None:
    whole, part = (
        figures.inks(Findings(analysis(core=core)))
        for core in (("thought-vector", "attention", "transformer"), ("attention", "transformer"))
    )
    assert {name: whole[name] for name in part} == part
    assert len({drawn.color for drawn in whole.values()}) == len(whole)


def test_figures_are_drawn_to_be_read_on_a_phone(saved: Path) -> None:
    for name in ("cost", "capacity", "positions"):
        [width] = re.findall(r'<svg[^>]* width="([\d.]+)pt"', (saved / f"{name}.svg").read_text())
        assert float(width) < 330


def test_a_width_that_keeps_more_than_half_throughout_is_drawn_at_the_end_of_the_scale() -> None:
    sweep = next(chart for chart in figures.charts(Findings(analysis(k50=K50))) if chart.name == "capacity")
    assert "512 numbers: more than 8" in sweep.panels[0].alt
    _, (axes,) = style.subplots()
    sweep.panels[0].draw(axes)
    assert list(np.asarray(axes.get_lines()[0].get_xydata())[-1]) == [512, 8]


def test_without_a_finished_run_there_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(
        "study: {kind: bottleneck, baseline: one}\nrecipe: {data: {corpus: builtin}, training: {updates: 1}}\nsystems: {one: {title: one}}\n"
    )
    with pytest.raises(
        UserError, match=r"^no run of this study is finished in .*results; train with nmt study recipes/small.yaml"
    ):
        report.write(plan.read(tmp_path / "small.yaml"), tmp_path / "results", lambda text: None)
