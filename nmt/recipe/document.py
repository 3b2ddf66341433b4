"""YAML text as plain values with the place of every key, overrides of these values, and plain values as YAML text.

Recipes use a part of YAML 1.2: mappings, lists and scalars of the core schema (section 10.3.2), so that `no` is a
language code, `1e-4` a number and a date is text. Values are built from ruamel.yaml's events. Anchors, aliases, tags,
directives and repeated keys are refused; an alias is never expanded.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import SafeRepresenter

from nmt.atomic import JsonObject
from nmt.errors import UserError

Key: TypeAlias = tuple[str, ...]
"""The path of a value: ``("model", "encoder", "layers")``; the empty one is the whole recipe."""

MAX_BYTES = 1_000_000
"""Size of the largest recipe that is read."""
MAX_DEPTH = 8
"""Levels of nesting that are read; recipes have 3."""

# An integer of more digits than fit 64 bits becomes a float, which no count accepts.
_CORE_SCHEMA: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda text: None),
    (re.compile(r"true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    (re.compile(r"[-+]?[0-9]{1,18}"), int),
    (re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Place(NamedTuple):
    """Where a value was written: a line of the file, or an override, whose number is above `MAX_BYTES`."""

    number: int
    words: str
    """Such as `recipes/de-en.yaml:7`."""

    @property
    def is_override(self) -> bool:
        """Whether the value comes from the command line."""
        return self.number > MAX_BYTES

    def line(self, number: int) -> Place:
        """A line of this file; an override has one place."""
        return self if self.is_override else Place(number, f"{self.words}:{number}")


class Problem(NamedTuple):
    """What is wrong with a key, or with the place itself if the key is empty."""

    place: Place
    key: Key
    text: str

    def __str__(self) -> str:
        return ": ".join([self.place.words, *([dotted(self.key)] if self.key else []), self.text])


@dataclass
class Document:
    """Plain values, the place of every key, and the YAML that recipes refuse. The empty key always has a place."""

    values: Any
    places: dict[Key, Place]
    problems: list[Problem] = field(default_factory=list)

    def place(self, key: Key) -> Place:
        """The place of a key, or of the nearest section around it that has one."""
        while key not in self.places:
            key = key[:-1]
        return self.places[key]

    def problem(self, key: Key, text: str) -> Problem:
        """A problem of a key, at its place."""
        return Problem(self.place(key), key, text)

    def printable(self, text: str, key: Key, place: Place) -> str:
        """The text with unprintable characters replaced by question marks; such characters are a problem."""
        if _UNPRINTABLE.search(text):
            expected = "expected one line without control characters"
            self.problems.append(Problem(place, key, f"found {shown(text)}, {expected}"))
        return _UNPRINTABLE.sub("?", text)

    def override(self, text: str, number: int, root: Key = ()) -> None:
        """Applies ``KEY=VALUE``, with the key below ``root``; a mapping replaces only the keys it names.

        ``number`` counts overrides from 1; a later one wins.
        """
        words = text if text.isprintable() and len(text) <= 60 else shown(text)
        place = Place(MAX_BYTES + number, f"override {words}")
        name, equals, written = text.partition("=")
        key = (*root, *name.split("."))
        if not equals or not all(key) or len(key) > MAX_DEPTH:
            self.problems.append(Problem(place, (), "expected KEY=VALUE, such as training.updates=500"))
            return
        given = _override_value(written, place)
        self.problems += [Problem(place, (*key, *problem.key), problem.text) for problem in given.problems]
        values = given.values
        for part in reversed(key):
            values = {part: values}
        self._merge(self.values, values, place, ())

    def _merge(self, values: JsonObject, given: JsonObject, place: Place, above: Key) -> None:
        for name, value in given.items():
            key = (*above, name)
            if not isinstance(value, dict):
                values[name] = value
                self.places[key] = place
            elif isinstance(inner := values.setdefault(name, {}), dict):
                self.places.setdefault(key, place)
                self._merge(inner, value, place, key)
            else:
                text = f"found {shown(inner)} at {self.place(key).words}, which has no keys to set"
                self.problems.append(Problem(place, key, text))


def parse(text: str, whole: Place) -> Document:
    """The document of a YAML text at this place: ``Place(0, name of the file)``, or an override."""
    reader = _Reader(YAML(typ="safe", pure=True).parse(text), Document(None, {(): whole}))
    try:
        reader.document.values = reader.read()
    except (ValueError, OverflowError) as error:  # ruamel.yaml does not check escapes such as "\UFFFFFFFF"
        raise UserError(f"{whole.words}: not YAML: {error}") from error
    except YAMLError as error:
        line, reason = _not_yaml(error, text)
        raise UserError(f"{(whole.line(line) if line else whole).words}: not YAML: {reason}") from error
    return reader.document


def write(values: JsonObject) -> str:
    """YAML text that `parse` reads as the same values: keys in their order, one line each."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel.yaml declares it as None
    yaml.width = MAX_BYTES  # values are never folded
    stream = io.StringIO()
    yaml.dump(values, stream)
    return stream.getvalue()


