"""The YAML file of a batch evaluation: runs, test sets, beams and the baseline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from nmt.errors import UserError
from nmt.recipe.document import Document, Place, Problem, parse, shown


class Files(BaseModel):
    """The two files of a test set, and its languages if they are not the endings of the files."""

    model_config = ConfigDict(extra="forbid", strict=True)
    source: str
    reference: str
    languages: str | None = None
    """Such as ``de-en``."""


class BatchFile(BaseModel):
    """What a file may hold; paths are relative to the current folder."""

    model_config = ConfigDict(extra="forbid", strict=True)
    runs: list[str] = []
    """Run folders, bundles, or patterns such as ``runs/de-en*``."""
    tests: dict[str, Files] = {}
    """Test sets by name."""
    beam: list[Annotated[int, Field(ge=1)]] = []
    """Beams; by default the beam of each run's recipe."""
    baseline: str | None = None
    """The run that others are compared with."""


_KEYS = ", ".join(BatchFile.model_fields)


def read(path: Path) -> BatchFile:
    """The file's content; all unknown keys and wrong types are reported at once, with their lines."""
    try:
        document = parse(path.read_text("utf-8-sig"), Place(0, str(path)))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not YAML: it is not UTF-8") from error
    if not isinstance(document.values, dict):
        raise UserError(f"{path}: found {shown(document.values)}, expected a mapping with keys among {_KEYS}")
    try:
        file = BatchFile.model_validate(document.values)
    except ValidationError as error:
        document.problems += [_problem(document, each) for each in error.errors()]
    if document.problems:
        raise UserError("\n".join(map(str, document.problems)))
    return file


def _problem(document: Document, detail: ErrorDetails) -> Problem:
    key = tuple(map(str, detail["loc"]))
    if detail["type"] == "missing":
        return document.problem(key, "missing")
    if detail["type"] == "extra_forbidden":
        known = _KEYS if len(key) == 1 else ", ".join(Files.model_fields)
        return document.problem(key, f"not a key here; expected one of {known}")
    wanted = re.sub(r" or instance of \w+", "", detail["msg"]).replace("Input should be", "expected")
    return document.problem(key, f"found {shown(detail['input'])}, {wanted}")
