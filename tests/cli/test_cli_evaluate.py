from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sacrebleu.metrics.chrf import CHRF

import nmt as package
from nmt.evaluation import evaluation_log
from nmt.evaluation.metrics import METRICS
from nmt.evaluation.testsets import text_sha256
from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

SOURCE = ["rot Hund", "klein Baum groß Haus", "Katze grün"]


@pytest.fixture
def news(nmt: Nmt) -> str:
    """An option for a test set of two files."""
    Path("news.de").write_text("".join(f"{line}\n" for line in SOURCE), "utf8")
    Path("news.en").write_text("dog red\nhouse tall tree small\ngreen cat\n", "utf8")
    return "--test=news=news.de,news.en"


def test_the_recipes_test_set_is_scored_into_a_table_and_the_run_folder(nmt: Nmt) -> None:
    outcome = nmt("evaluate", "runs/toy")
    assert outcome.status == 0
    title, header, _, row = outcome.out.decode().split("\n")[:4]
    assert title == "test: 6 sentences, under 100: read the intervals"
    assert header.split()[:3] == ["run", "BLEU", "95"]
    assert row.split()[0] == "runs/toy"
    [record] = evaluation_log.read(Run(Path("runs/toy")))
    assert record.scores.bleu.signature in outcome.out.decode()
    assert outcome.err.splitlines()[0] == "runs/toy: translating 6 sentences of test"
    assert "warning: runs/toy: 6 sentences are too few" in outcome.err
    lines = Path("runs/toy", record.output or "").read_text("utf8").splitlines()
    assert len(lines) == 6
    assert text_sha256(lines) == record.as_json()["output_sha256"]


def test_json_is_one_document_with_an_object_for_each_test_set(nmt: Nmt, news: str) -> None:
    Path("copy.de").write_bytes(Path("news.de").read_bytes())
    outcome = nmt(
        "evaluate", "-q", "runs/toy", news, "--test=copy=copy.de,news.en", "--json", "--by-length", "--beam", "1"
    )
    reports = json.loads(outcome.out)
    assert [[record["test"] for record in each["results"]] for each in reports] == [["news"], ["copy"]]
    assert reports[0]["results"][0]["search"]["beam"] == 1
    assert [bucket["sentences"] for bucket in reports[0]["results"][0]["by_length"]] == [3]
    assert outcome.err == ""


def test_what_is_scored_is_what_translate_gives(nmt: Nmt, news: str) -> None:
    nmt("evaluate", "runs/toy", news)
    [record] = evaluation_log.read(Run(Path("runs/toy")))
    found = [each.text for each in package.load("runs/toy").translate(SOURCE)]
    assert Path("runs/toy", record.output or "").read_text("utf8").splitlines() == found


def test_several_runs_are_compared_with_the_first(nmt: Nmt, news: str) -> None:
    shutil.copytree("runs/toy", "runs/twin")
    outcome = nmt("evaluate", "runs/toy", "runs/twin", news)
    scores, differences = outcome.out.decode().split("compared with runs/toy\n")
    assert [line.split()[0] for line in scores.split("\n")[3:5]] == ["runs/toy", "runs/twin"]
    assert "runs/twin  +0.00  +0.00 to +0.00  1.000  +0.00  +0.00" in differences
    [report] = json.loads(nmt("evaluate", "runs/toy", "runs/twin", news, "--json").out)
    assert [each["difference"] for each in report["against_first"][0]] == [0.0, 0.0, 0.0]


def test_the_tables_of_a_comparison_fit_80_columns_and_say_in_one_line_what_the_mark_means(nmt: Nmt, news: str) -> None:
    long = [f"runs/a-long-name-of-a-translation-model-{number}" for number in (1, 2)]
    for path in long:
        shutil.copytree("runs/toy", path)
    tables = nmt("evaluate", "-q", *long, news).out.decode().split("\n\n")
    assert [len(line) <= 80 for line in tables[0].splitlines() + tables[2].splitlines()].count(False) == 0
    assert "* p < 0.025 by paired bootstrap (5 % two-sided); says nothing of training seeds" in tables[3].splitlines()


def test_a_metric_that_is_added_to_the_table_is_scored_compared_and_logged(
    nmt: Nmt, news: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS, "chrf++", lambda target: CHRF(word_order=2))
    shutil.copytree("runs/toy", "runs/twin")
    lines = nmt("evaluate", "runs/toy", "runs/twin", news).out.decode().split("\n")
    assert ["chrF2++" in line for line in lines if line.startswith("run ")] == [True, True]
    assert b"chrF2++" in nmt("info", "runs/toy", "--scores").out
    assert [score.name for score in evaluation_log.read(Run(Path("runs/toy")))[0].scores.metrics][3:] == ["chrF2++"]


