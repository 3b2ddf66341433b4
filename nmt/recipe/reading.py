"""Reads recipes from YAML with overrides, and writes them as YAML and as JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from nmt.atomic import JsonObject
from nmt.errors import UserError, meant_path
from nmt.recipe.document import MAX_BYTES, Document, Key, Place, dotted, parse, shown, write
from nmt.recipe.explain import explained
from nmt.recipe.types import Recipe
from nmt.recipe.validation import json_schema, validated


def read(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a file after overrides ``KEY=VALUE``, in order; it is named after the file if it has no name.

    Raises `UserError` with a line for each problem, `file:line: key: what was found, what is expected`.
    """
    document = read_document(path)
    if "study" in document.values:
        place = document.place(("study",)).words
        raise UserError(f"{place}: study: this is a study of many models; run it with nmt study {path}")
    return _overridden(document, overrides, path.stem)


def read_content(content: bytes, where: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in the content of a file after overrides; ``where`` names the file in messages."""
    return _overridden(_document(content, where), overrides, Path(where).stem)


def read_document(path: Path) -> Document:
    """The mapping in a YAML file, with the places of its keys."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        near = meant_path(path, sorted(Path("recipes").glob("*.yaml")))
        raise UserError(f"{path}: no such recipe{near}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot read the recipe: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise UserError(f"{shown(str(path))}: cannot read the recipe: {error}") from error
    return _document(content, str(path))


def dump(recipe: Recipe, *, explain: bool = False) -> str:
    """YAML with every default, keys in definition order, and if wanted comments; `read` gives the same recipe."""
    values = recipe.model_dump(mode="json", by_alias=True)
    return explained(values) if explain else write(values)


def schema() -> str:
    """JSON Schema of a recipe, for editors."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def differences(one: Recipe, other: Recipe) -> dict[str, tuple[object, object]]:
    """Dotted keys whose values differ, with both values; None stands for a key that the other family does not have."""
    first, second = dict(leaves(one.model_dump(by_alias=True))), dict(leaves(other.model_dump(by_alias=True)))
    pairs = {key: (first.get(key), second.get(key)) for key in first | second}
    return {dotted(key): pair for key, pair in pairs.items() if pair[0] != pair[1]}


def leaves(values: JsonObject, above: Key = ()) -> Iterator[tuple[Key, object]]:
    """All values that are no mappings, with their keys."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _overridden(document: Document, overrides: Sequence[str], name: str) -> Recipe:
    for number, text in enumerate(overrides, start=1):
        document.override(text, number)
    if document.place(("data", "corpus")).is_override and not document.place(("data", "offline")).is_override:
        document.values["data"].pop("offline", None)  # the recipe allows another corpus for its own, not for this one
    return validated(document, name)


def _document(content: bytes, where: str) -> Document:
    if len(content) > MAX_BYTES:
        raise UserError(f"{where}: found more than {MAX_BYTES} bytes, expected a recipe")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        reason = "found bytes that are not UTF-8, expected a recipe saved in that encoding"
        raise UserError(f"{where}:{line}: {reason}") from error
    document = parse(text, Place(0, where))
    if not isinstance(document.values, dict):
        found = "nothing" if document.values is None else shown(document.values)
        keys = ", ".join(Recipe.model_fields)
        raise UserError(f"{where}: found {found}, expected a recipe: a mapping with keys among {keys}")
    return document
