"""The table of model families, and `build`. A family of this package is one file beside this one and one line here.

Another package adds one by an entry point of the group `nmt.families`: its `TranslationModel`, with an attribute
`section`, the type of its recipe section.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from nmt.models.protocol import Description, Sizes, TranslationModel
from nmt.models.recurrent import RecurrentModel
from nmt.models.transformer import TransformerModel

FAMILIES: dict[str, type[TranslationModel]] = {
    "recurrent": RecurrentModel,
    "transformer": TransformerModel,
}


def family_class(name: str) -> type[TranslationModel]:
    """The model class of a family."""
    if name in FAMILIES:
        return FAMILIES[name]
    added = {point.name: point for point in entry_points(group="nmt.families")}
    if name not in added:
        raise ValueError(f"model.family: expected one of {', '.join([*FAMILIES, *added])}, found {name!r}")
    found: type[TranslationModel] = added[name].load()
    return found


def build(sizes: Sizes, *, source: int, target: int, joint: bool) -> TranslationModel:
    """A model with fresh weights for vocabularies of these sizes, which are one vocabulary where they are `joint`."""
    own = {key: value for key, value in sizes.items() if key != "family"}
    return family_class(sizes["family"])(source=source, target=target, joint=joint, **own)


def describe(sizes: Sizes) -> Description:
    """What a model of these sizes is, without building it."""
    return family_class(sizes["family"]).describe(sizes)


def parameters(model: TranslationModel) -> int:
    """Trainable numbers, tied ones counted once."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
