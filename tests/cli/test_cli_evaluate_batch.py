from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from nmt.evaluation import evaluation_log
from nmt.runs.run_folder import Run
from tests.cli.conftest import run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

FILES = {"scores.txt", "scores.csv", "scores.json", "scores.md", "scores.tex", "scores.svg", "scores.png", "runs.csv"}
NEWS = "--test=news=news.de,news.en"


@pytest.fixture(scope="session")
def two_seeds(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs that differ in the seed alone."""
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(trained, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for seed in ("1", "2"):
            run("train", "-q", "toy.yaml", "training.updates=2", f"training.seed={seed}", "--run", f"runs/toy-{seed}")
    return folder / "runs"


@pytest.fixture(autouse=True)
def runs(nmt: Nmt, two_seeds: Path) -> None:
    """These runs alone, and a test set."""
    shutil.rmtree("runs")
    shutil.copytree(two_seeds, "runs")
    Path("news.de").write_text("rot Hund\nklein Baum groß Haus\nKatze grün\n", "utf8")
    Path("news.en").write_text("dog red\nhouse tall tree small\ngreen cat\n", "utf8")


def test_seeds_are_one_row_and_the_folder_has_every_form(nmt: Nmt) -> None:
    outcome = nmt("evaluate", "--batch", "runs/*", NEWS)
    assert outcome.status == 0, outcome.err
    assert {path.name for path in Path("results").iterdir()} == FILES
    title, header, _, row = outcome.out.decode().splitlines()[:4]
    assert title == "news (de-en): 3 sentences, under 100: read the intervals"
    assert header.split()[:4] == ["system", "n", "BLEU", "range"]
    assert row.split()[:2] == ["toy", "2"]
    with Path("results/runs.csv").open() as file:
        assert [each["run"] for each in csv.DictReader(file)] == ["runs/toy-1", "runs/toy-2"]


def test_the_same_command_again_translates_nothing_and_writes_the_same(nmt: Nmt) -> None:
    first = nmt("evaluate", "--batch", "runs/*", NEWS)
    tables = {path.name: path.read_bytes() for path in Path("results").iterdir()}
    again = nmt("evaluate", "--batch", "runs/*", NEWS)
    assert first.err.count("translating") == 2
    assert again.err.count("scored before") == 2
    assert "translating" not in again.err
    assert {path.name: path.read_bytes() for path in Path("results").iterdir()} == tables
    assert len(evaluation_log.read(Run(Path("runs/toy-1")))) == 1


@pytest.mark.parametrize(("form", "name"), [("latex", "scores.tex"), ("csv", "scores.csv"), ("markdown", "scores.md")])
def test_a_format_is_printed_as_it_is_written(nmt: Nmt, form: str, name: str) -> None:
    outcome = nmt("evaluate", "-q", "--batch", "runs/*", NEWS, "--baseline", "runs/toy-1", "--format", form)
    assert outcome.err == ""
    assert outcome.out.decode() == Path("results", name).read_text("utf8")


def test_json_is_a_list_with_an_object_for_each_test_set(nmt: Nmt) -> None:
    found = json.loads(nmt("evaluate", "-q", "--batch", "runs/*", NEWS, "--test=more=news.de,news.en", "--json").out)
    assert [(each["test"], each["rows"][0]["seeds"]) for each in found] == [("news", [1, 2]), ("more", [1, 2])]


def test_a_yaml_file_means_the_same_as_options(nmt: Nmt) -> None:
    values = {"runs": ["runs/toy-1"], "tests": {"news": {"source": "news.de", "reference": "news.en"}}, "beam": [1]}
    YAML(typ="safe", pure=True).dump({**values, "baseline": "runs/toy-2"}, Path("batch.yaml"))
    by_file = nmt("evaluate", "-q", "--batch", "batch.yaml", "--format", "csv").out
    options = ("runs/toy-1", NEWS, "--beam", "1", "--baseline", "runs/toy-2")
    assert nmt("evaluate", "-q", "--batch", *options, "--format", "csv").out == by_file


def test_without_matplotlib_the_tables_are_written_and_a_line_says_what_is_missing(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nmt.lab.plotting.style.find_spec", lambda name: None)
    outcome = nmt("evaluate", "--batch", "runs/*", NEWS)
    assert outcome.status == 0
    assert "no figure: figures need matplotlib" in outcome.err
    assert {path.name for path in Path("results").iterdir()} == FILES - {"scores.svg", "scores.png"}


def test_a_run_that_cannot_be_translated_is_named_and_the_exit_status_is_1(nmt: Nmt) -> None:
    Path("runs/toy-1/vocabulary.model").write_bytes(b"damaged")
    outcome = nmt("evaluate", "--batch", "runs/*", NEWS)
    assert outcome.status == 1
    assert "runs/toy-1 on news, beam 2: runs/toy-1/vocabulary.model: expected a SentencePiece model" in outcome.err
    assert "1 of 2 could not be scored, see above; the same command tries only these again" in outcome.err
    assert "toy-2" in Path("results/scores.txt").read_text("utf8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--batch", "runs/*", NEWS, "--baseline", "runs/no"), "runs/no: no such run folder"),
        (("--batch", "runs/no*", NEWS), "runs/no*: no such run folder"),
        (("--batch", "runs/*", NEWS, "--languages", "fr-en"), "news is fr-en; the runs are de-en"),
        (("--batch", "runs/*", NEWS, "--languages", "french"), "--languages 'french': expected SOURCE-TARGET"),
        (("--batch", "runs/*", NEWS, "--results", "news.de"), "--results: news.de cannot be made (File exists)"),
        (("--batch", "runs/*", NEWS, "--results", "/proc/no"), "--results: /proc/no cannot be made"),
        (("--batch", "runs/*", NEWS, "--by-length"), "--by-length: not with --batch"),
        (("--batch", "runs/*", NEWS, "--length-penalty", "inf"), "--length_penalty: expected"),
        (("--batch", "runs/*", NEWS, "--format", "xml"), "'xml' is not one of"),
        (("--batch", "runs/*", NEWS, NEWS), "news: the name is given twice"),
        (("--batch", "a.yaml", "b.yaml"), "expected at most one YAML file, found a.yaml, b.yaml"),
        (("--batch", "no.yaml"), "no.yaml: cannot be read"),
        (("--batch", "bad.yaml"), "bad.yaml:1: not YAML"),
        (("--batch", "unknown.yaml"), "unknown.yaml:2: baselin: not a key here; expected one of runs, tests, beam"),
        (("--batch", "list.yaml"), "list.yaml: found ['runs'], expected a mapping with keys among runs, tests"),
        (("--batch", "deep.yaml"), "deep.yaml:1: not YAML: nested deeper than"),
        (("--batch", "half.yaml"), "half.yaml:2: tests.news.reference: missing"),
        (("runs/toy-1", NEWS, "--baseline", "runs/toy-2"), "--baseline: only with --batch"),
        (("runs/toy-1", NEWS, "--format", "csv"), "--format: only with --batch"),
        (("runs/toy-1", NEWS, "--beam", "1", "--beam", "2"), "several beams are compared with --batch"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_translated(nmt: Nmt, arguments: tuple[str, ...], words: str) -> None:
    Path("bad.yaml").write_text("runs: [")
    Path("list.yaml").write_text("[runs]")
    Path("deep.yaml").write_text("[" * 3000)
    Path("half.yaml").write_text("tests:\n  news: {source: news.de}\n")
    Path("unknown.yaml").write_text("runs: [runs/toy-1]\nbaselin: runs/toy-2\n")
    outcome = nmt("evaluate", *arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert words in " ".join(outcome.err.replace("│", " ").split())
    assert "translating" not in outcome.err
    assert evaluation_log.read(Run(Path("runs/toy-1"))) == []
