from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nmt import provenance
from nmt.errors import Log
from nmt.lab.experiments import experiment, record
from nmt.lab.experiments.experiment import Claim, Experiment, Settings
from nmt.lab.plotting import style
from tests.cli.conftest import Outcome, run

ROW = ("lstm", 0.123456, 12345, 98.76, None)
NUMBER = "0.0 for the bag of words"


def answer(settings: Settings, log: Log) -> experiment.Outcome:
    """The outcome of an experiment that trains nothing."""
    log(f"{settings.cells}, {settings.seeds} seeds")
    return experiment.Outcome(
        question="Is it so?",
        conditions={
            "updates": 2000,
            "batch_size": 64,
            "models": {"hidden": 64, "cells": ["tanh", "lstm"]},
            "clipped": True,
            "task": None,
        },
        columns=("cell", "change", "parameters", "right %", "spread"),
        rows=(ROW,),
        claims=(Claim(id="A1", number=NUMBER, verdict="holds under conditions"),),
        notes=("one model, no spread",),
        figure=lambda: style.subplots()[0],
    )


def test_a_claim_that_is_not_answered_says_what_to_do() -> None:
    claim = Claim(id="A2", number="nothing is right", verdict="not answered")
    text = record.text(
        record.as_json("fake", experiment.Options(), replace(answer(Settings(), print), claims=(claim,)), 1)
    )
    assert "A2 not answered. As usually told: " in text
    assert text.endswith("   These models have not learned the task; give them more --updates.")


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The experiment `fake` in the table, and an empty current folder."""
    module = ModuleType("fake_experiment")
    module.__dict__["EXPERIMENT"] = Experiment(
        question="Is it so?",
        defaults=Settings(cells=("tanh",), seeds=3, task="copy"),
        run=answer,
        known=("tanh", "lstm"),
        tasks=("copy", "add"),
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(experiment.EXPERIMENTS, "fake", experiment.Entry(module.__name__, "Is it so?"))
    monkeypatch.chdir(tmp_path)


def ask(*arguments: str) -> Outcome:
    return run("experiment", *arguments)


def test_the_table_comes_with_conditions_notes_and_claims_and_progress_goes_to_stderr() -> None:
    outcome = ask("fake", "--cells", "tanh, lstm")
    out = outcome.out.decode()
    assert (outcome.status, outcome.err) == (0, "('tanh', 'lstm'), 3 seeds\n")
    assert out.startswith("Is it so?\n\ncell  change  parameters  right %  spread\n----  ------")
    assert "\nlstm   0.123      12,345     98.8       -\n" in out
    assert (
        "\nconditions: updates 2,000; batch size 64; models (hidden 64; cells tanh / lstm); clipped yes; task none\n"
        in out
    )
    assert "\nmeasured in 0 s on " in out
    assert "\none model, no spread\n" in out
    assert "\nA1 holds under conditions. As usually told: Without a memory " in out
    assert out.endswith(f"\n   Measured: {NUMBER}\n")


def test_json_has_command_date_versions_and_machine() -> None:
    found = json.loads(ask("fake", "--json", "--cells", "lstm", "--seeds", "1", "--out", "results", "-q").out)
    assert found["command"] == "nmt experiment fake --cells lstm --seeds 1"
    assert {"question", "conditions", "columns", "rows", "notes", "details"} <= found.keys()
    assert found["rows"] == [list(ROW)]
    assert found["claims"] == [{"id": "A1", "number": NUMBER, "verdict": "holds under conditions"}]
    assert {"date", "machine", "seconds"} <= found.keys()
    assert found["versions"].keys() == {"python", "nmt-recipes", "torch"}


def test_out_gets_the_same_json_and_the_figure_as_svg_and_png() -> None:
    outcome = ask("fake", "--json", "--out", "new/folder", "-q")
    assert outcome.err == ""
    assert sorted(os.listdir("new/folder")) == ["fake.json", "fake.png", "fake.svg"]
    assert json.loads(Path("new/folder/fake.json").read_text("utf8")) == json.loads(outcome.out)


def test_each_task_has_files_of_its_own() -> None:
    ask("fake", "-q", "--out", "results")
    ask("fake", "-q", "--out", "results", "--task", "add")
    assert {path.stem for path in Path("results").iterdir()} == {"fake", "fake-add"}


@pytest.mark.parametrize("arguments", [[], ["--list"], ["fake", "--list"]])
def test_without_a_name_the_experiments_are_listed_with_their_questions(arguments: list[str]) -> None:
    outcome = ask(*arguments)
    assert (outcome.status, outcome.err) == (0, "")
    assert [line.split(maxsplit=1) for line in outcome.out.decode().splitlines()] == [
        [name, each.question] for name, each in experiment.EXPERIMENTS.items()
    ]
    assert json.loads(ask(*arguments, "--json").out) == {
        name: each.question for name, each in experiment.EXPERIMENTS.items()
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fakee"], f"fakee: no such experiment; did you mean fake? there are {', '.join(experiment.EXPERIMENTS)}"),
        (["?"], "?: no such experiment; there are order, "),
        (["fake", "--cells", "tanh,gru"], "--cells: expected among tanh, lstm, found 'gru'"),
        (["fake", "--seeds", "0"], "--seeds: expected an integer of at least 1"),
        (["fake", "--updates", "5"], "--updates: this experiment does not take it"),
        (["fake", "--out", "file"], "--out: file cannot be made (File exists)"),
    ],
)
def test_what_an_experiment_does_not_take_is_refused_before_it_begins(arguments: list[str], words: str) -> None:
    Path("file").touch()
    outcome = ask(*arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith(f"nmt: {words}")
    assert outcome.err.count("\n") <= 3


def test_figures_that_could_not_be_drawn_are_refused_before_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "find_spec", lambda _: None)
    outcome = ask("fake", "--out", "results")
    assert (outcome.status, outcome.out, outcome.err.startswith("nmt: figures need matplotlib")) == (2, b"", True)
    assert ask("fake").status == 0


@pytest.mark.parametrize(
    ("value", "column", "printed"),
    [
        (None, "", "-"),
        ("", "", "-"),
        (0.0, "", "0"),
        (0.5, "", "0.500"),
        (100.0, "", "100"),
        (1234.5, "", "1,234"),
        (3.3e-16, "", "3.30e-16"),
        (-2.5e9, "", "-2.50e+09"),
        (float("inf"), "", "inf"),
        (200, "right %", "200"),
        (99.96, "right %", "100.0"),
        ("1.5 to 2.5", "95 %", "1.5 to 2.5"),
    ],
)
def test_numbers_are_printed_with_three_digits(value: float | str | None, column: str, printed: str) -> None:
    assert record.shown(value, column) == printed


def test_a_commit_with_changes_says_so_and_without_a_checkout_there_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "package"
    package.mkdir()
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.commit() is None
    author = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for words in (["init"], [*author, "commit", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    clean = provenance.commit()
    assert clean is not None
    assert len(clean) == 40
    (package / "new.py").touch()
    assert provenance.commit() == f"{clean}-dirty"
    assert provenance.abbreviated(f"{clean}-dirty") == f"{clean[:10]}-dirty"


@pytest.mark.parametrize("name", list(experiment.EXPERIMENTS))
def test_the_question_of_an_experiment_is_that_of_the_table(name: str) -> None:
    if find_spec(experiment.EXPERIMENTS[name].module) is None:
        pytest.skip(f"there is no experiment {name}")
    assert experiment.find(name).question == experiment.EXPERIMENTS[name].question


def test_listing_imports_no_experiment() -> None:
    code = "import sys, nmt.lab.experiments.experiment; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"torch", "numpy", "nmt.lab.experiments.order"}.isdisjoint(loaded)


def test_help_has_examples() -> None:
    assert b"nmt experiment span --cells tanh,lstm" in ask("--help").out


def test_a_device_is_part_of_the_command_and_one_that_is_missing_is_named() -> None:
    found = json.loads(ask("fake", "--json", "--device", "cpu", "-q").out)
    assert found["command"] == "nmt experiment fake --device cpu"
    outcome = ask("fake", "--device", "mps")
    assert (outcome.status, outcome.out) == (2, b"")
    assert "device: mps is not available on this machine; expected one of cpu" in outcome.err


def test_every_new_tensor_of_an_experiment_is_made_on_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmt.models.device.find_device", torch.device)
    seen: list[torch.Tensor] = []

    def run(settings: Settings, log: Log) -> experiment.Outcome:
        seen.append(torch.zeros(1))
        return answer(settings, log)

    made = Experiment(question="Is it so?", defaults=Settings(), run=run)
    outcome = made(experiment.Options(device="meta"), lambda text: None)
    assert seen[0].device.type == outcome.conditions["device"] == "meta"
    assert torch.zeros(1).device.type == "cpu"


def test_no_experiment_reads_a_tensor_as_an_array_where_it_computes() -> None:
    for file in Path(experiment.__file__).parent.glob("*.py"):
        text = file.read_text("utf8")
        assert text.count(".numpy()") == text.count(".cpu().numpy()"), file.name
        assert "from_numpy" not in text, file.name
