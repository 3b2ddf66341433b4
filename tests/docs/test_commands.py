"""Commands that pages show can be typed: command and options exist, and the recipe is valid with its overrides."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from nmt.cli.app import app
from nmt.cli.train import limited
from nmt.errors import UserError
from nmt.lab.studies import plan
from nmt.recipe import reading
from tests.docs.pages import HISTORY, PAGES, ROOT, code, name, prose
from tools.checks.table import CHECKS

_IN_PROSE = re.compile(r"`((?:nmt|python) [^`\n]+)`")
_CURRENT = [page for page in PAGES if page not in HISTORY and "results" not in page.parts]


def commands(page: Path) -> list[list[str]]:
    """The commands ``nmt ...`` and ``python ...`` of a page, in code blocks and in backticks, as words."""
    lines = [part.strip() for line in code(page) for part in line.split("&&")]
    typed = [line for line in lines if line.startswith(("nmt ", "python "))] + _IN_PROSE.findall(prose(page))
    return [words for words in map(_words, typed) if words[1][:1].islower() or words[1] == "-m"]


def _words(line: str) -> list[str]:
    """The words of a command, up to a comment, a pipe or a redirection."""
    words = shlex.split(line, comments=True)
    ends = [index for index, word in enumerate(words) if word in ("|", ">", "<", "&", ";")]
    return words[: min(ends, default=len(words))]


def parse(words: list[str]) -> dict[str, Any]:
    """The parameters of a command, from the words after ``nmt``; nothing is called, and no value is converted."""
    command: Any = typer.main.get_command(app)
    context = command.context_class(command, info_name="nmt", **command.context_settings)
    while hasattr(command, "commands"):
        command, name_, words = command.get_command(context, words[0]), words[0], words[1:]
        if command is None or command.hidden:
            raise UserError(f"{name_}: no such command")
        context = command.context_class(command, info_name=name_, parent=context, **command.context_settings)
    return dict(command.make_parser(context).parse_args(list(words))[0])


def faults(words: list[str]) -> Iterator[str]:
    """What is wrong with a command, or with the recipe and the overrides that it names."""
    try:
        given = parse(words[1:])
        recipe = str(given.get("recipe"))
        if recipe.startswith("recipes/"):
            read = plan.read if words[1] == "study" else reading.read
            overrides = [word for word in given.get("overrides") or () if "NAME" not in word]
            read(ROOT / recipe, limited(overrides, replacing=False) if words[1] == "train" else overrides)
    except Exception as error:  # errors of the parser and of the recipe's reader share no class
        yield f"{shlex.join(words)}: {error}"


@pytest.mark.parametrize("page", _CURRENT, ids=name)
def test_every_command_of_a_page_is_one_that_exists_with_these_options_and_a_valid_recipe(page: Path) -> None:
    assert [fault for words in commands(page) if words[0] == "nmt" for fault in faults(words)] == []


@pytest.mark.parametrize("page", _CURRENT, ids=name)
def test_every_tool_of_a_page_exists_and_has_these_options(page: Path) -> None:
    for words in commands(page):
        if words[:2] == ["python", "-m"] and words[2] == "tools.checks":
            assert words[3] in ("NAME", "--list", *(check.name for check in CHECKS)), shlex.join(words)
        if words[0] == "python" and words[1:3] != ["-m", "venv"]:
            source = _source(words[2].replace(".", "/") if words[1] == "-m" else words[1].removesuffix(".py"))
            options = [word for word in words if word.startswith("--")]
            parameters = {option: option[2:].replace("-", "_") for option in options}
            assert [
                option for option in options if not re.search(rf"^ *{parameters[option]}: |{option}\b", source, re.M)
            ] == []


def _source(module: str) -> str:
    """The source of a module of this repository that is run as a script; of a package, its ``__main__``."""
    file = ROOT / f"{module}.py"
    return (file if file.is_file() else ROOT / module / "__main__.py").read_text(encoding="utf-8")


def test_a_command_that_does_not_exist_is_found() -> None:
    assert list(faults(["nmt", "translate", "runs/x", "--beam", "3"])) == []
    assert list(faults(["nmt", "transmute", "runs/x"])) != []
    assert list(faults(["nmt", "translate", "runs/x", "--no-such-option"])) != []
    assert list(faults(["nmt", "train", "recipes/de-en.yaml", "model.no_such_key=1"])) != []
    assert list(faults(["nmt", "train", "recipes/no-such-recipe.yaml"])) != []


def test_the_defaults_in_the_page_on_serving_are_those_of_the_command() -> None:
    group: Any = typer.main.get_command(app)
    serve = group.get_command(None, "serve")
    defaults = {option: parameter.default for parameter in serve.params for option in parameter.opts}
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    shown = re.findall(r"`(--[a-z-]+) (\d+)`", page)
    assert len(shown) > 8
    assert [(option, value) for option, value in shown if float(value) != defaults[option]] == []
