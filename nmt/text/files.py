"""Pairs from the user's own files: two text files, tab-separated values, JSON lines or Parquet, plain or gz."""

from __future__ import annotations

import json
from pathlib import Path

from nmt.faults import InputFault
from nmt.text.lines import read
from nmt.text.pairs import Pairs, check_languages, joined
from nmt.text.tables import read_parquet

EXPECTED = "expected SOURCE,TARGET (two text files) or one .tsv, .jsonl or .parquet file"


def read_pair_files(spec: str | list[str], source: str, target: str, errors: str = "strict") -> Pairs:
    """The pairs of one entry such as `train.de,train.en` or `train.tsv`, or of several, concatenated."""
    entries = [spec] if isinstance(spec, str) else spec
    if not entries:
        raise InputFault(f"data: {EXPECTED}, found an empty list")
    return joined(_read_entry(entry, source, target, errors) for entry in entries)


def _read_entry(entry: str, source: str, target: str, errors: str) -> Pairs:
    paths = [Path(name.strip()).expanduser() for name in entry.split(",")]
    if len(paths) == 2:
        return _read_text(paths[0], paths[1], errors)
    format = Path(entry.removesuffix(".gz")).suffix
    if len(paths) > 2 or format not in (".tsv", ".jsonl", ".parquet"):
        raise InputFault(f"{entry}: {EXPECTED}")
    if format == ".tsv":
        return _read_tsv(paths[0], source, target, errors)
    return _read_jsonl(paths[0], source, target, errors) if format == ".jsonl" else read_parquet(paths[0], source, target, errors)


def _read_text(source: Path, target: Path, errors: str) -> Pairs:
    sources, targets = read(source, errors), read(target, errors)
    if len(sources.text) != len(targets.text):
        raise InputFault(
            f"{source} has {len(sources.text):,} lines and {target} has {len(targets.text):,}; expected a translation on the same line of each"
        )
    return Pairs(sources.text, targets.text, sources.replaced + targets.replaced)


def _read_tsv(path: Path, source: str, target: str, errors: str) -> Pairs:
    """Source and target by column, or by name where the first line is a header that names both languages."""
    text, replaced = read(path, errors)
    header = text[0].split("\t") if text else []
    named = source in header and target in header
    columns = header if named else [source, target]
    places = columns.index(source), columns.index(target)
    pairs: tuple[list[str], list[str]] = [], []
    for number, line in enumerate(text[named:], start=1 + named):
        fields = line.split("\t")
        if len(fields) != len(columns):
            hint = "" if named else f", or a first line that names the columns {source!r} and {target!r}"
            raise InputFault(f"{path}:{number}: expected {len(columns)} columns separated by tabs{hint}; found {len(fields)}")
        for side, place in zip(pairs, places, strict=True):
            side.append(fields[place])
    return Pairs(*pairs, replaced)


def _read_jsonl(path: Path, source: str, target: str, errors: str) -> Pairs:
    text, replaced = read(path, errors)
    pairs: tuple[list[str], list[str]] = [], []
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        record = parse_record(line, where)
        check_languages(source, target, record, where)
        for side, language in zip(pairs, (source, target), strict=True):
            sentence, mended = _sentence(record[language], language, where, errors)
            side.append(sentence)
            replaced += mended
    return Pairs(*pairs, replaced)


def parse_record(line: str, where: str) -> dict[str, object]:
    """One line of JSON: an object with a text for each language, or such an object under `translation`."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputFault(f"{where}: not JSON ({error.msg.removesuffix(' at')} at column {error.colno})") from error
    except RecursionError as error:
        raise InputFault(f"{where}: not a record of sentences (nested too deep)") from error
    inner = record.get("translation", record) if isinstance(record, dict) else record
    if not isinstance(inner, dict):
        raise InputFault(f"{where}: expected an object with a text for each language, found {type(inner).__name__}")
    return inner


def _sentence(value: object, language: str, where: str, errors: str) -> tuple[str, bool]:
    r"""JSON can spell half a character, such as ``"\ud83d"``: text that no encoding can write, and as invalid as a bad byte."""
    if not isinstance(value, str):
        raise InputFault(f"{where}: expected text under {language!r}, found {json.dumps(value)[:40]}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        if errors == "strict":
            raise InputFault(f"{where}: half a surrogate pair under {language!r}; mend the line, or set data.errors=replace") from error
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), True
    return value, False
