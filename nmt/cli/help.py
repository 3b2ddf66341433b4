"""How help is printed: usage as `nmt train RECIPE [KEY=VALUE]...`, flags without a type, paragraphs filled."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

_INNER_BREAK = re.compile(r"(?<=\S)\n *(?=\S)")
"""A line break inside a paragraph."""


class Command(TyperCommand):
    """A command."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, named for help."""
        return _named(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line, without braces."""
        return [re.sub("[{}]", "", piece) for piece in super().collect_usage_pieces(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help; its docstring's line breaks are those of the code, not of the terminal."""
        self.help = _INNER_BREAK.sub(" ", self.help or "")
        super().format_help(ctx, formatter)


class Group(TyperGroup):
    """A command with subcommands."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters, named for help."""
        return _named(super().get_params(ctx))


def _named(parameters: Any) -> Any:
    """Arguments in capitals; nothing for the type of a flag, which takes no value."""
    for each in parameters:
        if each.param_type_name == "argument":
            each.metavar = (each.metavar or each.name).strip("[].").upper()
        elif each.is_flag:
            each.metavar = ""
    return parameters
