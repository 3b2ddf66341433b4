"""Which engine translates: torch, or CTranslate2 where a run has been exported to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nmt.errors import UserError
from nmt.export import folder
from nmt.export.engine import ExportTranslator
from nmt.export.folder import Export
from nmt.inference.translator import LineTranslator, Translator
from nmt.runs.run_folder import Run

ENGINES = ("auto", "torch", "ctranslate2")


def usable(run: Run, engine: str, log: Callable[[str], None]) -> Export | None:
    """The export to translate with, or None for torch. ``auto`` takes the export if it is there and sound, and says which, or why not."""
    if engine == "torch":
        return None
    export = folder.opened(run)
    fault = export.fault(run) if export else f"no such export; make it: nmt export {run.path} --to ctranslate2"
    if engine == "ctranslate2" and fault:
        folder.check(run, "float32")
        raise UserError(f"--engine ctranslate2: {run.path / folder.NAME}: {fault}")
    if export is None:
        return None
    if fault:
        log(f"{export.path}: not used: {fault}")
        return None
    log(f"translating with CTranslate2 in {export.quantization}; --engine torch takes the run itself")
    return export


def translator(run: Run, export: Export | None, *, workers: int = 1, **search: Any) -> LineTranslator:
    """The translator of a run, in this process: by its export, with a thread for each of several workers, or by torch."""
    if export is None:
        return Translator.of(run, **search)
    return ExportTranslator(export, run, workers=workers, threads=1 if workers > 1 else 0, **search)
