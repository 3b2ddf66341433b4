"""Exporting a run: the export is compared with the model, and replaces an earlier one only if their translations
agree."""

from __future__ import annotations

from collections.abc import Sequence

from nmt import atomic
from nmt.errors import Log, RunError
from nmt.export import folder
from nmt.export.parity import Parity, measure
from nmt.inference import exports
from nmt.inference.exports import Quantization
from nmt.runs.files import EXPORT
from nmt.runs.run_folder import Run

REFUSED = "ctranslate2.refused.json"
"""The report of an export that was refused, in the run's folder."""


def export(
    run: Run,
    quantization: Quantization,
    source: Sequence[str],
    references: Sequence[str],
    *,
    allowed_loss: float,
    log: Log,
) -> Parity:
    """Makes ``ctranslate2/`` in the run's folder, with the report in it; an export that was there before is replaced.

    One that does not translate as the model does is refused; its report stays.
    """
    exports.check(run, quantization)
    with atomic.atomic_folder(run.to_write(EXPORT)) as building:
        built = folder.fill(building, run, quantization)
        parity = measure(run, built, source, references, allowed_loss, log)
        if parity.faults:
            atomic.write_json(run.to_write(REFUSED), parity.as_json())
            raise RunError(
                f"{run.path}: not exported: {'; '.join(parity.faults)}\n"
                f"the report is {run.files.where(REFUSED)}; other exports are untouched"
            )
        atomic.write_json(building / folder.PARITY, parity.as_json())
        exports.describe(building, built.description)
    run.to_write(REFUSED).unlink(missing_ok=True)
    _note(run, log)
    return parity


def _note(run: Run, log: Log) -> None:
    try:
        exports.note(run)
    except (OSError, RunError) as error:
        log(f"the engine auto will not take this export, name --engine ctranslate2: {error}")
