"""nmt: small neural machine translation that can be understood, measured and used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

__all__ = ["load"]


def load(run: str | Path, **search: Any) -> Translator:
    """The translator of a run folder or a bundle: ``nmt.load("runs/de-en").translate("Ein Hund läuft.").text``.

    Keywords such as ``beam=1`` or ``nbest=3`` take the place of the recipe's search settings.
    """
    from nmt.inference.translator import Translator
    from nmt.runs.run_folder import Run

    return Translator.of(Run(Path(run)), **search)
