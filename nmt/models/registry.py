"""The table of model families, and `build`. A new architecture is one file beside this one and one line here."""

from __future__ import annotations

from typing import Any

from nmt.models.protocol import TranslationModel
from nmt.models.recurrent import RecurrentModel
from nmt.models.transformer import TransformerModel

FAMILIES: dict[str, type[TranslationModel]] = {"recurrent": RecurrentModel, "transformer": TransformerModel}


def build(family: str, *, source: int, target: int, joint: bool, **sizes: Any) -> TranslationModel:
    """A model with fresh weights: vocabulary sizes, whether they are one vocabulary, and the family's own keys of a recipe."""
    if family not in FAMILIES:
        raise ValueError(f"model.family: expected one of {', '.join(FAMILIES)}, found {family!r}")
    return FAMILIES[family](source=source, target=target, joint=joint, **sizes)


def parameters(model: TranslationModel) -> int:
    """Trainable numbers, tied ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
