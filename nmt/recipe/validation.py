"""From values to a recipe: the types refuse unknown keys and wrong values, then the checks refuse values that do not fit each other.

All faults are told at once. The checks of a section wait until its types are right, since a wrong value says nothing about the others.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from nmt.errors import UserError
from nmt.recipe.checks import disagreements
from nmt.recipe.document import Document, Fault, Key, dotted, shown
from nmt.recipe.expectations import expected, families, keys, unknown
from nmt.recipe.overrides import is_override
from nmt.recipe.renamed import renamed
from nmt.recipe.types import Recipe

MOST_FAULTS = 20
"""Faults that are told in full; the rest is counted."""


def validated(document: Document, name: str) -> Recipe:
    """The recipe of a document, called ``name`` where it does not name itself; raises `UserError` with one line per fault."""
    if isinstance(model := document.values.get("model"), dict):
        model.setdefault("family", Recipe().model.family)
    faults = document.faults + _type_faults(document)
    faulty = {fault.key[0] for fault in faults if fault.key}
    recipe = _recipe({key: value for key, value in document.values.items() if key not in faulty})
    if recipe.name is None:
        recipe = recipe.model_copy(update={"name": name})
    faults += [fault for fault in _disagreements(document, recipe) if fault.key[0] not in faulty]
    if faults:
        raise UserError(_report(faults))
    return recipe


def _recipe(values: dict[str, Any]) -> Recipe:
    # By way of JSON, whose lists pydantic's strict mode takes for tuples; from Python it would want a tuple, which YAML cannot write.
    return Recipe.model_validate_json(json.dumps(values), by_alias=True, by_name=False)


def _type_faults(document: Document) -> list[Fault]:
    try:
        _recipe(document.values)
    except ValidationError as error:
        family = _family(document.values)
        refused: dict[Key, str] = {}
        for detail in error.errors(include_url=False):
            refused.setdefault(_key(detail["type"], detail["loc"], family), detail["type"])
        for fault in document.faults:
            refused.pop(fault.key, None)
        return _told(document, refused, family)
    return []


def _told(document: Document, refused: dict[Key, str], family: str) -> list[Fault]:
    """The fault of each refused key, for which pydantic's kind is given."""
    foreign = _left_by_another_family(document, [key for key, kind in refused.items() if kind == "extra_forbidden"])
    faults = [_fault(document, key, kind, family) for key, kind in refused.items() if key not in foreign]
    if foreign:
        text = f"family {family} has no {', '.join(dotted(key[1:]) for key in foreign)} ({', '.join(document.place(key).words for key in foreign)})"
        faults.append(
            document.fault(("model", "family"), f"{text}: start from a recipe of that family, or take these keys out")
        )
    return faults


def _left_by_another_family(document: Document, unknown_keys: list[Key]) -> list[Key]:
    """The file's unknown model keys if an override chose the family: they are one fault, and that of the override."""
    if not is_override(document.place(("model", "family"))):
        return []
    foreign = [key for key in unknown_keys if key[0] == "model" and not is_override(document.place(key))]
    return sorted(foreign, key=document.place)


def _fault(document: Document, key: Key, kind: str, family: str) -> Fault:
    found = _found(document.values, key)
    if kind == "extra_forbidden":
        return document.fault(key, renamed(key, found) or unknown(key, family))
    if answer := renamed(key, found):
        return document.fault(key, answer)
    wanted = expected(key, family)
    quotes = (
        " (text that looks like something else needs quotes)"
        if "text" in wanted and isinstance(found, int | float)
        else ""
    )
    return document.fault(key, f"found {shown(found)}, expected {wanted}{quotes}")


def _disagreements(document: Document, recipe: Recipe) -> list[Fault]:
    values = recipe.model_dump(by_alias=True)
    return [
        document.fault(key, f"found {shown(_found(values, key))}, expected {wanted}")
        for key, wanted in disagreements(recipe)
    ]


def _found(values: Any, key: Key) -> Any:
    for part in key:
        values = values[part]
    return values


def _family(values: dict[str, Any]) -> str:
    """The family that the recipe names, or the default where it names none that is known."""
    model = values.get("model")
    named = model["family"] if isinstance(model, dict) else None
    return named if named in families() else Recipe().model.family


def _key(kind: str, location: tuple[int | str, ...], family: str) -> Key:
    """The key that pydantic's location means: without the family in it, and nothing below a key that is no section."""
    if kind.startswith("union_tag"):
        return ("model", "family")
    key: Key = ()
    for part in location[:1] + location[2:] if location[0] == "model" else location:
        key = (*key, str(part))
        if not keys(key, family):
            break
    return key


def _report(faults: list[Fault]) -> str:
    lines = [str(fault) for fault in sorted(faults, key=lambda fault: fault.place.rank)]
    more = len(lines) - MOST_FAULTS
    return "\n".join(lines[:MOST_FAULTS] + ([f"and {more} more"] if more > 0 else []))
