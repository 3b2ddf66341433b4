"""A study as its file describes it: what all models share, and for each system what it changes.

The file is read as recipes are, with the place of every key, so that a fault in the recipe of a system is told as `file:line: key`.
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

from nmt.errors import UserError
from nmt.recipe import reading
from nmt.recipe.document import Document, Key, dotted, shown
from nmt.recipe.renamed import converted
from nmt.recipe.section import Count, Section
from nmt.recipe.types import Recipe
from nmt.recipe.validation import validated

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class Long(Section):
    """A second corpus whose sentences are long by nature."""

    train: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files as in `data.extra`."""
    test: str
    """Its test set: files as in `data.test` without a corpus. It is translated as it is, and not packed."""


class Settings(Section):
    """What a study does with its systems."""

    kind: Literal["bottleneck", "ladder"]
    """Which analysis and report: what packing sentences costs, or one rung after another."""
    baseline: Name
    """The system that others are compared with."""
    packs: Annotated[tuple[Count, ...], Field(min_length=1)] = (1,)
    """Sizes of the packed test sets: sentences joined into one."""
    beams: Annotated[tuple[Count, ...], Field(min_length=1)] = (5,)
    """Beams that every test set is translated with."""
    long: Long | None = None
    """The corpus that systems with `long` train on too and are tested on; without it they are left out."""


class System(Section):
    """One model of a study."""

    title: str
    """How tables and figures name it."""
    panel: str = "core"
    """The part of the report that it belongs to; its seeds say whether it has error bars."""
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (1,)
    """One run is trained for each."""
    match: Name | None = None
    """Widens `model.bottleneck` until this model has at least as many parameters as that system's."""
    long: bool = False
    """Whether it trains on the corpus of long sentences too, and is tested on that alone: quality by natural length."""
    recipe: dict[str, Any] = Field(default_factory=dict)
    """What it changes of the shared recipe; one that names `model.family` has a model of its own, of which nothing is shared."""


class _File(Section):
    study: Settings
    recipe: dict[str, Any] = Field(default_factory=dict)
    """The recipe that all systems share."""
    systems: Annotated[dict[Name, System], Field(min_length=1)]


@dataclass(frozen=True)
class Unit:
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
    """A study that is valid in all its parts."""

    name: str
    settings: Settings
    shared: Recipe
    systems: dict[str, System]
    units: tuple[Unit, ...]
    overrides: tuple[str, ...] = ()
    """What of its file was changed on the command line."""

    @property
    def command(self) -> str:
        """The command that does all of it again."""
        return shlex.join(("nmt", "study", f"recipes/{self.name}.yaml", *self.overrides))

    def chosen(self, panels: Sequence[str]) -> tuple[Unit, ...]:
        """The units of these panels, all where none is named."""
        known = {system.panel for system in self.systems.values()}
        for panel in panels:
            if panel not in known:
                raise UserError(f"--only: expected among {', '.join(sorted(known))}, found {panel!r}")
        return tuple(unit for unit in self.units if not panels or self.systems[unit.system].panel in panels)


def read(path: Path, overrides: Sequence[str] = ()) -> Plan:
    """The study of a file. ``KEY=VALUE`` changes the shared recipe, or with `study.` or `systems.` in front, the study itself.

    Raises `UserError` with a line for each fault.
    """
    document = reading.read_document(path)
    if "study" not in document.values:
        raise UserError(
            f"{path}: expected a study with the keys study, recipe and systems; train a recipe with nmt train {path}"
        )
    for number, text in enumerate(overrides, start=1):
        document.override(text, number, () if text.startswith(("study.", "systems.")) else ("recipe",))
    file = _file(document)
    for key, name in _named(file):
        if name not in file.systems:
            raise UserError(
                str(
                    document.problem(key, f"found {shown(name)}, expected one of the systems {', '.join(file.systems)}")
                )
            )
    systems = {name: system for name, system in file.systems.items() if file.study.long or not system.long}
    units = tuple(
        Unit(name, seed, _of(document, file, name, seed, path.stem))
        for name, system in systems.items()
        for seed in system.seeds
    )
    return Plan(path.stem, file.study, _recipe(document, None, 1, path.stem), systems, units, tuple(overrides))


