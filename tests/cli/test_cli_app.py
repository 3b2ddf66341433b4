from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.cli.app import COMMANDS as COMMANDS_AND_MODULES, RENAMED_COMMANDS, main
from nmt.errors import RunError
from nmt.runs import run_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
COMMANDS = (
    "train",
    "translate",
    "evaluate",
    "info",
    "doctor",
    "check-batching",
    "convert",
    "recipe",
    "inspect",
    "experiment",
    "study",
    "data",
    "bundle",
    "push",
    "pull",
)


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    """In a process of its own, as others have loaded everything into this one."""
    listed = "import atexit, sys; atexit.register(lambda: print(*sys.modules, sep='\\n'))"
    code = f"{listed}; from nmt.cli.app import main; main()"
    out = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(f" {command} " in out for command in COMMANDS)
    assert {"torch", "datasets", "sentencepiece", "sacrebleu", "numpy"}.isdisjoint(out.splitlines())
    assert "nmt.cli.translate" in out.splitlines()


@pytest.mark.parametrize("command", [*COMMANDS, "recipe show", "recipe schema", "data check"])
def test_the_help_of_every_command_has_an_example(nmt: Nmt, command: str) -> None:
    outcome = nmt(*command.split(), "--help")
    assert outcome.status == 0
    assert command in ("recipe", "data") or f"nmt {command}" in outcome.out.decode()


def test_help_lists_commands_in_groups_one_line_each_at_80_columns(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = nmt("--help").out.decode().splitlines()
    groups = [line.split()[1] for line in lines if line.startswith("╭")]
    assert groups == ["Options", "Use", "Train", "Understand", "Share"]
    listed = [line.strip("│ ") for line in lines[lines.index(next(line for line in lines if " Use " in line)) :]]
    listed = [line for line in listed[: listed.index("", 1)] if line[0] not in "╭╰"]
    assert [line.split()[0] for line in listed] == list(COMMANDS_AND_MODULES)


@pytest.mark.parametrize("command", ["", *COMMANDS_AND_MODULES, "recipe show", "recipe explain", "data check"])
def test_help_names_arguments_in_capitals_and_shows_no_type_of_a_flag(nmt: Nmt, command: str) -> None:
    out = nmt(*command.split(), "--help").out.decode()
    assert "<bool>" not in out
    usage = next(line for line in out.splitlines() if line.startswith(" Usage:"))
    assert re.fullmatch(rf" Usage: nmt {command} *\[OPTIONS\]( \[?[A-Z_/=]+\]?(\.\.\.)?)* *", usage)


def test_the_version_is_that_of_the_package(nmt: Nmt) -> None:
    assert nmt("--version").out.decode().strip() == version("nmt-recipes")


@pytest.mark.parametrize(
    "arguments", [["tran"], ["train"], ["translate", "--beam", "0"], ["info", "--jsno", "runs/toy"]]
)
def test_a_wrong_command_line_is_exit_status_2(nmt: Nmt, arguments: list[str]) -> None:
    outcome = nmt(*arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert "Usage" in outcome.err


@pytest.mark.parametrize("old", RENAMED_COMMANDS)
@pytest.mark.parametrize("arguments", [[], ["order", "--seeds", "2"], ["--help"]])
def test_a_renamed_command_answers_in_one_line_with_its_new_name(nmt: Nmt, old: str, arguments: list[str]) -> None:
    outcome = nmt(old, *arguments)
    assert outcome == (2, b"", f"nmt: nmt {old}: this command is called nmt {RENAMED_COMMANDS[old]} now\n")
    assert nmt(RENAMED_COMMANDS[old], "--help").status == 0


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def failing(*_: object) -> None:
        raise error

    monkeypatch.setattr(run_folder.Run, "__init__", failing)


def test_a_failure_is_exit_status_1_and_one_line(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, RunError("the disk is full"))
    assert nmt("info", "runs/toy") == (1, b"", "nmt: the disk is full\n")


def test_a_fault_of_our_own_says_so_without_a_traceback(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, ZeroDivisionError("division by zero\nmore"))
    outcome = nmt("info", "runs/toy")
    assert outcome.status == 1
    assert (
        outcome.err == "nmt: ZeroDivisionError: division by zero\n"
        "this is a fault in nmt or in its surroundings; --debug shows where\n"
    )


@pytest.mark.parametrize(
    "arguments", [["--debug", "info", "none"], ["info", "--debug", "none"], ["info", "none", "--debug"]]
)
def test_debug_shows_a_traceback_wherever_it_stands(nmt: Nmt, arguments: list[str]) -> None:
    outcome = nmt(*arguments)
    assert outcome.status == 2
    assert outcome.err.startswith("Traceback (most recent call last)")
    assert outcome.err.endswith("nmt: none: no such run folder; expected one made by nmt train, with run.json in it\n")


def test_debug_lets_an_unexpected_error_through(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    fail(monkeypatch, ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        nmt("info", "runs/toy", "--debug")


def test_behind_two_dashes_everything_is_an_argument(nmt: Nmt) -> None:
    assert "nmt: --debug: no such run folder" in nmt("info", "--", "--debug").err


FULL = "nmt: standard output: cannot be written (No space left on device)\n"


@pytest.mark.parametrize(
    "command", [("translate",), ("translate", "--json"), ("evaluate",), ("evaluate", "--json"), ("info",)]
)
def test_an_output_that_cannot_be_written_is_one_line_with_the_reason(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    name, *options = command
    arguments = [
        name,
        "runs/toy",
        *options,
        *(["-q"] if name != "info" else []),
        *(["--text", "rot Hund"] if name == "translate" else []),
    ]
    monkeypatch.setattr("sys.argv", ["nmt", *arguments])
    with open("/dev/full", "w") as full, io.StringIO() as err:
        monkeypatch.setattr("sys.stdout", full)
        monkeypatch.setattr("sys.stderr", err)
        with pytest.raises(SystemExit) as left:
            main()
        assert (left.value.code, err.getvalue()) == (1, FULL)


def test_nothing_more_is_said_while_the_interpreter_ends_and_a_closed_pipe_is_quiet() -> None:
    closed, pipe = os.pipe()
    os.close(closed)
    with open("/dev/full", "wb") as full, open(pipe, "wb") as unread:
        for out, status, words in ((full, 1, FULL), (unread, 0, "")):
            command = [sys.executable, "-m", "nmt", "--version"]
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, check=False, env=ENVIRONMENT)
            assert (done.returncode, done.stderr) == (status, words)


def test_a_device_that_cannot_be_written_is_named(nmt: Nmt) -> None:
    outcome = nmt("translate", "runs/toy", "-q", "-o", "/dev/full", stdin=b"rot Hund\n")
    assert outcome == (1, b"", "nmt: /dev/full: cannot be written (No space left on device)\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ["translate", "runs/toy", "-o", "run/out.txt", "--text", "rot"],
        ["bundle", "runs/toy", "-o", "run/toy.nmt"],
        ["inspect", "runs/toy", "rot", "--out", "run/rot.html"],
    ],
)
def test_a_mistyped_folder_of_an_output_is_refused_and_not_made(nmt: Nmt, arguments: list[str]) -> None:
    outcome = nmt(*arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert "there is no folder run; make it, or name another one; did you mean runs?" in outcome.err
    assert not Path("run").exists()
