"""Where commands speak: data on stdout, everything for people on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console

console = Console(stderr=True, highlight=False)
"""For progress bars; `NO_COLOR` is obeyed."""


def say(text: str) -> None:
    """A line for people."""
    print(text, file=sys.stderr, flush=True)


def speaker(quiet: bool) -> Callable[[str], None]:
    """`say`, or silence. Above a progress bar lines go through its console, so that neither spoils the other."""

    def speak(text: str) -> None:
        if not quiet:
            console.print(text, markup=False, soft_wrap=True)

    return speak


def print_json(value: Any) -> None:
    """One JSON value, indented, on stdout."""
    print(json.dumps(value, indent=1, ensure_ascii=False))
