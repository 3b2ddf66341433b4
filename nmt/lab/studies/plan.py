"""A study recipe: what all models share, and what each system changes.

It is read as recipes are, with the place of every key, so that a problem in a system's recipe is reported as
`file:line: key`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.lab.studies import grid
from nmt.lab.studies.study_file import Settings, StudyFile, System, put, validated_file
from nmt.recipe import reading
from nmt.recipe.document import Document, Key, dotted, shown
from nmt.recipe.types import Recipe
from nmt.recipe.validation import converted, validated

TESTED = ("source", "target", "corpus", "configuration", "revision", "test", "errors")
"""Keys of `data` that decide the test set, which all recipes share."""


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

    ``KEY=VALUE`` changes the shared recipe, or the study if the key begins with `study.` or `systems.`, or is one of
    `grid.KEYS` in a grid.

    Raises `UserError` with a line for each problem.
    """
    document = reading.read_document(path)
    if "study" not in document.values:
        raise UserError(
            f"{path}: expected a study with the keys study, recipe and systems; train a recipe with nmt train {path}"
        )
    is_grid = grid.is_grid(document)
    for number, text in enumerate(overrides, start=1):
        own = text.startswith(("study.", "systems.")) or (is_grid and re.split("[.=]", text)[0] in grid.KEYS)
        document.override(text, number, () if own else ("recipe",))
    if is_grid:
        document = grid.expanded(document, path)
    file = validated_file(document, StudyFile)
    systems = {name: system for name, system in file.systems.items() if file.study.long or not system.long}
    jobs = tuple(
        Job(name, seed, _of(document, file, name, seed, path.stem))
        for name, system in systems.items()
        for seed in system.seeds
    )
    if twice := [name for name, count in Counter(job.name for job in jobs).items() if count > 1]:
        raise UserError(f"{path}: two runs are called {twice[0]}; expected a different seed for each run of a system")
    for key, name in _references(file):
        if name not in file.systems:
            known = ", ".join(file.systems)
            raise UserError(str(document.problem(key, f"found {shown(name)}, expected one of the systems {known}")))
    plan = Plan(path.stem, file.study, _recipe(document, None, 1, path.stem), systems, jobs, tuple(overrides))
    if is_grid:
        _check_tests(plan.shared, [job.recipe for job in jobs], path)
    return plan


def listed(folder: Path) -> list[tuple[Path, str, str]]:
    """The studies among the files of a folder: path, kind, and the first line of the file's comment."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            study = reading.read_document(path).values.get("study")
        except UserError:
            continue  # a broken recipe says so when it is run
        if isinstance(study, dict):
            first = path.read_text(encoding="utf8").partition("\n")[0]
            found.append((path, str(study.get("kind")), first.removeprefix("#").strip()))
    if not found:
        raise UserError(f"{folder}: there is no study; name one, such as recipes/bottleneck.yaml of the repository")
    return found


def _check_tests(shared: Recipe, recipes: Sequence[Recipe], path: Path) -> None:
    """Refuses recipes with different test sets, which cannot be compared."""
    wanted = shared.data.model_dump(include=set(TESTED))
    for recipe in recipes:
        found = recipe.data.model_dump(include=set(TESTED))
        for key in TESTED:
            if found[key] != wanted[key]:
                raise UserError(
                    f"{path}: recipes: data.{key} is {shown(wanted[key])} in one and {shown(found[key])} in another; "
                    "a grid compares systems on one test set"
                )


def _of(document: Document, file: StudyFile, system: str, seed: int, study: str) -> Recipe:
    """The recipe of a system; with `long`, its training data include the long sentences."""
    recipe = _recipe(document, system, seed, study)
    if file.study.long is None or not file.systems[system].long:
        return recipe
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"extra": list(file.study.long.train)})})


def _references(file: StudyFile) -> Iterator[tuple[Key, str]]:
    """Keys whose value is the name of a system."""
    yield ("study", "baseline"), file.study.baseline
    for name, system in file.systems.items():
        if system.match is not None:
            yield ("systems", name, "match"), system.match


def _recipe(document: Document, system: str | None, seed: int, study: str) -> Recipe:
    """The shared recipe with a system's changes, its seed, and one thread: one process runs on each core. The recipes
    of a grid are whole, and share nothing."""
    merged = Document({}, {(): document.place(())})
    if system is None or document.values["study"]["kind"] != "grid":
        put(merged, document, ("recipe",))
    if system is not None:
        own = document.values["systems"][system].get("recipe", {}).get("model")
        if isinstance(own, dict) and "family" in own:
            merged.values.pop("model", None)
            merged.places = {key: place for key, place in merged.places.items() if key[:1] != ("model",)}
        put(merged, document, ("systems", system, "recipe"))
    recipe = validated(merged, f"{study}-{system}-seed{seed}" if system else study)
    return recipe.model_copy(update={"training": recipe.training.model_copy(update={"seed": seed, "threads": 1})})


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