def shown(value: object) -> str:
    """A value in an error line, cut to 60 characters."""
    words = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return words if len(words) <= 60 else words[:57] + "..."


def dotted(key: Key) -> str:
    """A key in an error line; parts with unusual characters are quoted."""
    return ".".join(part if re.fullmatch(r"[\w-]{1,60}", part) else shown(part) for part in key)


class _Representer(SafeRepresenter):
    """Quotes text that the core schema reads as something else, such as `.0E0`, which ruamel.yaml's rules leave
    bare."""

    def represent_str(self, data: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if _plain(data) is data else "'")


_Representer.add_representer(str, _Representer.represent_str)


def _plain(text: str) -> Any:
    """The value of an unquoted scalar: null, a truth value, a number, or the text itself."""
    return next((convert(text) for pattern, convert in _CORE_SCHEMA if pattern.fullmatch(text)), text)


def _override_value(text: str, place: Place) -> Document:
    """YAML if it begins with a quote or a bracket and is well formed; else a plain scalar, with any colons and
    commas."""
    try:
        if text.startswith(("[", "{", '"', "'")):
            return parse(text, place)
    except UserError:
        pass
    document = Document(None, {(): place})
    document.values = _plain(document.printable(text, (), place))
    return document


def _not_yaml(error: YAMLError, text: str) -> tuple[int, str]:
    """The line of a syntax error, 0 if unknown, and the reason."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return mark.line + 1 if mark else 0, " ".join(str(error.problem or error.context).split())
    if isinstance(error, ReaderError):
        return text.count("\n", 0, error.position) + 1, f"the character U+{error.character:04X} is not allowed"
    return 0, "it cannot be parsed"


class _Reader:
    """Builds values from events and notes the place of every key."""

    def __init__(self, events: Iterator[Event], document: Document) -> None:
        self.events, self.document = events, document

    def read(self) -> Any:
        """The one document of the stream; None for an empty stream."""
        next(self.events)  # the start of the stream
        start = next(self.events)
        if not isinstance(start, DocumentStartEvent):
            return None
        if start.version or start.tags:
            self._refuse(start, (), "directives (%) are not allowed in recipes")
        value = self._value(next(self.events), (), 0)
        next(self.events)  # the end of the document
        if isinstance(second := next(self.events), DocumentStartEvent):
            raise MarkedYAMLError(problem="a second document begins here", problem_mark=second.start_mark)
        return value

    def _value(self, event: Event, key: Key, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise MarkedYAMLError(problem=f"nested deeper than {MAX_DEPTH} levels", problem_mark=event.start_mark)
        self._refuse_extras(event, key)
        if isinstance(event, ScalarEvent):
            text = self.document.printable(event.value, key, self._at(event))
            return text if event.style else _plain(text)
        if isinstance(event, SequenceStartEvent):
            return [self._value(item, key, depth + 1) for item in self._until(SequenceEndEvent)]
        return self._mapping(key, depth) if isinstance(event, MappingStartEvent) else None  # an alias is refused

    def _mapping(self, above: Key, depth: int) -> JsonObject:
        mapping: JsonObject = {}
        for event in self._until(MappingEndEvent):
            name = self._name(event, above, depth)
            key = (*above, name)
            if name in mapping:
                self._refuse(event, key, f"given twice, first at {self.document.place(key).words}")
            self.document.places.setdefault(key, self._at(event))
            mapping.setdefault(name, self._value(next(self.events), key, depth + 1))
        return mapping

    def _name(self, event: Event, above: Key, depth: int) -> str:
        if isinstance(event, ScalarEvent):
            self._refuse_extras(event, above)
            return _UNPRINTABLE.sub("?", event.value)
        self._value(event, above, depth + 1)
        self._refuse(event, above, "found a list, a mapping or an alias as key, expected a name")
        return "?"

    def _until(self, end: type[Event]) -> Iterator[Event]:
        return takewhile(lambda event: not isinstance(event, end), self.events)

    def _refuse_extras(self, event: Event, key: Key) -> None:
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, AliasEvent):
            found = f"found the alias *{anchor}, expected the value itself"
            self._refuse(event, key, f"{found}: aliases are not allowed in recipes")
        elif anchor:
            self._refuse(event, key, f"found the anchor &{anchor}: anchors are not allowed in recipes")
        if tag:
            self._refuse(event, key, f"found the tag {tag}: tags are not allowed in recipes")

    def _refuse(self, event: Event, key: Key, text: str) -> None:
        self.document.problems.append(Problem(self._at(event), key, text))

    def _at(self, event: Event) -> Place:
        return self.document.places[()].line(event.start_mark.line + 1)
