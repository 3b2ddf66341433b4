"""YAML text as plain values that know where they stand, and plain values as YAML text.

Recipes use a part of YAML 1.2: mappings, lists, and scalars read by its core schema (section 10.3.2), so that `no` is a language code, `1e-4` a
number and a date is text. Values are built from ruamel.yaml's events, one pass in which anchors, aliases, tags, directives and repeated keys are
refused before anything is made of them: an alias never expands.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.representer import SafeRepresenter

Key: TypeAlias = tuple[str, ...]
"""The way to a value: ``("model", "encoder", "layers")``; the empty one is the whole recipe."""

MOST_BYTES = 1_000_000
"""Size of the largest recipe that is read."""
DEEPEST = 8
"""Levels of nesting that are read; recipes have 3."""

# More digits than fit a machine's integer make a float, which no count accepts.
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
    """Where a value was written: its rank among all places, and the words that name it, such as `recipes/de-en.yaml:7`."""

    rank: int
    words: str


class Fault(NamedTuple):
    """One thing that is wrong, at one place, with one key; with the empty key, it is the place itself."""

    place: Place
    key: Key
    text: str

    def __str__(self) -> str:
        return ": ".join([self.place.words, *([dotted(self.key)] if self.key else []), self.text])


@dataclass
class Document:
    """Plain values, the place of every key, and what recipes do not take from YAML. The empty key always has a place."""

    values: Any
    places: dict[Key, Place]
    faults: list[Fault] = field(default_factory=list)

    def place(self, key: Key) -> Place:
        """Where the key stands, or the nearest section around it that does."""
        while key not in self.places:
            key = key[:-1]
        return self.places[key]

    def fault(self, key: Key, text: str) -> Fault:
        """A fault of a key, at its place."""
        return Fault(self.place(key), key, text)

    def printable(self, text: str, key: Key, place: Place) -> str:
        """The text; characters that no value of a recipe has become a fault and question marks."""
        if _UNPRINTABLE.search(text):
            self.faults.append(Fault(place, key, f"found {shown(text)}, expected one line without control characters"))
        return _UNPRINTABLE.sub("?", text)


class NotYamlError(ValueError):
    """Text that is not YAML, or more than one document: the line, from 1 (0 where it is not known), and what is wrong."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


def parse(text: str, whole: Place, place: Callable[[int], Place]) -> Document:
    """The document of a YAML text. ``whole`` is the place of all of it, ``place`` names the one of a line, counted from 1."""
    reader = _Reader(YAML(typ="safe", pure=True).parse(text), Document(None, {(): whole}), place)
    try:
        reader.document.values = reader.read()
    except (
        ValueError,
        OverflowError,
    ) as error:  # ruamel.yaml makes characters of escapes such as "\UFFFFFFFF" without looking
        raise NotYamlError(0, f"not YAML: {error}") from error
    except YAMLError as error:
        raise _not_yaml(error, text) from error
    return reader.document


def scalar(text: str, place: Place) -> Document:
    """The document of one unquoted scalar that stands alone."""
    document = Document(None, {(): place})
    document.values = _plain(document.printable(text, (), place))
    return document


def write(values: dict[str, Any]) -> str:
    """YAML text that `parse` reads as the same values, keys in their order, a line for each."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel.yaml declares it as None
    yaml.width = MOST_BYTES  # no value is ever folded
    stream = io.StringIO()
    yaml.dump(values, stream)
    return stream.getvalue()


class _Representer(SafeRepresenter):
    """Quotes text that the core schema reads as something else, such as `.0E0`, which ruamel.yaml's own rules leave bare."""

    def represent_str(self, data: str) -> Any:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if _plain(data) is data else "'")


_Representer.add_representer(str, _Representer.represent_str)


def _plain(text: str) -> Any:
    """The value of an unquoted scalar: null, a truth value, a number, or else the text itself."""
    return next((convert(text) for pattern, convert in _CORE_SCHEMA if pattern.fullmatch(text)), text)


def shown(value: object) -> str:
    """A value in an error line: one line of at most 60 characters."""
    words = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return words if len(words) <= 60 else words[:57] + "..."


def dotted(key: Key) -> str:
    """A key in an error line; odd parts are quoted, so that it stays one line."""
    return ".".join(part if re.fullmatch(r"[\w-]{1,60}", part) else shown(part) for part in key)


def _not_yaml(error: YAMLError, text: str) -> NotYamlError:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        return NotYamlError(
            mark.line + 1 if mark else 0, " ".join(f"not YAML: {error.problem or error.context}".split())
        )
    if isinstance(error, ReaderError):
        return NotYamlError(
            text.count("\n", 0, error.position) + 1, f"not YAML: the character U+{error.character:04X} is not allowed"
        )
    return NotYamlError(0, "not YAML")


class _Reader:
    """Builds values from events, noting the place of every key on the way."""

    def __init__(self, events: Iterator[Event], document: Document, place: Callable[[int], Place]) -> None:
        self.events = events
        self.document = document
        self.place = place

    def read(self) -> Any:
        """The one document of the stream; None for an empty stream."""
        next(self.events)  # the start of the stream
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            return None
        if isinstance(start, DocumentStartEvent) and (start.version or start.tags):
            self._refuse(start, (), "directives (%) are not allowed in recipes")
        value = self._value(next(self.events), (), 0)
        next(self.events)  # the end of the document
        if isinstance(second := next(self.events), DocumentStartEvent):
            raise MarkedYAMLError(problem="a second document begins here", problem_mark=second.start_mark)
        return value

    def _value(self, event: Event, key: Key, depth: int) -> Any:
        if depth > DEEPEST:
            raise MarkedYAMLError(problem=f"nested deeper than {DEEPEST} levels", problem_mark=event.start_mark)
        self._refuse_extras(event, key)
        if isinstance(event, MappingStartEvent):
            return self._mapping(key, depth)
        if isinstance(event, SequenceStartEvent):
            return self._list(key, depth)
        return self._scalar(event, key) if isinstance(event, ScalarEvent) else None

    def _mapping(self, above: Key, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
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

    def _list(self, key: Key, depth: int) -> list[Any]:
        items = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self._value(event, key, depth + 1))
        return items

    def _scalar(self, event: ScalarEvent, key: Key) -> Any:
        text = self.document.printable(event.value, key, self._at(event))
        return text if event.style else _plain(text)

    def _refuse_extras(self, event: Event, key: Key) -> None:
        if isinstance(event, AliasEvent):
            self._refuse(
                event,
                key,
                f"found the alias *{event.anchor}, expected the value itself: aliases are not allowed in recipes",
            )
        elif isinstance(event, NodeEvent) and event.anchor:
            self._refuse(event, key, f"found the anchor &{event.anchor}: anchors are not allowed in recipes")
        if tag := getattr(event, "tag", None):
            self._refuse(event, key, f"found the tag {tag}: tags are not allowed in recipes")

    def _refuse(self, event: Event, key: Key, text: str) -> None:
        self.document.faults.append(Fault(self._at(event), key, text))

    def _at(self, event: Event) -> Place:
        return self.place(event.start_mark.line + 1)
