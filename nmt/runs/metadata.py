"""The types of `run.json` and `outcome.json`. A file from a stranger is checked before use."""

from __future__ import annotations

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nmt.atomic import JsonObject
from nmt.data.metadata import CorpusMetadata, FolderRecord, Text
from nmt.errors import UserError

FORMAT = 2
_Count = Annotated[int, Field(ge=1, le=1 << 50)]
_Ranges = Annotated[str, Field(pattern=r"^(\d{1,9}(-\d{1,9})?( \d{1,9}(-\d{1,9})?)*)?$")]

Section_ = TypeVar("Section_", bound="Section")


class Section(BaseModel):
    """A section of the file: frozen, and strict about the types of its keys."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False, frozen=True)

    def as_json(self) -> JsonObject:
        """The values as they are written."""
        return self.model_dump(mode="json", exclude_unset=True)


class Lengths(Section):
    """Tokens of the sentences that were trained on, on one side, without their ends."""

    median: int
    p95: int
    longest: Annotated[int, Field(ge=1, le=1 << 20)]
    tokens: _Count
    """Sum over the first epoch."""


class Sides(Section):
    """Lengths of both sides."""

    source: Lengths
    target: Lengths


class VocabularySizes(Section):
    """Tokens of both vocabularies."""

    source: _Count
    target: _Count
    joint: bool


class Decisions(Section):
    """What the recipe leaves open and the machine decides, once, when training begins."""

    device: Text = "cpu"
    precision: Text = "fp32"
    threads: Annotated[int, Field(ge=1, le=10_000)] = 1
    updates_per_minute: float | None = None
    batches_per_epoch: _Count = 1
    updates: _Count = 1
    validate_every: _Count = 1
    warmup: Annotated[int, Field(ge=0, le=1 << 50)] = 0
    parameters: _Count = 1

    def with_updates(self, updates: int, batches_per_epoch: int | None = None) -> Decisions:
        """These decisions with another number of updates, and of batches where the text is another one."""
        batches = {} if batches_per_epoch is None else {"batches_per_epoch": batches_per_epoch}
        return Decisions.model_validate(self.as_json() | {"updates": updates} | batches)


class Metadata(Section):
    """What is fixed when training begins."""

    format: int = FORMAT
    created: Text = ""
    versions: dict[Text, Text] = {}
    machine: dict[str, Any] = {}
    """See `nmt.provenance.machine`."""
    corpus: CorpusMetadata
    lengths: Sides
    vocabulary: VocabularySizes | None = None
    unseen_tokens: _Ranges | None = None
    """Source token ids that no training sentence has, as `ranges` writes them; None where they were not recorded."""
    several_sentences: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of training lines with several source sentences; None in runs that did not record it."""
    token_cache: FolderRecord | None = None
    """Where the token ids of a large corpus are."""
    decided: Decisions = Decisions()

    def with_decisions(self, decided: Decisions) -> Metadata:
        """This metadata with other decisions."""
        return Metadata.model_validate(self.as_json() | {"decided": decided.as_json()})


class Outcome(Section):
    """How training ended."""

    update: int
    best: float
    """See `nmt.training.progress.Progress`."""
    best_update: int
    skipped: int = 0


def read_metadata(data: bytes, where: str, run: object) -> Metadata:
    """The metadata in a file that is said to stand at ``where``, of the run at a path."""
    values = read_object(data, where)
    found = values.get("format")
    if found == FORMAT - 1:
        raise UserError(
            f"{where}: a run of format {found}, made by an older version of nmt; convert it: nmt convert {run}"
        )
    if found != FORMAT:
        raise UserError(
            f"{where}: expected a run of format {FORMAT}, found {repr(found)[:50]}; it was made by another version of "
            "nmt\nuse that version, or train again with this one"
        )
    return validated(Metadata, values, where)


def read_outcome(data: bytes, where: str) -> Outcome:
    """The outcome in a file that is said to stand at ``where``."""
    return validated(Outcome, read_object(data, where), where)


def validated(section: type[Section_], values: JsonObject, where: str) -> Section_:
    """The section that a file holds; anything else is a `UserError` with its place."""
    try:
        return section.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(
            f"{where}: {'.'.join(map(str, first['loc']))[:100]}: {first['msg'][:100]}; the run folder is damaged"
        ) from error


def read_object(data: bytes, where: str) -> JsonObject:
    """A JSON object."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where}: cannot be read as JSON ({error}); the run folder is damaged") from error
    if not isinstance(values, dict):
        raise UserError(f"{where}: expected an object, found {type(values).__name__}; the run folder is damaged")
    return values
