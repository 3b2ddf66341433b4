"""Text from outside on its way to a terminal or into JSON, without characters that a terminal obeys.

Control characters are C0 without tab and line feed, DEL and C1, the line and paragraph separators, the embeddings,
overrides and isolates of the bidirectional algorithm (Unicode 16, UAX 9, section 2), and halves of surrogate pairs.
Joiners and the marks U+200E and U+200F stay, as Persian, Hebrew and emoji need them and they reorder nothing else.
"""

from __future__ import annotations

import json
import re

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""The control characters that `json.dumps` leaves as they are."""


def without_controls(text: str) -> str:
    """The text without control characters, for what a model writes."""
    return _CONTROLS.sub("", text)


def escaped(text: str) -> str:
    r"""The text with control characters spelled out, such as ``\x1b``, for messages; tabs and line feeds stay."""
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)


def line(text: str) -> str:
    """The text itself; a `ValueError` unless it is one line without control characters."""
    if "\t" in text or "\n" in text or _CONTROLS.search(text):
        raise ValueError("expected one line without control characters")
    return text


def visible(text: str) -> str:
    """One line for a picture or a table: U+FFFD for every character that is not printable."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in text)


def dumps(value: object, indent: int | None = None, *, only_ascii: bool = False, allow_nan: bool = True) -> str:
    """JSON in which every control character is escaped, and other characters are themselves unless `only_ascii`."""
    written = json.dumps(value, indent=indent, ensure_ascii=only_ascii, allow_nan=allow_nan)
    return _IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", written)
