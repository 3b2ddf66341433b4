"""Keys of recipes that had another name in format 1: the answer to such a key, and old recipes under the new names."""

from __future__ import annotations

import copy

from nmt.atomic import JsonObject
from nmt.recipe.document import Key, dotted

RENAMED: dict[Key, Key] = {
    ("data", "pack"): ("data", "concatenation"),
    ("data", "prepared"): ("data", "cache"),
    ("training", "pack_growth"): ("training", "concatenation_growth"),
}
"""Old key, new key."""


def renamed(key: Key, value: object) -> str | None:
    """The answer to an old key with its value; None for any other key."""
    return f"renamed; use {dotted(RENAMED[key])}" if key in RENAMED else None


def converted(recipe: JsonObject) -> JsonObject:
    """The values of a recipe with old keys, under the new names; new keys stay as they are."""
    values = copy.deepcopy(recipe)
    for (section, old), (_, new) in RENAMED.items():
        if old in values.get(section, {}):
            values[section] = {new if key == old else key: value for key, value in values[section].items()}
    return values