def test_quality_by_length_follows_the_table(nmt: Nmt, news: str) -> None:
    out = nmt("evaluate", "runs/toy", news, "--by-length").out.decode()
    assert "runs/toy on news\nsource words  sentences" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--test=news=news.de,short.en"], "test set news: news.de has 3 lines, but short.en has 1"),
        (["--test=news=news.de,absent.en"], "absent.en: no such file"),
        (["--test=news=news.de"], "expected NAME=SRC,REF"),
        (["--test=news=news.de,bad.en"], "bad.en:2: invalid UTF-8"),
        (["--test=a=news.de,news.en", "--test=a=news.de,news.en"], "the name is given twice"),
        (["runs/none"], "runs/none: no such run folder"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_is_translated(
    nmt: Nmt, news: str, options: list[str], words: str
) -> None:
    Path("short.en").write_text("dog red\n")
    Path("bad.en").write_bytes(b"dog red\n\xff\ngreen cat\n")
    outcome = nmt("evaluate", "runs/toy", *options)
    assert (outcome.status, outcome.out) == (2, b"")
    assert words in outcome.err
    assert "translating" not in outcome.err
    assert outcome.err.count("\n") <= 3
    assert evaluation_log.read(Run(Path("runs/toy"))) == []


def test_a_test_set_is_not_scored_with_other_settings_without_a_reason(nmt: Nmt, news: str) -> None:
    assert nmt("evaluate", "-q", "runs/toy", news).status == 0
    refused = nmt("evaluate", "runs/toy", news, "--beam", "1")
    assert (refused.status, refused.out) == (2, b"")
    assert "test set news was scored 1 time with other settings or weights" in refused.err
    assert refused.err.count("\n") == 3
    assert (
        nmt("evaluate", "-q", "runs/toy", news, "--beam", "1", "--reason", "to see what greedy search loses").status
        == 0
    )
    assert nmt("evaluate", "-q", "runs/toy", news).status == 2, "the ledger now holds two ways"
    assert [entry.reason for entry in evaluation_log.read(Run(Path("runs/toy")))] == [
        None,
        "to see what greedy search loses",
    ]


def test_another_precision_is_another_way_and_fp32_is_what_a_ledger_means_that_names_none(nmt: Nmt, news: str) -> None:
    nmt("evaluate", "-q", "runs/toy", news)
    assert "precision" not in evaluation_log.read(Run(Path("runs/toy")))[0].search
    assert nmt("evaluate", "-q", "runs/toy", news, "--precision", "fp32").status == 0
    assert "with other settings or weights" in nmt("evaluate", "runs/toy", news, "--precision", "bf16").err
    assert (
        nmt("evaluate", "-q", "runs/toy", news, "--precision", "bf16", "--reason", "to see what rounding costs").status
        == 0
    )
    assert evaluation_log.read(Run(Path("runs/toy")))[-1].search["precision"] == "bf16"


def test_other_weights_of_the_same_run_are_another_way(nmt: Nmt, news: str) -> None:
    nmt("evaluate", "-q", "runs/toy", news)
    nmt("train", "-q", "toy.yaml", "training.updates=61", "training.save_every=30")
    if Run(Path("runs/toy")).weights_sha256 != evaluation_log.read(Run(Path("runs/toy")))[0].weights_sha256:
        assert "with other settings or weights" in nmt("evaluate", "runs/toy", news).err


def test_the_same_again_is_allowed_and_counted_in_the_report(nmt: Nmt, news: str) -> None:
    assert "scored" not in nmt("evaluate", "-q", "runs/toy", news).out.decode()
    assert "runs/toy, news: scored 2 times" in nmt("evaluate", "-q", "runs/toy", news).out.decode()


def test_the_validation_split_may_be_scored_in_any_way(nmt: Nmt) -> None:
    for beam in ("1", "2", "3"):
        outcome = nmt("evaluate", "-q", "runs/toy", "--split", "valid", "--beam", beam)
        assert (outcome.status, outcome.out.decode().splitlines()[0][:19]) == (0, "valid: 4 sentences,")


def test_a_run_without_a_test_set_asks_for_one(nmt: Nmt) -> None:
    nmt("train", "toy.yaml", "data.test=null", "training.updates=1", "--run", "runs/bare")
    assert nmt("evaluate", "runs/bare").err.endswith(
        "its recipe has no test set; name one: --test NAME=SOURCE,REFERENCES\n"
    )


def test_a_test_set_is_scored_as_it_is_and_the_log_says_when_its_lines_were_split(nmt: Nmt) -> None:
    Path("two.de").write_text("rot Hund. Klein Baum.\n", "utf8")
    Path("two.en").write_text("dog red. tree small.\n", "utf8")
    whole, parts = package.load("runs/toy", split="never"), package.load("runs/toy", split="always")
    texts = [model.translate("rot Hund. Klein Baum.").text for model in (whole, parts)]
    assert texts[0] != texts[1], "otherwise this shows nothing"
    two = "--test=two=two.de,two.en"
    assert nmt("evaluate", "-q", "runs/toy", two).status == 0
    refused = nmt("evaluate", "-q", "runs/toy", two, "--split-lines", "always")
    assert "two was scored 1 time with other settings" in refused.err
    assert nmt("evaluate", "-q", "runs/toy", two, "--split-lines", "always", "--reason", "to see").status == 0
    entries = evaluation_log.read(Run(Path("runs/toy")))
    assert [entry.search.get("split") for entry in entries] == [None, "always"]
    assert [Path("runs/toy", entry.output or "").read_text("utf8").strip() for entry in entries] == texts


def test_a_batch_takes_the_same_option(nmt: Nmt, news: str) -> None:
    assert nmt("evaluate", "-q", "--batch", "runs/toy", news, "--split-lines", "always").status == 0
    assert evaluation_log.read(Run(Path("runs/toy")))[0].search["split"] == "always"
