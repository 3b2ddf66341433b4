"""Right after installation, in an empty folder, there is something to try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.cli import run_choice
from nmt.errors import UserError
from nmt.runs import demo, run_folder
from tests.cli.conftest import run as command

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

SENTENCE, TRANSLATION = "Die Frau liest ein Buch.", b"The woman reads a book.\n"


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("empty")
def test_translate_demo_translates_and_says_what_the_model_knows() -> None:
    status, out, err = command("translate", "--demo", "--text", SENTENCE)
    assert (status, out) == (0, TRANSLATION)
    assert err.splitlines()[:2] == list(demo.ABOUT)


@pytest.mark.usefixtures("empty")
def test_inspect_demo_takes_the_sentence_alone() -> None:
    status, out, err = command("inspect", "--demo", SENTENCE, "--json")
    assert (status, json.loads(out)["text"]) == (0, TRANSLATION.decode().strip())
    assert err.splitlines()[:2] == list(demo.ABOUT)


def test_serve_demo_serves_both_models_side_by_side() -> None:
    said: list[str] = []
    assert run_choice.served([], demo=True, log=said.append) == list(demo.BOTH)
    assert tuple(said) == demo.ABOUT


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize(
    "arguments",
    [["translate", "runs/toy", "--demo"], ["inspect", "runs/toy", "text", "--demo"], ["serve", "a", "--demo"]],
)
def test_a_run_beside_the_demo_is_refused(arguments: list[str]) -> None:
    status, out, err = command(*arguments)
    assert (status, out) == (2, b"")
    assert "--demo: expected no run beside it" in err


@pytest.mark.usefixtures("empty")
def test_without_a_run_the_demo_is_named() -> None:
    for arguments in (["translate", "--text", "x"], ["serve"], ["inspect", "x"]):
        status, out, err = command(*arguments)
        assert (status, out) == (2, b"")
        assert "--demo" in err


def test_the_weights_of_a_stopped_run_are_used_and_it_is_said(nmt: Nmt) -> None:
    Path("runs/toy", run_folder.OUTCOME).unlink()
    for arguments in (["translate", "--text", "rot"], ["translate", "runs/toy", "--text", "rot"]):
        status, out, err = nmt(*arguments)
        assert status == 0
        assert out
        assert "runs/toy is not finished; its best weights so far are used\n" in err


def test_nothing_is_said_of_a_finished_run(nmt: Nmt) -> None:
    assert nmt("translate", "runs/toy", "--text", "rot").err == ""


def test_serving_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="expected one run folder or more, or --demo"):
        run_choice.served([], demo=False, log=print)
