"""What every section of a recipe is: a frozen, strict pydantic model, and the numbers its fields take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nmt.recipe.document import Key

Count = Annotated[int, Field(ge=1)]
Updates = Annotated[int, Field(ge=1, le=10**9)]
Width = Annotated[int, Field(ge=1, le=1 << 16)]
"""Units of a layer; what the layers of a model come to is checked with the memory of the machine."""
Tokens = Annotated[int, Field(ge=1, le=1 << 20)]
"""Positions in a batch, and so the longest sentence."""
Layers = Annotated[int, Field(ge=1, le=100)]
Beam = Annotated[int, Field(ge=1, le=1000)]
Probability = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of a recipe: unknown keys are errors, values are taken as they are written."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        populate_by_name=True,
    )

    def conflicts(self) -> Iterator[tuple[Key, str]]:
        """Keys whose values do not fit other keys of the section, each with what is expected of it."""
        yield from ()
