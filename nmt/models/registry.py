"""The table of model families, and `build`. A family of this package is one file beside this one and one line here.

Another package adds one by an entry point of the group `nmt.families`: its `TranslationModel`, with an attribute `section`, the
type of its recipe section.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from nmt.models.protocol import Description, TranslationModel
from nmt.models.recurrent import RecurrentModel
from nmt.models.transformer import TransformerModel

FAMILIES: dict[str, type[TranslationModel]] = {
    "recurrent": RecurrentModel,
    "transformer": TransformerModel,
    **{point.name: point.load() for point in entry_points(group="nmt.families")},
}


def family_class(name: str) -> type[TranslationModel]:
    """The model class of a family."""
    if name not in FAMILIES:
        raise ValueError(f"model.family: expected one of {', '.join(FAMILIES)}, found {name!r}")
    return FAMILIES[name]


def build(family: str, *, source: int, target: int, joint: bool, **sizes: Any) -> TranslationModel:
    """A model with fresh weights: vocabulary sizes, whether they are one vocabulary, and the family's own keys of a recipe."""
    return family_class(family)(source=source, target=target, joint=joint, **sizes)


def describe(section: Mapping[str, Any]) -> Description:
    """What a model of a recipe's `model` section is, without building it."""
    return family_class(section["family"]).describe(section)


def parameters(model: TranslationModel) -> int:
    """Trainable numbers, tied ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
