"""The command line of all checks: python -m tools.checks NAME [--count N] [RUN...]

The figure is the last line on stdout. Exit status 0: the promise was kept; 1: it was not; 2: wrong arguments; 77: the
check cannot be made here.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from nmt import atomic
from nmt.cli.output import say
from tools.checks.check import RESULTS, SkippedError, tally
from tools.checks.table import CHECKS

SKIPPED = 77
"""Exit status of a check that cannot be made here, as in automake's test programs."""


def main(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A check; --list lists them.")] = None,
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN...]", help="Run folders, for a check of serving.")
    ] = None,
    count: Annotated[int | None, typer.Option(min=1, help="How often; by default the full count.")] = None,
    results: Annotated[
        Path | None,
        typer.Option(help="Folder for the record; a full count goes to docs/results/checks by default."),
    ] = None,
    list_checks: Annotated[bool, typer.Option("--list", help="List the checks and their promises.")] = False,
) -> None:
    """Try a promise many times and print how often it held."""
    if list_checks:
        for each in CHECKS:
            print(f"{each.name:<11}{each.promise}")
        return
    check = next((each for each in CHECKS if each.name == name), None)
    if check is None:
        _refuse(f"expected one of {', '.join(each.name for each in CHECKS)}, found {name or 'nothing'}")
    if runs and not check.takes_runs:
        _refuse(f"{check.name}: trains its own models; expected no run folder, found {runs[0]}")
    count = count or check.full
    started = time.monotonic()
    try:
        found = tally(check, count, runs or ())
    except SkippedError as reason:
        print(f"skipped: {reason}")
        raise typer.Exit(SKIPPED) from None
    folder = results or (RESULTS if count >= check.full else None)
    if folder is not None:
        atomic.write_json(folder / f"{check.name}.json", found.as_json(time.monotonic() - started))
    print(found.figure)
    raise typer.Exit(0 if found.kept else 1)


def _refuse(message: str) -> NoReturn:
    say(message)
    raise typer.Exit(2)


def run() -> None:
    """Parses the command line and runs the check."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()


if __name__ == "__main__":
    run()
