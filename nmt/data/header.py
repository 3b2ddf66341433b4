"""The header of a table of sentence pairs: the names of its columns, if its first line is one."""

from __future__ import annotations

from collections.abc import Sequence

from nmt.errors import UserError
from nmt.text.languages import base, names

ROLES = {"source": "source", "src": "source", "target": "target", "tgt": "target", "trg": "target"}
"""Names of columns that say which side they are."""


def columns(first: Sequence[str], source: str, target: str, where: str) -> list[str] | None:
    """The language of each column if the first line is a header; None if it is a pair.

    A column is named by a language code, the English name of a language, or its side. A header of two other languages
    is refused, since it would be taken for a pair, and the pairs below it for pairs of the wrong languages.
    """
    found = [_column(cell, source, target) for cell in first]
    if source in found and target in found:
        return [cell or text for cell, text in zip(found, first, strict=True)]
    if len(first) == 2 and all(map(_is_language, first)):
        one, other = (cell.strip() for cell in first)
        raise UserError(
            f"{where}: a header names the columns {one!r} and {other!r}, but the recipe translates {source!r} to "
            f"{target!r}: set data.source and data.target;\n"
            f"if it is a pair, write a header above it: {source} and {target}"
        )
    return None


def _column(cell: str, source: str, target: str) -> str | None:
    name = cell.strip().lower()
    if name in ROLES:
        return source if ROLES[name] == "source" else target
    for language in (source, target):
        if name in (language.lower(), names().get(base(language), language).lower()):
            return language
    return None


def _is_language(cell: str) -> bool:
    name = cell.strip().lower()
    return base(name) in names() or name in {each.lower() for each in names().values()}
