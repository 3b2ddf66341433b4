"""Sentence pairs out of Arrow tables, in both layouts in use: a column per language, or one column `translation` holding all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data.lines import decode
from nmt.data.pairs import Pair, check_languages
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    import pyarrow


AT_ONCE = 1 << 13
"""Rows of a table that are read at once."""


def pairs(table: pyarrow.Table, source: str, target: str, where: str, errors: str = "strict") -> Iterator[Pair]:
    """The two languages of a table; a missing text is an empty one, as a blank line is in a file.

    With `strict` invalid UTF-8, which Arrow lets pass, is a `UnicodeDecodeError`.
    """
    if "translation" in table.column_names and source not in table.column_names:
        table = _unfolded(table, where)
    check_languages(source, target, table.column_names, where)
    sources, targets = (_texts(table, language, where, errors) for language in (source, target))
    for (one, replaced), (other, replaced_too) in zip(sources, targets, strict=True):
        yield Pair(one, other, replaced + replaced_too)


def stream_parquet(path: Path, source: str, target: str, errors: str) -> Iterator[Pair]:
    """The pairs of a Parquet file."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            yield from pairs(
                file.schema_arrow.empty_table(), source, target, str(path)
            )  # a file without rows has its columns checked too
            for batch in file.iter_batches(AT_ONCE):
                yield from pairs(pyarrow.Table.from_batches([batch]), source, target, str(path), errors)
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


def _unfolded(table: pyarrow.Table, where: str) -> pyarrow.Table:
    import pyarrow

    column = table.column("translation")
    if not pyarrow.types.is_struct(column.type):
        raise UserError(f"{where}: expected texts by language in the column 'translation', found {column.type}")
    names = [column.type.field(index).name for index in range(column.type.num_fields)]
    flat = pyarrow.Table.from_arrays([column], names=["translation"]).flatten()
    return flat.rename_columns(names)


def _texts(table: pyarrow.Table, language: str, where: str, errors: str) -> list[tuple[str, bool]]:
    """The sentences of a column, and of each whether invalid UTF-8 was replaced."""
    import pyarrow

    column = table.column(language)
    if not (pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type)):
        raise UserError(f"{where}: expected text in the column {language!r}, found {column.type}")
    return [decode(line or b"", errors) for line in column.cast(pyarrow.large_binary()).to_pylist()]
