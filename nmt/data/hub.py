"""Data sets through the `datasets` library: from the Hugging Face Hub, its local cache, or a local folder.

If the Hub does not answer, `datasets` retries for 23 seconds to several minutes. So the Hub is first asked one question
with a short timeout. If no answer comes, `datasets` is told that it is offline: it then loads a cached copy or fails at
once.
"""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from nmt.data.lines import read
from nmt.data.readers import parse_record
from nmt.errors import Log, RunError, UserError

if TYPE_CHECKING:
    from datasets import DatasetDict

Answer = TypeVar("Answer")

ANSWER_WITHIN = 3.0
"""Seconds within which the Hub must answer, name resolution included."""


class UnreachableError(Exception):
    """The Hub does not answer and there is no suitable cached copy; the text gives the reason."""


def is_local(corpus: str) -> bool:
    """Whether a name means a local path: it exists, begins with `.`, `/` or `~`, or has more than one `/`."""
    return corpus.startswith((".", "/", "~")) or corpus.count("/") > 1 or Path(corpus).exists()


def load_folder(corpus: str, configuration: str | None) -> DatasetDict:
    """All splits of a local folder."""
    folder = Path(corpus).expanduser()
    if not folder.exists():
        hint = "a name with at most one '/' and nothing of that name here means the Hub"
        raise UserError(f"data.corpus: {corpus}: no such folder ({hint})")
    if not folder.is_dir():
        raise UserError(f"data.corpus: {corpus}: expected a folder; a file goes into data.train, with data.corpus=null")
    return _load(str(folder), configuration, None)


def load_remote(corpus: str, configuration: str | None, revision: str | None, log: Log) -> tuple[DatasetDict, str]:
    """All splits of a Hub data set and their commit: that of a revision (a commit, tag or branch), or the newest."""
    try:
        commit = probe(corpus, revision)
    except UnreachableError as reason:
        return _cached(corpus, configuration, revision, str(reason), log)
    log(f"loading {corpus} from the Hugging Face Hub, or its cached copy, at commit {commit}")
    loaded = _load(corpus, configuration, commit)
    if _commit(loaded) != commit:  # if the Hub fails during the download, datasets loads any cached copy
        raise RunError(f"data.corpus: the Hub failed while {corpus!r} was loaded at commit {commit}; try again")
    return loaded, commit


def bad_file(path: str, error: BaseException) -> UserError:
    """The error of a file that `datasets` cannot read. The library does not name the line; our own reader does."""
    for file in sorted(Path(path).expanduser().rglob("*.jsonl*")):
        for number, line in enumerate(read(file).text, start=1):
            if line.strip():
                parse_record(line, f"{file}:{number}")
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return UserError(f"data.corpus: a file of {path} cannot be read: {reason}")


def probe(corpus: str, revision: str | None) -> str:
    """The commit of a revision."""
    answer = asked(lambda: _ask(corpus, revision))
    if isinstance(answer, Exception):
        raise answer
    return answer


