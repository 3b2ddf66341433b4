"""Which run a command opens: the one that is named, a demo model, or the newest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nmt.errors import Log, UserError

if TYPE_CHECKING:
    from nmt.runs.run_folder import Run


def open_run(path: Path | None, *, demo: bool, log: Log) -> Run:
    """Opens the run. A line says which one was chosen, what a demo model is, and whether the run is not finished."""
    from nmt.runs import demo as models, run_folder

    if demo:
        check_no_run(path)
        _introduce(log)
        return run_folder.Run(models.ATTENTION)
    if path is None:
        path = run_folder.newest()
        log(f"translating with {path}")
    opened = run_folder.Run(path)
    if opened.outcome is None and run_folder.WEIGHTS in opened.files:
        log(f"{path} is not finished; its best weights so far are used")
    return opened


def served(paths: list[Path], *, demo: bool, log: Log) -> list[Path]:
    """The runs to serve; with ``demo`` both demo models."""
    from nmt.runs import demo as models

    if demo:
        check_no_run(paths)
        _introduce(log)
        return list(models.BOTH)
    if not paths:
        raise UserError("nmt serve: expected one run folder or more, or --demo for the models that ship with nmt")
    return paths


def check_no_run(named: object) -> None:
    """Refuses a run beside --demo."""
    if named:
        raise UserError("--demo: expected no run beside it, as it takes a model that ships with nmt")


def _introduce(log: Log) -> None:
    from nmt.runs import demo as models

    for line in models.ABOUT:
        log(line)
