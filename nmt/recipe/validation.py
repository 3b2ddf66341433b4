"""From a document to a recipe, or to everything that is wrong with it.

The types refuse unknown keys and wrong values, then `Section.conflicts` values that do not fit each other. All problems
are reported at once. The conflicts of a section are looked for only once its types are right. What a key accepts is put
into words from the JSON Schema of the types.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache, reduce
from typing import Any

from pydantic import ValidationError

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.recipe.document import Document, Key, Problem, dotted, shown
from nmt.recipe.types import FAMILIES, Recipe

MAX_PROBLEMS = 20
"""Problems that are reported in full; the rest is counted."""
_KINDS = {"integer": "an integer", "number": "a number", "string": "text", "boolean": "true or false", "null": "null"}
_BOUNDS = {"minimum": "of at least", "exclusiveMinimum": "above", "exclusiveMaximum": "below", "maximum": "at most"}

RENAMED: dict[Key, Key] = {
    ("data", "pack"): ("data", "concatenation"),
    ("data", "prepared"): ("data", "cache"),
    ("training", "pack_growth"): ("training", "concatenation_growth"),
    ("model", "reader"): ("model", "attention"),
    ("model", "slot"): ("model", "bottleneck"),
}
"""Old key, new key. `model.attention` has another meaning now: a number there is today's `model.attention_size`."""
READERS = {
    "fixed": {"attention": "none", "thought_vector": "every_step"},
    "none": {"attention": "none", "thought_vector": "initial_state"},
}
"""The new keys for values of `model.reader` that are no attentions."""


def validated(document: Document, name: str) -> Recipe:
    """The recipe of a document, with this name if it has none; raises `UserError` with one line per problem."""
    if isinstance(model := document.values.get("model"), dict):
        model.setdefault("family", Recipe().model.family)
    problems = [*document.problems, *_type_problems(document)]
    wrong = {problem.key[0] for problem in problems if problem.key}
    recipe = _recipe({key: value for key, value in document.values.items() if key not in wrong})
    if recipe.name is None:
        recipe = recipe.model_copy(update={"name": name})
    values = recipe.model_dump(by_alias=True)
    for key, wanted in recipe.conflicts():
        if key[0] not in wrong:
            problems.append(document.problem(key, f"found {shown(_found(values, key))}, expected {wanted}"))
    if problems:
        lines = [str(problem) for problem in sorted(problems, key=lambda problem: problem.place.number)]
        more = len(lines) - MAX_PROBLEMS
        raise UserError("\n".join(lines[:MAX_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])))
    return recipe


@cache
def json_schema() -> JsonObject:
    """JSON Schema of a recipe; keys as they are written in YAML."""
    return Recipe.model_json_schema(by_alias=True)


def _recipe(values: JsonObject) -> Recipe:
    # Through JSON: in strict mode pydantic accepts a list of JSON as a tuple, but not a list of Python.
    return Recipe.model_validate_json(json.dumps(values), by_alias=True, by_name=False)


def _type_problems(document: Document) -> Iterator[Problem]:
    """Unknown keys and wrong values. If an override chose the family, the keys of the file that it lacks are one."""
    try:
        _recipe(document.values)
        return
    except ValidationError as error:
        details = error.errors(include_url=False)
    family, refused = _family(document.values), {problem.key for problem in document.problems}
    found = dict.fromkeys(_key(detail["type"], detail["loc"], family) for detail in details)
    wrong = [key for key in found if key not in refused]
    foreign: list[Key] = []
    if document.place(("model", "family")).is_override:
        unknown = (key for key in wrong if key[0] == "model" and key[-1] not in _keys(key[:-1], family))
        foreign = sorted((key for key in unknown if not document.place(key).is_override), key=document.place)
    for key in wrong:
        if key not in foreign:
            yield document.problem(key, _text(key, _found(document.values, key), family))
    if foreign:
        names = ", ".join(dotted(key[1:]) for key in foreign)
        places = ", ".join(document.place(key).words for key in foreign)
        advice = "start from a recipe of that family, or take these keys out"
        yield document.problem(("model", "family"), f"family {family} has no {names} ({places}): {advice}")


