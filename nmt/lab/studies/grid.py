"""A grid: recipes times overrides times seeds. It is read into a study with a system for each recipe and choice.

```yaml
study: {kind: grid, baseline: builtin-dropout-0.0}
recipes: [builtin.yaml, builtin-transformer.yaml]   # beside this file
seeds: [1, 2, 3]
overrides: {model.dropout: [0.0, 0.3]}              # every choice with every other
recipe: {training: {updates: 500}}                  # replaces values of all recipes
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.lab.studies.study_file import GridFile, put, validated_file
from nmt.recipe import reading
from nmt.recipe.document import Document, Key, dotted, shown

KEYS = ("recipes", "seeds", "overrides")
"""Keys of a grid beside `study` and `recipe`."""
SEED = "training.seed"

Choice = tuple[tuple[str, Any], ...]
"""A value for each dotted key that is overridden."""


def is_grid(document: Document) -> bool:
    """Whether the file of a study is that of a grid."""
    study = document.values["study"]
    return isinstance(study, dict) and study.get("kind") == "grid"


def expanded(document: Document, path: Path) -> Document:
    """The study of a grid: a system for each recipe and choice, with a whole recipe. Values keep their places."""
    file = validated_file(document, GridFile)
    if file.study.long is not None or file.study.concatenations != (1,):
        raise UserError(f"{path}: study: a grid is scored on the test set as it is; take out concatenations and long")
    axes = dict(_axes(document, document.values.get("overrides", {}), ()))
    if SEED in axes:
        raise UserError(str(document.problem(("overrides", SEED), "name the seeds by the key seeds of the grid")))
    study = Document({"study": document.values["study"], "systems": {}}, dict(document.places))
    for name in file.recipes:
        recipe = _recipe(path.parent / name)
        put(recipe, document, ("recipe",))
        if "recipe" not in study.values:
            _add(study, ("recipe",), recipe, document, ())
        for choice in product(*([(key, value) for value in values] for key, values in axes.items())):
            system = _system_name(Path(name).stem, choice, axes)
            if system in study.values["systems"]:
                raise UserError(f"{path}: two systems of the grid are called {system}; rename a recipe")
            study.values["systems"][system] = {
                "title": ", ".join([Path(name).stem, *_words(choice, axes)]),
                "group": Path(name).stem,
                "seeds": document.values.get("seeds", [1]),
            }
            _add(study, ("systems", system, "recipe"), recipe, document, choice)
    return study


def _axes(document: Document, values: Mapping[str, Any], above: Key) -> Iterator[tuple[str, list[Any]]]:
    """The lists of `overrides` by dotted key, whether written as ``model.dropout`` or as nested sections."""
    for name, value in values.items():
        key = (*above, name)
        if isinstance(value, dict):
            yield from _axes(document, value, key)
        elif isinstance(value, list) and value:
            yield ".".join(key), value
        else:
            text = f"found {shown(value)}, expected a list of values"
            raise UserError(str(document.problem(("overrides", *key), text)))


def _recipe(path: Path) -> Document:
    document = reading.read_document(path)
    if "study" in document.values:
        raise UserError(f"{path}: this is a study, expected a recipe of one model")
    return document


def _add(study: Document, root: Key, recipe: Document, grid: Document, choice: Choice) -> None:
    """Puts a recipe with a choice of values below ``root``."""
    whole = Document({}, {(): recipe.place(())})
    put(whole, recipe, ())
    for key, value in choice:
        parts = tuple(key.split("."))
        section: JsonObject = whole.values
        for part in parts[:-1]:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise UserError(str(grid.problem(("overrides", key), f"found {dotted(parts)}, but {part} has no keys")))
        section[parts[-1]] = value
        whole.places[parts] = grid.place(("overrides", *(parts if ("overrides", key) not in grid.places else (key,))))
    place = study.values
    for part in root[:-1]:
        place = place[part]
    place[root[-1]] = whole.values
    study.places.update({(*root, *key): where for key, where in whole.places.items()})
    study.problems += [problem for problem in recipe.problems if problem not in study.problems]


def _system_name(stem: str, choice: Choice, axes: Mapping[str, list[Any]]) -> str:
    """Such as ``builtin-dropout-0.3``."""
    words = (f"{key}-{value}" for key, value in _varied(choice, axes))
    return re.sub(r"[^a-z0-9.]+", "-", "-".join([stem, *words]).lower()).strip("-.")


def _words(choice: Choice, axes: Mapping[str, list[Any]]) -> list[str]:
    return [f"{key} {value}" for key, value in _varied(choice, axes)]


def _varied(choice: Choice, axes: Mapping[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """The choices among several values, by the last part of their key unless another key has the same."""
    last = [key.rpartition(".")[2] for key in axes]
    for key, value in choice:
        if len(axes[key]) > 1:
            short = key.rpartition(".")[2]
            yield (short if last.count(short) == 1 else key), value
