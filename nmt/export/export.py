"""Exporting a run: the export is compared with the model, and replaces an earlier one only if their translations
agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nmt import atomic
from nmt.errors import RunError
from nmt.export import folder
from nmt.export.parity import Parity, measure
from nmt.inference import ctranslate2
from nmt.runs.run_folder import Run

REFUSED = "ctranslate2.refused.json"
"""The report of an export that was refused, in the run's folder."""


def export(
    run: Run,
    quantization: str,
    source: Sequence[str],
    references: Sequence[str],
    *,
    allowed_loss: float,
    log: Callable[[str], None],
) -> Parity:
    """Makes ``ctranslate2/`` in the run's folder, with the report in it; an export that was there before is replaced.

    One that does not translate as the model does is refused; its report stays.
    """
    ctranslate2.check(run, quantization)
    with atomic.atomic_folder(run.to_write(ctranslate2.NAME)) as building:
        built = folder.fill(building, run, quantization)
        parity = measure(run, built, source, references, allowed_loss, log)
        if parity.faults:
            atomic.write_json(run.to_write(REFUSED), parity.as_json())
            raise RunError(
                f"{run.path}: not exported: {'; '.join(parity.faults)}\n"
                f"the report is {run.path / REFUSED}; other exports are untouched"
            )
        atomic.write_json(building / folder.PARITY, parity.as_json())
    (run.path / REFUSED).unlink(missing_ok=True)
    return parity