def asked(question: Callable[[], Answer]) -> Answer:
    """The Hub's answer to a question; raises `UnreachableError` if none comes in time.

    The question is asked in a thread, since name resolution has no timeout.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_DATASETS_OFFLINE", "").upper() in constants.ENV_VARS_TRUE_VALUES:
        raise UnreachableError("HF_HUB_OFFLINE is set")
    answers: queue.SimpleQueue[tuple[Answer | None, Exception | None]] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_outcome(question)), daemon=True).start()
    try:
        answer, error = answers.get(timeout=ANSWER_WITHIN)
    except queue.Empty:
        raise UnreachableError(f"no answer within {ANSWER_WITHIN:.0f} seconds") from None
    if error is not None:
        raise error
    return cast("Answer", answer)


def reason(error: Exception) -> str:
    """A network error in one line."""
    return re.sub(r"^\[Errno .*?\] ", "", str(error).splitlines()[0] if str(error) else type(error).__name__)


def _outcome(question: Callable[[], Answer]) -> tuple[Answer | None, Exception | None]:
    from huggingface_hub import errors

    try:
        return question(), None
    except (errors.HfHubHTTPError, errors.LocalTokenNotFoundError, errors.HFValidationError) as error:
        return None, error
    except ValueError:
        return None, UnreachableError("something else answered in its place, such as the sign-in page of a network")
    except Exception as error:  # network failures have no common type
        return None, UnreachableError(reason(error))


def _ask(corpus: str, revision: str | None) -> str | Exception:
    from huggingface_hub import HfApi, errors

    try:
        return str(HfApi().dataset_info(corpus, revision=revision, timeout=ANSWER_WITHIN).sha)
    except errors.GatedRepoError:
        return UserError(f"data.corpus: {corpus!r} is gated; accept its terms on the Hub, then sign in: hf auth login")
    except errors.RevisionNotFoundError:
        return UserError(f"data.revision: {corpus!r} has no commit, tag or branch {revision!r}")
    except errors.RepositoryNotFoundError:
        hint = "check the name, or sign in if it is private: hf auth login"
        return UserError(f"data.corpus: the Hub has no public data set {corpus!r}; {hint}")
    except errors.HFValidationError:
        return UserError(f"data.corpus: expected a data set such as NAME or OWNER/NAME, or a folder; found {corpus!r}")
    except errors.HfHubHTTPError as error:
        return UnreachableError(reason(error))


def _cached(
    corpus: str, configuration: str | None, revision: str | None, reason: str, log: Log
) -> tuple[DatasetDict, str]:
    try:
        with _offline():
            loaded = _load(corpus, configuration, None)
    except (UserError, RunError) as error:
        raise UnreachableError(f"{reason}; no cached copy") from error
    commit = _commit(loaded)
    if revision and not commit.startswith(revision):  # datasets loads the newest copy, whatever the revision
        raise UnreachableError(f"{reason}; the cached copy is commit {commit}, not {revision}")
    log(f"the Hugging Face Hub cannot be reached ({reason}): taking the cached copy of {corpus}, commit {commit}")
    return loaded, commit


def _commit(loaded: DatasetDict) -> str:
    """The commit of a Hub data set, which names its folder in the cache of `datasets`."""
    return Path(next(iter(loaded.values())).cache_files[0]["filename"]).parent.name


def _load(path: str, configuration: str | None, revision: str | None) -> DatasetDict:
    """All splits; an error of the library becomes one line."""
    import datasets

    try:
        with _silence():
            loaded = datasets.load_dataset(path, configuration, revision=revision)
    except datasets.exceptions.DatasetGenerationError as error:
        raise bad_file(path, error.__cause__ or error) from error
    except Exception as error:  # the errors of the library have no common type
        raise _load_error(path, error) from error
    assert isinstance(loaded, datasets.DatasetDict), "without the name of a split, all are loaded"
    return loaded


def _load_error(path: str, error: Exception) -> Exception:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    if isinstance(error, StopIteration):
        return UserError(f"data.corpus: {path}: its first data file is empty")
    if "scripts are no longer supported" in reason:
        hint = "take a data set that is stored as plain files"
        return UserError(f"data.corpus: {path} needs a script, and datasets 5 runs none; {hint}")
    if "BuilderConfig" in reason or "Config name" in reason:
        return UserError(f"data.configuration: {path}: {reason}")
    if isinstance(error, (FileNotFoundError, ValueError)):
        return UserError(f"data.corpus: {path}: {reason}")
    return RunError(f"data.corpus: {path} cannot be loaded: {reason}")


@contextmanager
def _offline() -> Iterator[None]:
    from datasets import config
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, config.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, config.HF_HUB_OFFLINE = before


@contextmanager
def _silence() -> Iterator[None]:
    """Switches off the progress bars and warnings of the libraries."""
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
