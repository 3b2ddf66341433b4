"""What `run.json` must hold, so that a run folder from a stranger is refused before its facts are used."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.data.metadata import CorpusMetadata, FolderRecord
from nmt.errors import UserError

FORMAT = 1
_ABSENT: Any = None
"""The default of what may be missing, though nothing but the thing itself may stand in its place."""
_Count = Annotated[int, Field(ge=1, le=1 << 50)]
_Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$", max_length=10_000)]


class _Section(BaseModel):
    """Strict about what is used; what else there is stays as it is."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)


class _Lengths(_Section):
    """Pieces of the sentences that were trained on."""

    median: int
    p95: int = Field(alias="95")
    longest: Annotated[int, Field(ge=1, le=1 << 20)]
    pieces: _Count


class _Sides(_Section):
    source: _Lengths
    target: _Lengths


class _Vocabulary(_Section):
    source: _Count
    target: _Count
    joint: bool


class _Known(_Section):
    """Keys that may be missing here are missed when they are asked for."""

    corpus: CorpusMetadata = _ABSENT
    lengths: _Sides = _ABSENT
    vocabulary: _Vocabulary = _ABSENT
    pieces: FolderRecord = _ABSENT
    unseen: Annotated[str, Field(pattern=r"^(\d{1,9}(-\d{1,9})?( \d{1,9}(-\d{1,9})?)*)?$")] = ""
    updates: _Count = 1
    parameters: _Count = 1
    threads: Annotated[int, Field(ge=1, le=10_000)] = 1
    device: _Text = ""
    precision: _Text = ""
    created: _Text = ""
    versions: dict[str, _Text] = {}


class Metadata(dict[str, Any]):
    """The facts of a run; asking for one that is not there is a fault of the folder."""

    def __init__(self, values: dict[str, Any], where: str) -> None:
        super().__init__(values)
        self.where = where

    def __missing__(self, key: str) -> Any:
        raise UserError(f"{self.where}: expected the key {key!r}; the run folder is damaged")


def read(data: bytes, where: str) -> Metadata:
    """The facts in a file that is said to stand at ``where``."""
    values = read_object(data, where)
    if values.get("format") != FORMAT:
        found = f"found {repr(values.get('format'))[:50]}; it was made by another version of nmt\nuse that version, or train again with this one"
        raise UserError(f"{where}: expected a run of format {FORMAT}, {found}")
    try:
        _Known.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(
            f"{where}: {'.'.join(map(str, first['loc']))[:100]}: {first['msg'][:100]}; the run folder is damaged"
        ) from error
    return Metadata(values, where)


def read_object(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: cannot be read as JSON ({error}); the run folder is damaged") from error
    if not isinstance(values, dict):
        raise UserError(f"{where}: expected an object, found {type(values).__name__}; the run folder is damaged")
    return values
