"""Keys of recipes that had another name in format 1: the answer to such a key, and old recipes under the new names."""

from __future__ import annotations

import copy

from nmt.atomic import JsonObject
from nmt.recipe.document import Key, dotted

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
