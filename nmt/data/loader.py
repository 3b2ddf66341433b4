"""Data sets through the `datasets` library: one way for those of the Hub and for local folders of the same layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data.lines import read
from nmt.data.readers import parse_record
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    from datasets import DatasetDict


def is_local(corpus: str) -> bool:
    """Whether a name means a place on this machine: it exists, begins with `.`, `/` or `~`, or has more than one `/`."""
    return corpus.startswith((".", "/", "~")) or corpus.count("/") > 1 or Path(corpus).exists()


def load_folder(corpus: str, configuration: str | None) -> DatasetDict:
    """All splits of a local folder."""
    folder = Path(corpus).expanduser()
    if not folder.exists():
        raise UserError(
            f"data.corpus: {corpus}: no such folder (a name with at most one '/' and nothing of that name here means the Hub)"
        )
    if not folder.is_dir():
        raise UserError(f"data.corpus: {corpus}: expected a folder; a file goes into data.train, with data.corpus=null")
    return load(str(folder), configuration, None)


def load(path: str, configuration: str | None, revision: str | None) -> DatasetDict:
    """All splits; what the library says in pages is said in a line, and a damaged file is named with its line where it can be found."""
    import datasets

    try:
        with _silence():
            loaded = datasets.load_dataset(path, configuration, revision=revision)
    except datasets.exceptions.DatasetGenerationError as error:
        raise bad_file(path, error.__cause__ or error) from error
    except Exception as error:  # whatever a library of this size may raise
        raise _fault(path, error) from error
    assert isinstance(loaded, datasets.DatasetDict), "without the name of a split, all are loaded"
    return loaded


def _fault(path: str, error: Exception) -> Exception:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, StopIteration):
        return UserError(f"data.corpus: {path}: its first data file is empty")
    if "scripts are no longer supported" in reason:
        return UserError(
            f"data.corpus: {path} needs a script, and datasets 5 runs none; take a data set that is stored as plain files"
        )
    if "BuilderConfig" in reason or "Config name" in reason:
        return UserError(f"data.configuration: {path}: {reason}")
    if isinstance(error, (FileNotFoundError, ValueError)):
        return UserError(f"data.corpus: {path}: {reason}")
    return RunError(f"data.corpus: {path} cannot be loaded: {reason}")


def bad_file(path: str, error: BaseException) -> UserError:
    """The library does not say which line it cannot read; our own reader does, by a fault of its own."""
    for file in sorted(Path(path).expanduser().rglob("*.jsonl*")):
        for number, line in enumerate(read(file).text, start=1):
            if line.strip():
                parse_record(line, f"{file}:{number}")
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"data.corpus: a file of {path} cannot be read: {reason}")


@contextmanager
def _silence() -> Iterator[None]:
    """Without the libraries' progress bars and warnings: what matters is said in the project's own words."""
    import datasets
    from huggingface_hub.utils import logging as hub_logging
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    loggers = datasets.utils.logging, hub_logging
    levels = [logger.get_verbosity() for logger in loggers]
    hidden = datasets.are_progress_bars_disabled(), are_progress_bars_disabled()
    for logger in loggers:
        logger.set_verbosity(logger.CRITICAL)
    datasets.disable_progress_bars()
    disable_progress_bars()
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.set_verbosity(level)
        for was_hidden, show in zip(hidden, (datasets.enable_progress_bars, enable_progress_bars), strict=True):
            if not was_hidden:
                show()
