"""Pairs from the user's own files: two text files, tab-separated values, JSON lines or Parquet, plain or gz."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path

from nmt.data.lines import stream
from nmt.data.pairs import Pair, Pairs, check_languages
from nmt.data.tables import stream_parquet
from nmt.errors import UserError

EXPECTED = "expected SOURCE,TARGET (two text files) or one .tsv, .jsonl or .parquet file"


def read_pair_files(spec: str | list[str], source: str, target: str, errors: str = "strict") -> Pairs:
    """The pairs of `stream_pair_files`, in memory."""
    return Pairs.collect(stream_pair_files(spec, source, target, errors))


def stream_pair_files(spec: str | list[str], source: str, target: str, errors: str = "strict") -> Iterator[Pair]:
    """The pairs of one entry such as `train.de,train.en` or `train.tsv`, or of several, one after the other."""
    entries = [spec] if isinstance(spec, str) else spec
    if not entries:
        raise UserError(f"data: {EXPECTED}, found an empty list")
    return chain.from_iterable(_stream(entry, source, target, errors) for entry in entries)


def paths(entry: str) -> list[Path]:
    """The files of one entry."""
    return [Path(name.strip()).expanduser() for name in entry.split(",")]


def _stream(entry: str, source: str, target: str, errors: str) -> Iterator[Pair]:
    named, format = paths(entry), Path(entry.removesuffix(".gz")).suffix
    if len(named) == 2:
        return _text(named[0], named[1], errors)
    if len(named) > 2 or format not in (".tsv", ".jsonl", ".parquet"):
        raise UserError(f"{entry}: {EXPECTED}")
    read = {".tsv": _tsv, ".jsonl": _jsonl, ".parquet": stream_parquet}[format]
    return read(named[0], source, target, errors)


def _text(source: Path, target: Path, errors: str) -> Iterator[Pair]:
    sides = stream(source, errors), stream(target, errors)
    for number, (one, other) in enumerate(zip_longest(*sides)):
        if one is None or other is None:
            counts = [
                number + (line is not None) + sum(1 for _ in rest)
                for line, rest in zip((one, other), sides, strict=True)
            ]
            raise UserError(
                f"{source} has {counts[0]:,} lines and {target} has {counts[1]:,}; expected a translation on the same line of each"
            )
        yield Pair(one[0], other[0], one[1] + other[1])


def _tsv(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    """Source and target by column, or by name where the first line is a header that names both languages."""
    columns, named = [source, target], False
    for number, (line, replaced) in enumerate(stream(path, errors), start=1):
        fields = line.split("\t")
        if number == 1 and source in fields and target in fields:
            columns, named = fields, True
            continue
        if len(fields) != len(columns):
            hint = "" if named else f", or a first line that names the columns {source!r} and {target!r}"
            raise UserError(
                f"{path}:{number}: expected {len(columns)} columns separated by tabs{hint}; found {len(fields)}"
            )
        yield Pair(fields[columns.index(source)], fields[columns.index(target)], int(replaced))


def _jsonl(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    for number, (line, replaced) in enumerate(stream(path, errors), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        record = parse_record(line, where)
        check_languages(source, target, record, where)
        (one, mended), (other, mended_too) = (
            _sentence(record[language], language, where, errors) for language in (source, target)
        )
        yield Pair(one, other, replaced + mended + mended_too)


def parse_record(line: str, where: str) -> dict[str, object]:
    """One line of JSON: an object with a text for each language, or such an object under `translation`."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON ({error.msg.removesuffix(' at')} at column {error.colno})") from error
    except RecursionError as error:
        raise UserError(f"{where}: not a record of sentences (nested too deep)") from error
    inner = record.get("translation", record) if isinstance(record, dict) else record
    if not isinstance(inner, dict):
        raise UserError(f"{where}: expected an object with a text for each language, found {type(inner).__name__}")
    return inner


def _sentence(value: object, language: str, where: str, errors: str) -> tuple[str, bool]:
    r"""JSON can spell half a character, such as ``"\ud83d"``: text that no encoding can write, and as invalid as a bad byte."""
    if not isinstance(value, str):
        raise UserError(f"{where}: expected text under {language!r}, found {json.dumps(value)[:40]}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        if errors == "strict":
            raise UserError(
                f"{where}: half a surrogate pair under {language!r}; mend the line, or set data.errors=replace"
            ) from error
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), True
    return value, False
