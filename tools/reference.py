"""The reference pages: docs/recipe.md from the types of a recipe, docs/commands.md from the commands.

python -m tools.reference
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from nmt.cli.app import app
from nmt.recipe import explain

DOCS = Path(__file__).parents[1] / "docs"
MADE = "This page is made by `python -m tools.reference`; edit the docstrings in `{}` instead."


def main() -> None:
    """Writes both pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """The text of each page by the name of its file."""
    return {"recipe.md": "\n".join(_recipe()) + "\n", "commands.md": "\n".join(_commands()) + "\n"}


def _recipe() -> Iterator[str]:
    yield "# Recipe keys\n"
    yield MADE.format("nmt/recipe/types.py")
    yield "In a terminal: `nmt recipe explain training.select`, and `nmt recipe show recipes/de-en.yaml --explain`."
    yield "A key is set in a recipe, or on the command line as `KEY=VALUE`, such as `training.updates=500`."
    for section in explain.sections():
        yield f"\n## {section.title}\n\n{section.text}\n"
        yield "| key | meaning | accepts | default |\n|---|---|---|---|"
        for entry in section.entries:
            yield _row(f"`{entry.name}`", entry.text, entry.expected, f"`{entry.default}`")


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield MADE.format("nmt/cli/")
    yield "`nmt COMMAND --help` prints the same. Examples by purpose, with what each costs: [examples.md](examples.md)."
    yield "Wherever a command takes a run, it takes the folder of a run or a bundle (`.nmt`)."
    group: Any = typer.main.get_command(app)
    context = group.context_class(group, info_name="nmt", **group.context_settings)
    panel = ""
    for command in _listed(group, context):
        if (found := getattr(command, "rich_help_panel", None) or "") != panel:
            panel = found
            yield f"\n## {panel}"
        for words, each in _with_subcommands(command, context):
            yield from _command(words, each, context)


def _listed(group: Any, context: Any) -> Iterator[Any]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if not command.hidden:
            yield command


def _with_subcommands(command: Any, context: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield f"nmt {command.name}", command
        return
    for each in _listed(command, context):
        yield f"nmt {command.name} {each.name}", each


def _command(words: str, command: Any, parent: Any) -> Iterator[str]:
    context = command.context_class(command, info_name=words, parent=parent, **command.context_settings)
    arguments = " ".join(piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]")
    yield f"\n### {words} {arguments}".rstrip() + "\n"
    yield from _help(inspect.cleandoc(command.help or ""))
    shown = [each for each in command.get_params(context) if not each.hidden and each.name != "help"]
    if shown:
        yield "\n| argument or option | meaning | default |\n|---|---|---|"
    for parameter in shown:
        given = parameter.default
        default = "" if given is None or given is False or callable(given) or given == [] else f"`{given}`"
        yield _row(_names(parameter, context), parameter.help or "", default)


def _names(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.display_name_raw.upper()}`"
    kind = "" if parameter.is_flag else str(parameter.display_type_rich(ctx=context) or "")
    return f"`{', '.join(parameter.opts)}{f' {kind}' if kind else ''}`"


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a help text; examples become one block of code."""
    about, _, examples = re.sub(r"\nExamples?:", "\n\f", text).partition("\f")
    yield about.strip()
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    if lines:
        yield "\n" + "\n".join(f"    {line}" for line in lines)


def _row(*cells: str) -> str:
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


if __name__ == "__main__":
    main()