def _of(document: Document, file: _File, system: str, seed: int, study: str) -> Recipe:
    """The recipe of a system, with the corpus of long sentences where it trains on that."""
    recipe = _recipe(document, system, seed, study)
    if file.study.long is None or not file.systems[system].long:
        return recipe
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"extra": list(file.study.long.train)})})


def _named(file: _File) -> Iterator[tuple[Key, str]]:
    """Where systems are named."""
    yield ("study", "baseline"), file.study.baseline
    for name, system in file.systems.items():
        if system.match is not None:
            yield ("systems", name, "match"), system.match


def _file(document: Document) -> _File:
    try:
        file = _File.model_validate_json(json.dumps(document.values))
    except ValidationError as error:
        faults = [_fault(document, detail) for detail in error.errors(include_url=False)]
        raise UserError("\n".join([*map(str, document.problems), *faults])) from error
    if document.problems:
        raise UserError("\n".join(map(str, document.problems)))
    return file


def _fault(document: Document, detail: Any) -> str:
    key = tuple(str(part) for part in detail["loc"] if part != "[key]")
    if detail["type"] == "extra_forbidden":
        known = _keys(key)
        near = get_close_matches(key[-1], known, 1)
        return str(
            document.problem(
                key,
                "not a key here; " + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"),
            )
        )
    if detail["type"] == "missing":
        return str(document.problem(key, "missing"))
    wanted = (
        detail["msg"]
        .replace("Input should be", "expected")
        .replace("String should match pattern", "expected text like")
    )
    return str(document.problem(key, f"found {shown(detail['input'])}, {wanted[:1].lower()}{wanted[1:]}"))


def _keys(key: Key) -> list[str]:
    section: type[Section] = (
        _File if len(key) == 1 else System if key[0] == "systems" else Long if len(key) > 2 else Settings
    )
    return list(section.model_fields)


def _recipe(document: Document, system: str | None, seed: int, study: str) -> Recipe:
    """The shared recipe with a system's changes, its seed, and one thread: runs go side by side, one on each core."""
    whole = Document({}, {(): document.place(())})
    _put(whole, document, ("recipe",))
    if system is not None:
        own = document.values["systems"][system].get("recipe", {}).get("model")
        if isinstance(own, dict) and "family" in own:
            whole.values.pop("model", None)
            whole.places = {key: place for key, place in whole.places.items() if key[:1] != ("model",)}
        _put(whole, document, ("systems", system, "recipe"))
    recipe = validated(whole, f"{study}-{system}-seed{seed}" if system else study)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": seed, "threads": 1})})


def _put(whole: Document, document: Document, root: Key) -> None:
    """Puts what stands below ``root`` over a recipe, each key with its place."""
    found: Any = document.values
    for part in root:
        found = found.get(part, {})
    _merge(whole.values, copy.deepcopy(found))
    whole.places.update(
        {key[len(root) :]: place for key, place in document.places.items() if key[: len(root)] == root and key != root}
    )


def _merge(values: dict[str, Any], given: dict[str, Any]) -> None:
    for name, value in given.items():
        if isinstance(value, dict) and isinstance(values.get(name), dict):
            _merge(values[name], value)
        else:
            values[name] = value


def described(recipe: Recipe) -> dict[str, Any]:
    """What of a recipe makes a run what it is: all but names and the places where its text lies, which are compared by content."""
    values = recipe.model_dump(
        mode="json",
        by_alias=True,
        exclude={"name": True, "data": {"corpus", "offline", "extra", "in_memory", "cache"}},
    )
    values["vocabulary"].pop("from")
    return values


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """A described recipe under the new names of its keys, with the default of every key that is newer than it."""
    try:
        return described(Recipe.model_validate_json(json.dumps(converted(values))))
    except ValidationError:
        return values


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Dotted keys whose values differ, with both values, in words."""
    first, second = dict(_leaves(before)), dict(_leaves(now))
    return [
        f"{dotted(key)}: {shown(first.get(key))} there, {shown(second.get(key))} now"
        for key in first | second
        if first.get(key) != second.get(key)
    ]


def _leaves(values: dict[str, Any], above: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value
