"""Sentence pairs from two text files, tab-separated values, JSON lines, Parquet files and Arrow tables.

A table has a column per language, or one column `translation` that holds all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data import header
from nmt.data.exchange import csv_pairs, tmx_pairs
from nmt.data.lines import decode, stream
from nmt.data.pairs import Pair, Pairs, check_languages
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    import pyarrow

EXPECTED = "expected SOURCE,TARGET (two text files) or one .tsv, .csv, .tmx, .jsonl or .parquet file"
TABLE_ROWS = 1 << 13
"""Rows of a table that are read at once."""


def read_pair_files(spec: str | list[str], source: str, target: str, errors: str = "strict") -> Pairs:
    """`stream_pair_files`, in memory."""
    return Pairs.collect(stream_pair_files(spec, source, target, errors))


def stream_pair_files(spec: str | list[str], source: str, target: str, errors: str = "strict") -> Iterator[Pair]:
    """The pairs of one entry, such as `train.de,train.en` or `train.tsv`, or of several."""
    entries = [spec] if isinstance(spec, str) else spec
    if not entries:
        raise UserError(f"data: {EXPECTED}, found an empty list")
    return chain.from_iterable(_stream(entry, source, target, errors) for entry in entries)


def paths(entry: str) -> list[Path]:
    """The files of one entry."""
    return [Path(name.strip()).expanduser() for name in entry.split(",")]


def table_pairs(
    table: pyarrow.Table, source: str, target: str, where: str, errors: str = "strict", first: int = 1
) -> Iterator[Pair]:
    """The two languages of a table, whose first row has this number; a missing text becomes an empty one.

    With ``errors`` "strict", invalid UTF-8, which Arrow accepts, raises `UnicodeDecodeError`.
    """
    if "translation" in table.column_names and source not in table.column_names:
        table = _unfolded(table, where)
    check_languages(source, target, table.column_names, where)
    sources, targets = (_texts(table, language, where, errors) for language in (source, target))
    for row, ((one, replaced), (other, replaced_too)) in enumerate(zip(sources, targets, strict=True), start=first):
        yield Pair(one, other, replaced + replaced_too, row)


def parse_record(line: str, where: str) -> dict[str, object]:
    """A JSON object with a text for each language, also if it stands under the key `translation`."""
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"{where}: not JSON ({error.msg.removesuffix(' at')} at column {error.colno})") from error
    except RecursionError as error:
        raise UserError(f"{where}: not a record of sentences (nested too deep)") from error
    except ValueError as error:  # Python reads integers of 4,300 digits at most
        raise UserError(f"{where}: not a record of sentences (a number of too many digits)") from error
    inner = record.get("translation", record) if isinstance(record, dict) else record
    if not isinstance(inner, dict):
        raise UserError(f"{where}: expected an object with a text for each language, found {type(inner).__name__}")
    return inner


def _stream(entry: str, source: str, target: str, errors: str) -> Iterator[Pair]:
    named, format = paths(entry), Path(entry.removesuffix(".gz")).suffix
    if len(named) == 2:
        return _text(named[0], named[1], errors)
    if len(named) > 2 or format not in FORMATS:
        raise UserError(f"{entry}: {EXPECTED}")
    return FORMATS[format](named[0], source, target, errors)


def _text(source: Path, target: Path, errors: str) -> Iterator[Pair]:
    sides = stream(source, errors), stream(target, errors)
    for number, (one, other) in enumerate(zip_longest(*sides)):
        if one is None or other is None:
            counts = [
                number + (line is not None) + sum(1 for _ in rest)
                for line, rest in zip((one, other), sides, strict=True)
            ]
            raise UserError(
                f"{source} has {counts[0]:,} lines and {target} has {counts[1]:,}; "
                "expected a translation on the same line of each"
            )
        yield Pair(one[0], other[0], one[1] + other[1], number + 1)


def _tsv(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    """Columns are source and target, unless the first line is a header that names both languages."""
    columns, named = [source, target], False
    for number, (line, replaced) in enumerate(stream(path, errors), start=1):
        fields = line.split("\t")
        if number == 1 and (names := header.columns(fields, source, target, f"{path}:1")):
            columns, named = names, True
            continue
        if len(fields) != len(columns):
            hint = "" if named else f", or a first line that names the columns {source!r} and {target!r}"
            raise UserError(
                f"{path}:{number}: expected {len(columns)} columns separated by tabs{hint}; found {len(fields)}"
            )
        yield Pair(fields[columns.index(source)], fields[columns.index(target)], int(replaced), number)


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
        yield Pair(one, other, replaced + mended + mended_too, number)


def _parquet(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            # the columns of a file without rows are checked, too
            yield from table_pairs(file.schema_arrow.empty_table(), source, target, str(path))
            row = 1
            for batch in file.iter_batches(TABLE_ROWS):
                yield from table_pairs(pyarrow.Table.from_batches([batch]), source, target, str(path), errors, row)
                row += len(batch)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: invalid UTF-8 ({error.reason}); write the file anew from valid text, or set data.errors=replace"
        ) from error
    except pyarrow.ArrowException as error:
        raise UserError(f"{path}: not a readable Parquet file ({error})") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error}") from error


def _sentence(value: object, language: str, where: str, errors: str) -> tuple[str, bool]:
    r"""The text, and whether anything was replaced.

    JSON can spell half a surrogate pair, such as ``"\ud83d"``, which no encoding can write.
    """
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


def _unfolded(table: pyarrow.Table, where: str) -> pyarrow.Table:
    import pyarrow

    column = table.column("translation")
    if not pyarrow.types.is_struct(column.type):
        raise UserError(f"{where}: expected texts by language in the column 'translation', found {column.type}")
    names = [column.type.field(index).name for index in range(column.type.num_fields)]
    flat = pyarrow.Table.from_arrays([column], names=["translation"]).flatten()
    return flat.rename_columns(names)


def _texts(table: pyarrow.Table, language: str, where: str, errors: str) -> list[tuple[str, bool]]:
    """The texts of a column, each with whether invalid UTF-8 was replaced."""
    import pyarrow

    column = table.column(language)
    if not (pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type)):
        raise UserError(f"{where}: expected text in the column {language!r}, found {column.type}")
    return [decode(line or b"", errors) for line in column.cast(pyarrow.large_binary()).to_pylist()]


FORMATS = {".tsv": _tsv, ".csv": csv_pairs, ".tmx": tmx_pairs, ".jsonl": _jsonl, ".parquet": _parquet}
"""Readers of files of sentence pairs, by file ending."""
