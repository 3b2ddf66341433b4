"""nmt: small neural machine translation that can be understood, measured and used."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nmt.inference.open import Split
    from nmt.inference.translator import TorchTranslator

__all__ = ["load"]


def load(
    run: str | Path,
    *,
    device: str = "cpu",
    precision: str | None = None,
    batch_tokens: int | None = None,
    beam: int | None = None,
    length_penalty: float | None = None,
    min_length: int | None = None,
    max_ratio: float | None = None,
    max_extra: int | None = None,
    max_tokens: int | None = None,
    nbest: int = 1,
    keep_weights: bool = True,
    split: Split = "auto",
    protect: bool = True,
) -> TorchTranslator:
    """The translator of a run folder or a bundle: ``nmt.load("runs/de-en").translate("Ein Hund läuft.").text``.

    A text is split into sentences, which are translated one by one and put together again with the spaces and line
    breaks between them; ``split="never"`` translates it as one sentence. Numbers, addresses, placeholders and the like
    stay as they are, unless ``protect`` is false. It computes with torch;
    `nmt.inference.open.open_translator` offers the other engines and several processes. What is None is as the run's
    recipe says.
    """
    from nmt.inference.open import open_translator
    from nmt.runs.run_folder import Run

    opened = Run(Path(run))
    search = opened.search_settings(
        beam=beam,
        length_penalty=length_penalty,
        min_length=min_length,
        max_ratio=max_ratio,
        max_extra=max_extra,
        max_tokens=max_tokens,
        nbest=nbest,
        keep_weights=keep_weights,
    )
    return open_translator(
        opened,
        "torch",
        device=device,
        precision=precision,
        search=search,
        batch_tokens=batch_tokens,
        split=split,
        protect=protect,
    )
