"""The YAML file of a batch evaluation: runs, test sets, beams and the baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from nmt.errors import UserError


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


def read(path: Path) -> BatchFile:
    """The file's content; all unknown keys and wrong types are reported at once."""
    try:
        return BatchFile.model_validate(YAML(typ="safe", pure=True).load(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        messages = [f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise UserError("\n".join(messages)) from error
