"""The file of a study as types: settings and systems, or a grid; and the merging of its recipes.

A problem is reported as `file:line: key`.
"""

from __future__ import annotations

import copy
import json
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.recipe.document import Document, Key, dotted, shown
from nmt.recipe.section import Count, Section

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,119}$")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
File = TypeVar("File", bound=Section)

RENAMED = {"packs": "concatenations", "panel": "group"}
"""Keys of `study` and `systems` that had another name: old key, new key."""


class LongCorpus(Section):
    """A second corpus, of long sentences."""

    train: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files as in `data.extra`."""
    test: str
    """Files as in `data.test` without a corpus. This test set is translated as it is, without concatenation."""


class Settings(Section):
    """What a study does with its systems."""

    kind: Literal["bottleneck", "ladder", "grid"]
    """The analysis and report: the cost of concatenation, each system against the one before it, or all systems as one
    table of means over seeds."""
    baseline: Name
    """The system that others are compared with."""
    concatenations: Annotated[tuple[Count, ...], Field(min_length=1)] = (1,)
    """Sizes of the test sets: how many sentences are concatenated into one."""
    beams: Annotated[tuple[Count, ...], Field(min_length=1)] = (5,)
    """Every test set is translated with each of these beams."""
    long: LongCorpus | None = None
    """The corpus that systems with `long` also train on and are tested on; without it these systems are left out."""


class System(Section):
    """One model of a study."""

    title: str
    """Its name in tables and figures."""
    group: str = "core"
    """The part of the report that it belongs to."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (1,)
    """One run is trained for each."""
    match: Name | None = None
    """Widens the thought vector until this model has at least as many parameters as that system's."""
    long: bool = False
    """Also trains on the corpus of long sentences, and is tested on that alone: quality by natural length."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    """Its changes to the shared recipe; with `model.family` it has a model section of its own."""


class StudyFile(Section):
    """The file of a study whose systems are named one by one."""

    study: Settings
    recipe: dict[str, Any] = Field(default_factory=dict)
    """The recipe that all systems share."""
    systems: Annotated[dict[Name, System], Field(min_length=1)]


class GridFile(Section):
    """The file of a grid."""

    study: Settings
    recipes: Annotated[tuple[str, ...], Field(min_length=1)]
    """Recipes, as paths from the folder of this file."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (1,)
    """One run is trained for each, of each recipe and choice."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Lists of values by key of the recipe, such as ``model.dropout: [0.0, 0.3]``."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    """Values that all recipes have in place of their own."""


def validated_file(document: Document, kind: type[File]) -> File:
    """The file of a study as a type; raises with a line for each problem."""
    try:
        file = kind.model_validate_json(json.dumps(document.values))
    except ValidationError as error:
        problems = [_problem(document, detail, kind) for detail in error.errors(include_url=False)]
        raise UserError("\n".join([*map(str, document.problems), *problems])) from error
    if document.problems:
        raise UserError("\n".join(map(str, document.problems)))
    return file


def _problem(document: Document, detail: ErrorDetails, kind: type[Section]) -> str:
    key = tuple(str(part) for part in detail["loc"] if part != "[key]")
    wanted = (
        detail["msg"]
        .replace("Input should be", "expected")
        .replace("String should match pattern", "expected text like")
    )
    text = f"found {shown(detail['input'])}, {wanted[:1].lower()}{wanted[1:]}"
    if detail["type"] == "missing":
        text = "missing"
    elif detail["type"] == "extra_forbidden":
        text = f"renamed; use {dotted((*key[:-1], RENAMED[key[-1]]))}" if key[-1] in RENAMED else _unknown(key, kind)
    return str(document.problem(key, text))


def _unknown(key: Key, kind: type[Section]) -> str:
    section: type[Section] = Settings
    if len(key) == 1:
        section = kind
    elif key[0] == "systems":
        section = System
    elif len(key) > 2:
        section = LongCorpus
    near = get_close_matches(key[-1], section.model_fields, 1)
    return "not a key here; " + (
        f"did you mean {near[0]}?" if near else f"expected one of {', '.join(section.model_fields)}"
    )


def put(merged: Document, document: Document, root: Key) -> None:
    """Merges the values below ``root`` into a recipe, each key with its place."""
    found: Any = document.values
    for part in root:
        found = found.get(part, {})
    _merge(merged.values, copy.deepcopy(found))
    merged.places.update(
        {key[len(root) :]: place for key, place in document.places.items() if key[: len(root)] == root and key != root}
    )


def _merge(values: JsonObject, given: JsonObject) -> None:
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = value
