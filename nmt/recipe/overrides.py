"""`KEY=VALUE` from the command line, put over the values of a recipe's file."""

from __future__ import annotations

from typing import Any

from nmt.recipe.document import DEEPEST, MOST_BYTES, Document, Fault, Key, NotYamlError, Place, parse, scalar, shown


def is_override(place: Place) -> bool:
    """Whether a value comes from the command line and not from the file."""
    return place.rank > MOST_BYTES


def override(document: Document, text: str, number: int, root: Key = ()) -> None:
    """Sets what ``KEY=VALUE`` gives; a mapping replaces the keys it names. ``number`` counts overrides from 1, of which a later one wins.
    The key is meant below ``root``, where the document holds more than a recipe."""
    place = Place(MOST_BYTES + number, f"override {text if text.isprintable() and len(text) <= 60 else shown(text)}")
    name, equals, written = text.partition("=")
    key = (*root, *name.split("."))
    if not equals or not all(key) or len(key) > DEEPEST:
        document.faults.append(Fault(place, (), "expected KEY=VALUE, such as training.updates=500"))
        return
    given = _value(written, place)
    document.faults += [Fault(place, (*key, *fault.key), fault.text) for fault in given.faults]
    values = given.values
    for part in reversed(key):
        values = {part: values}
    _merge(document, document.values, values, place, ())


def _value(text: str, place: Place) -> Document:
    """YAML where it begins with a quote or a bracket and is well formed; else a plain scalar, whatever colons, commas and signs it holds."""
    try:
        if text.startswith(("[", "{", '"', "'")):
            return parse(text, place, lambda line: place)
    except NotYamlError:
        pass
    return scalar(text, place)


def _merge(document: Document, values: dict[str, Any], given: dict[str, Any], place: Place, above: Key) -> None:
    for name, value in given.items():
        key = (*above, name)
        if not isinstance(value, dict):
            values[name] = value
            document.places[key] = place
        elif isinstance(inner := values.setdefault(name, {}), dict):
            document.places.setdefault(key, place)
            _merge(document, inner, value, place, key)
        else:
            document.faults.append(
                Fault(place, key, f"found {shown(inner)} at {document.place(key).words}, which has no keys to set")
            )
