"""What every key of a recipe means: its docstring, what it accepts, and its default."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from nmt.atomic import JsonObject
from nmt.errors import UserError, meant
from nmt.recipe.document import Key, dotted, shown, write
from nmt.recipe.types import FAMILIES
from nmt.recipe.validation import expected, renamed, schema_of

WIDTH, COLUMN = 120, 36
"""Columns of an explained recipe, and where its comments begin."""


class Entry(NamedTuple):
    """A key of a recipe. ``family`` is set for a key of the model section, whose keys depend on the family."""

    key: Key
    family: str | None
    text: str
    expected: str
    default: str

    @property
    def name(self) -> str:
        """The dotted key."""
        return dotted(self.key)

    def __str__(self) -> str:
        """The key in a line, and its meaning below."""
        family = f" (family {self.family})" if self.family else ""
        head = f"{self.name}{family}: {self.expected}; default {self.default}"
        return "\n".join([head, *textwrap.wrap(self.text, 100, initial_indent="    ", subsequent_indent="    ")])


class SectionEntry(NamedTuple):
    """A section of a recipe, or that of a family, and its keys in their order."""

    title: str
    text: str
    entries: tuple[Entry, ...]


def sections() -> tuple[SectionEntry, ...]:
    """All sections in the order of a recipe; `model` once for each family."""
    first = next(iter(FAMILIES))
    top = [name for name, value in schema_of((), first)["properties"].items() if not _is_plain(value)]
    plain = tuple(entry for entry in _entries((), first) if len(entry.key) == 1)
    found = [SectionEntry("recipe", "The top of a recipe.", plain)]
    for name in top:
        for family in FAMILIES if name == "model" else (None,):
            about = schema_of((name,), family or first)
            entries = tuple(
                entry if entry.key == ("model", "family") else entry._replace(family=family)
                for entry in _entries((name,), family or first)
            )
            title = name if family is None else f"{name}, family {family}"
            found.append(SectionEntry(title, _line(about), entries))
    return tuple(found)


def find(name: str) -> list[Entry]:
    """The entries of a key, of all keys of a section, or of all keys with this last part, such as `beam`."""
    known = list(dict.fromkeys(entry for section in sections() for entry in section.entries))
    wanted = tuple(name.split("."))
    found = [entry for entry in known if entry.key[: len(wanted)] == wanted or entry.key[-1:] == wanted]
    if not found:
        near = meant(name, [entry.name for entry in known] + [entry.key[-1] for entry in known])
        top = ", ".join(dict.fromkeys(entry.key[0] for entry in known))
        advice = near or f"; its sections are {top}"
        raise UserError(f"{shown(name)}: {renamed(wanted, None) or f'not a key of a recipe{advice}'}")
    return found


def explained(values: JsonObject) -> str:
    """The YAML of a recipe's values with the meaning of each key in a comment behind it."""
    family, above, lines = str(values["model"]["family"]), list[str](), list[str]()
    for line in write(values).splitlines():
        matched = re.match(r"( *)(\w+):", line)
        if matched is None:  # an item of a list
            lines.append(line)
            continue
        above[len(matched[1]) // 2 :] = [matched[2]]
        lines += _commented(line, _comment(tuple(above), family))
    return "\n".join(lines) + "\n"


def _commented(line: str, comment: str) -> Iterator[str]:
    first, *others = textwrap.wrap(comment, WIDTH - COLUMN - 2, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"{line:<{COLUMN - 2}}  # {first}" if first else line
    yield from (" " * COLUMN + f"# {other}" for other in others)


def _comment(key: Key, family: str) -> str:
    text, choice = _line(schema_of(key, family)), _choice(key, family)
    return f"{text} ({choice})" if text and choice else text or choice


def _choice(key: Key, family: str) -> str:
    """The accepted words of a key that takes one of several."""
    words = expected(key, family) if _is_plain(schema_of(key, family)) else ""
    return words if words.startswith("one of") else ""


def _entries(section: Key, family: str) -> Iterator[Entry]:
    for name, schema in schema_of(section, family)["properties"].items():
        key = (*section, name)
        if _is_plain(schema):
            yield Entry(key, None, _line(schema), expected(key, family), _default(key, schema.get("default")))
        elif section:
            yield from _entries(key, family)


def _default(key: Key, value: object) -> str:
    """The default in words; that of the family is the recipe's, not that of each family's section."""
    return next(iter(FAMILIES)) if key == ("model", "family") else shown(value).strip("'")


def _is_plain(schema: JsonObject) -> bool:
    """Whether a key takes a value, and has no keys of its own."""
    return "$ref" not in schema and "discriminator" not in schema and "properties" not in schema


def _line(schema: JsonObject) -> str:
    return " ".join(str(schema.get("description", "")).split())
