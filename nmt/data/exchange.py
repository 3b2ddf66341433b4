"""Formats in which translators exchange sentence pairs: CSV of a spreadsheet, and TMX of a translation memory."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from nmt.data import header, lines
from nmt.data.pairs import Pair
from nmt.errors import UserError
from nmt.text.languages import base

CODES = {"bpt", "ept", "ph", "it", "ut"}
"""Elements of TMX that hold the codes of another format, not text (TMX 1.4b, section 3.3)."""
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def csv_pairs(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    """The pairs of a CSV file with commas or semicolons; a header names the columns, else they are source and target.

    A line break inside quotes becomes a space.
    """
    replaced = 0

    def texts() -> Iterator[str]:
        nonlocal replaced
        for line, bad in lines.stream(path, errors):
            replaced += bad
            yield f"{line}\n"

    names: list[str] | None = None
    stream = texts()
    first = next(stream, "")
    rows = csv.reader(_with(first, stream), delimiter=_delimiter(first), strict=True)
    try:
        for number, row in enumerate(filter(None, rows)):
            where = f"{path}:{rows.line_num}"
            if number == 0:
                names = header.columns(row, source, target, where)
                if names:
                    continue
            wanted = names or [source, target]
            if len(row) != len(wanted):
                raise UserError(
                    f"{where}: expected {len(wanted)} columns separated by {_delimiter(first)!r}, found {len(row)}; "
                    f"a first line may name them, {source!r} and {target!r} among them"
                )
            one, other = (" ".join(row[wanted.index(language)].split("\n")) for language in (source, target))
            yield Pair(one, other, replaced, rows.line_num)
            replaced = 0
    except csv.Error as error:
        raise UserError(f"{path}:{rows.line_num}: not CSV: {error}") from error


def tmx_pairs(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    """The pairs of a TMX file, in the order of its units; a unit without both languages is left out.

    Codes of inline elements are left out, text in them is kept. Broken XML is an error, whatever ``errors`` says.
    """
    found, unit = 0, 0
    languages: dict[str, None] = {}
    try:
        with lines.opened(path) as file:
            body: ElementTree.Element | None = None
            for event, element in ElementTree.iterparse(file, ("start", "end")):
                if event == "start":
                    body = element if element.tag == "body" else body
                    continue
                if element.tag != "tu":
                    continue
                unit += 1
                texts = dict(_variants(element))
                languages.update(dict.fromkeys(texts))
                if body is not None:
                    body.clear()  # what was read; a memory may be larger than this machine's
                if (one := _of(texts, source)) is not None and (other := _of(texts, target)) is not None:
                    found += 1
                    yield Pair(one, other, 0, unit)
    except ElementTree.ParseError as error:
        raise UserError(f"{path}:{error.position[0]}: not a TMX file: {error}") from error
    except RecursionError as error:
        raise UserError(f"{path}: not a TMX file: elements in unit {unit} are nested too deep") from error
    if not found:
        listed = ", ".join(languages) or "none"
        raise UserError(f"{path}: no unit has both {source!r} and {target!r}; its languages are {listed}")


def _variants(unit: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for variant in unit.iter("tuv"):
        segment = variant.find("seg")
        if segment is not None:
            code = variant.get(_LANGUAGE) or variant.get("lang") or ""
            yield code.lower().replace("_", "-"), " ".join("".join(_text(segment)).split())


def _text(element: ElementTree.Element) -> Iterator[str]:
    if element.tag not in CODES:
        yield element.text or ""
        for inner in element:
            yield from _text(inner)
            yield inner.tail or ""


def _of(texts: dict[str, str], language: str) -> str | None:
    """The text with exactly this language code, else with the first regional variant of it, such as de-AT for de."""
    code = language.lower().replace("_", "-")
    return texts.get(code, next((text for each, text in texts.items() if base(each) == code), None))


def _delimiter(first: str) -> str:
    return max(",", ";", key=first.count)


def _with(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
