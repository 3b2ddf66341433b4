"""What a recipe asks of a corpus, and what a run records of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nmt import printable
from nmt.atomic import JsonObject

Count = Annotated[int, Field(ge=0, le=1 << 50)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(printable.line)]


@dataclass(frozen=True)
class CorpusRequest:
    """The keys of a recipe's section `data`, where they are documented."""

    source: str
    target: str
    corpus: str | None
    configuration: str | None
    revision: str | None
    train: str | list[str] | None
    valid: str | list[str] | None
    test: str | list[str] | None
    held_out: int
    offline: str
    errors: str
    max_words: int
    max_ratio: float | None
    duplicates: str
    overlap: str
    extra: list[str]
    concatenation: int
    placeholders: bool
    in_memory: int
    cache: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, allow_inf_nan=False)


class SplitRecord(_Record):
    """A split: its size and the fingerprint `Pairs.sha256`."""

    pairs: Annotated[int, Field(ge=1, le=1 << 50)]
    sha256: Text


class FolderRecord(_Record):
    """A folder of the cache."""

    folder: Annotated[str, Field(pattern=r"^[a-z]+-[0-9a-f]{16}$")]
    bytes: Count


class RequestRecord(_Record):
    """The `CorpusRequest`; its other keys are kept as they are."""

    model_config = ConfigDict(extra="allow")

    corpus: Text | None = None


class CorpusMetadata(_Record):
    """What was asked for and loaded. It may be read from a run of another person, so every value is checked."""

    request: RequestRecord = RequestRecord()
    name: Text = ""
    """The data source: `builtin`, `files`, a folder, or a data set of the Hub."""
    revision: Text | None = None
    """The commit of a Hub data set."""
    fallback: Text | None
    """The corpus used because the Hub could not be reached."""
    fallback_reason: Text | None = None
    splits: dict[Text, SplitRecord] = {}
    cleaning: dict[Text, Count] = {}
    """Training pairs read and left out, by reason."""
    replaced: Count = 0
    """Texts in which invalid UTF-8 was replaced."""
    cache: FolderRecord | None = None
    """The cached text of a large corpus."""

    def as_json(self) -> JsonObject:
        """The values as a run stores them."""
        return self.model_dump(mode="json")
