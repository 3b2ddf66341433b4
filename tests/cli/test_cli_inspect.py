from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nmt as package
from nmt.lab.plotting import style
from nmt.models import weights
from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

TEXT = "rot Hund"


def test_the_heatmap_is_printed_with_the_translation_and_scores(nmt: Nmt) -> None:
    outcome = nmt("inspect", "runs/toy", TEXT)
    shown = outcome.out.decode()
    assert (outcome.status, outcome.err) == (0, "")
    assert shown.startswith(f"source      {TEXT}\ntranslation {package.load('runs/toy').translate(TEXT).text}\n")
    assert " log p\n" in shown
    assert "of          attention weight" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("kind", ["attention", "occlusion", "gates"])
def test_json_has_the_values_over_the_pieces_and_their_scores(nmt: Nmt, kind: str) -> None:
    outcome = nmt("inspect", "runs/toy", TEXT, "--json", "--kind", kind)
    found = json.loads(outcome.out)
    assert (outcome.status, found["kind"], found["run"]) == (0, kind, "runs/toy")
    assert [len(row) for row in found["values"]] == [len(found["columns"])] * len(found["rows"])
    assert sum(found["scores"]) == pytest.approx(found["log_probability"])
    assert len(found["scores"]) == len(found["pieces"])


def test_files_are_written_and_named_on_stderr_alone(nmt: Nmt) -> None:
    assert nmt("inspect", "runs/toy", TEXT, "--out", "x.html") == (0, b"", "written: x.html\n")
    assert nmt("inspect", "runs/toy", TEXT, "--out", "x.html", "-q") == (0, b"", "")
    assert nmt("inspect", "runs/toy", TEXT, "--kind", "gates", "--out", "figures").status == 0
    assert sorted(path.name for path in Path("figures").iterdir()) == [
        "gates.html",
        "gates.json",
        "gates.png",
        "gates.svg",
    ]


def test_the_option_beam_overrides_the_recipe(nmt: Nmt) -> None:
    found = json.loads(nmt("inspect", "runs/toy", TEXT, "--beam", "1", "--json").out)
    assert found["score"] == pytest.approx(package.load("runs/toy", beam=1).translate(TEXT).score)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runs/absent", TEXT], "runs/absent: no such run folder"),
        (["runs/toy", " "], "the sentence is empty"),
        (["runs/toy", "Haus " * 60], "the sentence has "),
        (["runs/toy", TEXT, "--out", "x.gif"], "--out: x.gif: expected a folder, or a file that ends in .svg"),
    ],
)
def test_wrong_input_is_one_line(nmt: Nmt, arguments: list[str], words: str) -> None:
    outcome = nmt("inspect", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, b"", 1)
    assert outcome.err.startswith(f"nmt: {words}")


def test_a_run_without_attention_says_so_and_uses_occlusion_by_default(nmt: Nmt) -> None:
    shutil.copytree("runs/toy", "runs/fixed")
    recipe = Path("runs/fixed/recipe.yaml")
    recipe.write_text(recipe.read_text("utf8").replace("attention: bahdanau", "attention: none"), "utf8")
    Path("runs/fixed/model.safetensors").write_bytes(weights.packed(Run(Path("runs/fixed")).fresh_model()))
    refused = nmt("inspect", "runs/fixed", TEXT, "--kind", "attention")
    assert refused == (2, b"", "nmt: this run has a thought vector and so no attention; use --kind occlusion\n")
    assert "of          fall of log p without the piece" in nmt("inspect", "runs/fixed", TEXT).out.decode()


def test_a_figure_without_matplotlib_names_the_extra_and_the_terminal_needs_none(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    assert nmt("inspect", "runs/toy", TEXT, "--out", "x.svg") == (
        2,
        b"",
        "nmt: figures need matplotlib: pip install 'nmt-recipes[plot]'\n",
    )
    assert nmt("inspect", "runs/toy", TEXT).status == 0
