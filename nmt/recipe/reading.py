"""Recipes in and out: YAML to a valid `Recipe` or to everything that is wrong with it, and a `Recipe` to YAML and JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nmt.errors import UserError
from nmt.recipe.document import MOST_BYTES, Document, Key, NotYamlError, Place, dotted, parse, shown, write
from nmt.recipe.expectations import json_schema
from nmt.recipe.overrides import override
from nmt.recipe.types import Recipe
from nmt.recipe.validation import validated


def read(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a file after overrides ``KEY=VALUE``, in order; its name is the file's where it has none.

    Raises `UserError` with a line for each fault, `file:line: key: what was found, what is expected`.
    """
    document = read_document(path)
    if "study" in document.values:
        raise UserError(
            f"{document.place(('study',)).words}: study: this is a study of many models; run it with nmt study {path}"
        )
    for number, text in enumerate(overrides, start=1):
        override(document, text, number)
    return validated(document, path.stem)


def read_content(content: bytes, where: str) -> Recipe:
    """The recipe in a file's content, which is said to stand at ``where``."""
    return validated(_document(content, where), Path(where).stem)


def dump(recipe: Recipe) -> str:
    """YAML with every default, keys in the order of their definition, which `read` reads as the same recipe."""
    return write(recipe.model_dump(mode="json", by_alias=True))


def schema() -> str:
    """JSON Schema of a recipe, for editors."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def differences(one: Recipe, other: Recipe) -> dict[str, tuple[object, object]]:
    """Dotted keys whose values differ, with both values; None stands for a key that the other family does not have."""
    first, second = dict(_leaves(one.model_dump(by_alias=True))), dict(_leaves(other.model_dump(by_alias=True)))
    pairs = {key: (first.get(key), second.get(key)) for key in first | second}
    return {dotted(key): pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _leaves(values: dict[str, Any], above: Key = ()) -> Iterator[tuple[Key, object]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def read_document(path: Path) -> Document:
    """The mapping that a file of YAML holds, with the places of its keys."""
    return _document(_content(path), str(path))


def _document(content: bytes, where: str) -> Document:
    if len(content) > MOST_BYTES:
        raise UserError(f"{where}: found more than {MOST_BYTES} bytes, expected a recipe")
    try:
        document = parse(_text(content, where), Place(0, where), lambda line: Place(line, f"{where}:{line}"))
    except NotYamlError as error:
        raise UserError(f"{where}:{error.line}: {error}" if error.line else f"{where}: {error}") from error
    if not isinstance(document.values, dict):
        found = "nothing" if document.values is None else shown(document.values)
        raise UserError(
            f"{where}: found {found}, expected a recipe: a mapping with keys among {', '.join(Recipe.model_fields)}"
        )
    return document


def _text(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{where}:{line}: found bytes that are not UTF-8, expected a recipe saved in that encoding"
        ) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path}: cannot read the recipe: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise UserError(f"{shown(str(path))}: cannot read the recipe: {error}") from error