def _text(key: Key, found: object, family: str) -> str:
    if answer := renamed(key, found):
        return answer
    if key[-1] not in _keys(key[:-1], family):
        return _not_a_key(key, family)
    wanted = expected(key, family)
    quotes = " (text that looks like something else needs quotes)"
    return f"found {shown(found)}, expected {wanted}" + (
        quotes if "text" in wanted and isinstance(found, int | float) else ""
    )


def _not_a_key(key: Key, family: str) -> str:
    """Names the nearest key of the section, or all of them."""
    section, name = key[:-1], key[-1]
    known = _keys(section, family)
    others = [other for other in FAMILIES if name in _keys(section, other)]
    near = [] if others else get_close_matches(name, known, 1)
    place = dotted(section) or "a recipe"
    if section[:1] == ("model",):
        place = f"{place} in family {family}" + (f" (family {', '.join(others)} has it)" if others else "")
    return f"not a key of {place}; " + (f"did you mean {near[0]}?" if near else f"its keys are {', '.join(known)}")


def expected(key: Key, family: str) -> str:
    """What the key accepts: `an integer of at least 1`."""
    return f"one of {', '.join(FAMILIES)}" if key == ("model", "family") else _words(schema_of(key, family))


def _keys(section: Key, family: str) -> list[str]:
    """The keys of a section in definition order; none for a key that holds a plain value or does not exist."""
    return list(schema_of(section, family).get("properties", {}))


def schema_of(key: Key, family: str) -> JsonObject:
    """The part of the JSON Schema for a key; empty if there is no such key."""
    schema = json_schema()
    for part in key:
        schema = schema.get("properties", {}).get(part, {})
        reference = schema["discriminator"]["mapping"][family] if "discriminator" in schema else schema.get("$ref")
        schema = json_schema()["$defs"][reference.rpartition("/")[2]] if reference else schema
    return schema


def _words(schema: JsonObject) -> str:
    if "anyOf" in schema:
        return " or ".join(map(_words, schema["anyOf"]))
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


def _found(values: Any, key: Key) -> Any:
    return reduce(lambda inner, part: inner[part], key, values)


def _family(values: JsonObject) -> str:
    """The family that the recipe names, or the default if it names none that is known."""
    model = values.get("model")
    named = model["family"] if isinstance(model, dict) else None
    return named if isinstance(named, str) and named in FAMILIES else Recipe().model.family


def _key(kind: str, location: tuple[int | str, ...], family: str) -> Key:
    """The key of pydantic's location: without the family in it, and cut below a key that is no section."""
    if kind.startswith("union_tag"):
        return ("model", "family")
    key: Key = ()
    for part in location[:1] + location[2:] if location[0] == "model" else location:
        key = (*key, str(part))
        if not _keys(key, family):
            break
    return key


def renamed(key: Key, value: object) -> str | None:
    """The answer to an old key with its value; None for any other key."""
    if key == ("model", "reader") and isinstance(value, str) and value in READERS:
        return "renamed; use " + " and ".join(f"model.{name}: {new}" for name, new in READERS[value].items())
    if key == ("model", "attention") and isinstance(value, int):
        return "the width of attention is now model.attention_size"
    return f"renamed; use {dotted(RENAMED[key])}" if key in RENAMED else None


def converted(recipe: JsonObject) -> JsonObject:
    """The values of a recipe of format 1 under the new names; new keys stay as they are."""
    values = copy.deepcopy(recipe)
    model = values.get("model")
    if isinstance(model, dict):
        if isinstance(model.get("attention"), int):
            model["attention_size"] = model.pop("attention")
        if str(model.get("reader")) in READERS:
            model |= READERS[model.pop("reader")]
    for (section, old), (_, new) in RENAMED.items():
        if isinstance(values.get(section), dict):
            values[section] = {new if key == old else key: value for key, value in values[section].items()}
    return values
