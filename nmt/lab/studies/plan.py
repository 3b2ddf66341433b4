"""A study recipe: what all models share, and what each system changes.

It is read as recipes are, with the place of every key, so that a problem in a system's recipe is reported as
`file:line: key`.
"""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.recipe import reading
from nmt.recipe.document import Document, Key, dotted, shown
from nmt.recipe.section import Count, Section
from nmt.recipe.types import Recipe
from nmt.recipe.validation import converted, validated

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]

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

    kind: Literal["bottleneck", "ladder"]
    """The analysis and report: the cost of concatenation, or each system against the one before it."""
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


class _File(Section):
    study: Settings
    recipe: dict[str, Any] = Field(default_factory=dict)
    """The recipe that all systems share."""
    systems: Annotated[dict[Name, System], Field(min_length=1)]


@dataclass(frozen=True)
class Job:
    """One run of a study: a system with one seed."""

    system: str
    seed: int
    recipe: Recipe

    @property
    def name(self) -> str:
        """Names its folders."""
        return f"{self.system}-seed{self.seed}"


@dataclass(frozen=True)
class Plan:
    """A validated study recipe."""

    name: str
    settings: Settings
    shared: Recipe
    systems: dict[str, System]
    jobs: tuple[Job, ...]
    overrides: tuple[str, ...] = ()
    """``KEY=VALUE`` of the command line."""

    @property
    def command(self) -> str:
        """The command that repeats the study."""
        return shlex.join(("nmt", "study", f"recipes/{self.name}.yaml", *self.overrides))

    def chosen(self, groups: Sequence[str]) -> tuple[Job, ...]:
        """The jobs of these groups; all jobs if none is named."""
        known = {system.group for system in self.systems.values()}
        for group in groups:
            if group not in known:
                raise UserError(f"--only: expected among {', '.join(sorted(known))}, found {group!r}")
        return tuple(job for job in self.jobs if not groups or self.systems[job.system].group in groups)


def read(path: Path, overrides: Sequence[str] = ()) -> Plan:
    """The study of a file.

    ``KEY=VALUE`` changes the shared recipe, or the study if the key begins with `study.` or `systems.`.

    Raises `UserError` with a line for each problem.
    """
    document = reading.read_document(path)
    if "study" not in document.values:
        raise UserError(
            f"{path}: expected a study with the keys study, recipe and systems; train a recipe with nmt train {path}"
        )
    for number, text in enumerate(overrides, start=1):
        document.override(text, number, () if text.startswith(("study.", "systems.")) else ("recipe",))
    file = _file(document)
    for key, name in _references(file):
        if name not in file.systems:
            known = ", ".join(file.systems)
            raise UserError(str(document.problem(key, f"found {shown(name)}, expected one of the systems {known}")))
    systems = {name: system for name, system in file.systems.items() if file.study.long or not system.long}
    jobs = tuple(
        Job(name, seed, _of(document, file, name, seed, path.stem))
        for name, system in systems.items()
        for seed in system.seeds
    )
    return Plan(path.stem, file.study, _recipe(document, None, 1, path.stem), systems, jobs, tuple(overrides))


def _of(document: Document, file: _File, system: str, seed: int, study: str) -> Recipe:
    """The recipe of a system; with `long`, its training data include the long sentences."""
    recipe = _recipe(document, system, seed, study)
    if file.study.long is None or not file.systems[system].long:
        return recipe
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"extra": list(file.study.long.train)})})


def _references(file: _File) -> Iterator[tuple[Key, str]]:
    """Keys whose value is the name of a system."""
    yield ("study", "baseline"), file.study.baseline
    for name, system in file.systems.items():
        if system.match is not None:
            yield ("systems", name, "match"), system.match


def _file(document: Document) -> _File:
    try:
        file = _File.model_validate_json(json.dumps(document.values))
    except ValidationError as error:
        problems = [_problem(document, detail) for detail in error.errors(include_url=False)]
        raise UserError("\n".join([*map(str, document.problems), *problems])) from error
    if document.problems:
        raise UserError("\n".join(map(str, document.problems)))
    return file


def _problem(document: Document, detail: ErrorDetails) -> str:
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
        text = f"renamed; use {dotted((*key[:-1], RENAMED[key[-1]]))}" if key[-1] in RENAMED else _unknown(key)
    return str(document.problem(key, text))


def _unknown(key: Key) -> str:
    section: type[Section] = Settings
    if len(key) == 1:
        section = _File
    elif key[0] == "systems":
        section = System
    elif len(key) > 2:
        section = LongCorpus
    near = get_close_matches(key[-1], section.model_fields, 1)
    return "not a key here; " + (
        f"did you mean {near[0]}?" if near else f"expected one of {', '.join(section.model_fields)}"
    )


def _recipe(document: Document, system: str | None, seed: int, study: str) -> Recipe:
    """The shared recipe with a system's changes, its seed, and one thread: one process runs on each core."""
    merged = Document({}, {(): document.place(())})
    _put(merged, document, ("recipe",))
    if system is not None:
        own = document.values["systems"][system].get("recipe", {}).get("model")
        if isinstance(own, dict) and "family" in own:
            merged.values.pop("model", None)
            merged.places = {key: place for key, place in merged.places.items() if key[:1] != ("model",)}
        _put(merged, document, ("systems", system, "recipe"))
    recipe = validated(merged, f"{study}-{system}-seed{seed}" if system else study)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": seed, "threads": 1})})


def _put(merged: Document, document: Document, root: Key) -> None:
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


def comparable_json(recipe: Recipe) -> JsonObject:
    """The settings that decide what a run learns; names and the places of text are left out."""
    values = recipe.model_dump(
        mode="json",
        by_alias=True,
        exclude={"name": True, "data": {"corpus", "offline", "extra", "in_memory", "cache"}},
    )
    values["vocabulary"].pop("from")
    return values


def read_recipe(values: JsonObject) -> Recipe | None:
    """The recipe that `comparable_json` wrote, also under old names of keys; newer keys have their defaults."""
    try:
        return Recipe.model_validate_json(json.dumps(converted(values)))
    except ValidationError:
        return None


def differences(before: JsonObject, now: JsonObject) -> list[str]:
    """Dotted keys whose values differ, with both values."""
    first, second = dict(reading.leaves(before)), dict(reading.leaves(now))
    return [
        f"{dotted(key)}: {shown(first.get(key))} there, {shown(second.get(key))} now"
        for key in first | second
        if first.get(key) != second.get(key)
    ]
