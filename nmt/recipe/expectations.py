"""What a key of a recipe accepts, in words, taken from the JSON Schema of the types so that the two cannot disagree."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import Any, TypeAlias

from nmt.recipe.document import Key, dotted
from nmt.recipe.types import Recipe

Schema: TypeAlias = dict[str, Any]

_KINDS = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false", "null": "null"}
_BOUNDS = {"minimum": "of at least", "exclusiveMinimum": "above", "exclusiveMaximum": "below", "maximum": "at most"}


@cache
def json_schema() -> Schema:
    """JSON Schema of a recipe; keys as they are written in YAML."""
    return Recipe.model_json_schema(by_alias=True)


def families() -> list[str]:
    """The model families a recipe can name."""
    return list(_families())


def keys(section: Key, family: str) -> list[str]:
    """The keys of a section in definition order; none for a key that holds a plain value or does not exist."""
    schema: Schema = json_schema()
    for part in section:
        schema = _resolved(schema.get("properties", {}).get(part, {}), family)
    return list(schema.get("properties", {}))


def expected(key: Key, family: str) -> str:
    """What the key accepts: `an integer of at least 1`."""
    if key == ("model", "family"):
        return f"one of {', '.join(families())}"
    schema: Schema = json_schema()
    for part in key:
        schema = _resolved(schema["properties"][part], family)
    return _words(schema)


def unknown(key: Key, family: str) -> str:
    """Says that a section has no such key, and names the nearest one or all of them."""
    section, name = key[:-1], key[-1]
    known = keys(section, family)
    others = [other for other in families() if name in keys(section, other)]
    near = [] if others else get_close_matches(name, known, 1)
    place = dotted(section) or "a recipe"
    if section[:1] == ("model",):
        place = f"{place} in family {family}" + (f" (family {', '.join(others)} has it)" if others else "")
    return f"not a key of {place}; " + (f"did you mean {near[0]}?" if near else f"its keys are {', '.join(known)}")


def _families() -> dict[str, str]:
    mapping: dict[str, str] = json_schema()["properties"]["model"]["discriminator"]["mapping"]
    return mapping


def _resolved(schema: Schema, family: str) -> Schema:
    """The schema itself, or the section it refers to."""
    reference = _families()[family] if "discriminator" in schema else schema.get("$ref")
    return json_schema()["$defs"][reference.rpartition("/")[2]] if reference else schema


def _words(schema: Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_words(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema["type"] == "object":
        return f"a mapping with keys among {', '.join(schema['properties'])}"
    if "prefixItems" in schema:
        return f"a list of {len(schema['prefixItems'])}, each {_words(schema['prefixItems'][0])}"
    if schema["type"] == "array":
        return f"a list of {_words(schema['items'])}"
    bounds = " and ".join(f"{words} {schema[bound]}" for bound, words in _BOUNDS.items() if bound in schema)
    return f"{_KINDS[schema['type']]} {bounds}".rstrip()
