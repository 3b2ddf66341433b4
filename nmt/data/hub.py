"""Data sets of the Hugging Face Hub, also when it cannot be reached.

A Hub that does not answer costs `datasets` 23 seconds to several minutes of retries. So the Hub is asked one question first,
and when no answer comes in time, `datasets` is told that it is offline: then it takes a cached copy or fails at once.
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

from nmt.data import loader
from nmt.errors import RunError, UserError

if TYPE_CHECKING:
    from datasets import DatasetDict

Answer = TypeVar("Answer")

ANSWER_WITHIN = 3.0
"""Seconds in which the Hub must have answered, looking up its address included."""


class UnreachableError(Exception):
    """The Hub does not answer, and no cached copy will do; the text says why."""


def load_remote(
    corpus: str, configuration: str | None, revision: str | None, log: Callable[[str], None]
) -> tuple[DatasetDict, str]:
    """All splits of a Hub data set, and the commit they are of: that of a revision (a commit, tag or branch), or the newest."""
    try:
        commit = probe(corpus, revision)
    except UnreachableError as reason:
        return _cached(corpus, configuration, revision, str(reason), log)
    log(f"loading {corpus} from the Hugging Face Hub, or its cached copy, at commit {commit}")
    loaded = loader.load(corpus, configuration, commit)
    if _commit(loaded) != commit:  # when the Hub fails it midway, datasets takes any cached copy
        raise RunError(f"data.corpus: the Hub failed while {corpus!r} was loaded at commit {commit}; try again")
    return loaded, commit


def probe(corpus: str, revision: str | None) -> str:
    """The commit that a revision stands for."""
    answer = asked(lambda: _ask(corpus, revision))
    if isinstance(answer, Exception):
        raise answer
    return answer


def asked(question: Callable[[], Answer]) -> Answer:
    """The Hub's answer to a first question, or a fault when none comes in time; asked in a thread, since a name server may keep silent too."""
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
    """A network's error in a line."""
    return re.sub(r"^\[Errno .*?\] ", "", str(error).splitlines()[0] if str(error) else type(error).__name__)


def _outcome(question: Callable[[], Answer]) -> tuple[Answer | None, Exception | None]:
    from huggingface_hub import errors

    try:
        return question(), None
    except (errors.HfHubHTTPError, errors.LocalTokenNotFoundError, errors.HFValidationError) as error:
        return None, error
    except ValueError:
        return None, UnreachableError("something else answered in its place, such as the sign-in page of a network")
    except Exception as error:  # what a network may do has no end
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
        return UserError(
            f"data.corpus: the Hub has no public data set {corpus!r}; check the name, or sign in if it is private: hf auth login"
        )
    except errors.HFValidationError:
        return UserError(f"data.corpus: expected a data set such as NAME or OWNER/NAME, or a folder; found {corpus!r}")
    except errors.HfHubHTTPError as error:
        return UnreachableError(reason(error))


def _cached(
    corpus: str, configuration: str | None, revision: str | None, reason: str, log: Callable[[str], None]
) -> tuple[DatasetDict, str]:
    try:
        with _offline():
            loaded = loader.load(corpus, configuration, None)
    except (UserError, RunError) as error:
        raise UnreachableError(f"{reason}; no cached copy") from error
    commit = _commit(loaded)
    if revision and not commit.startswith(revision):  # datasets takes the newest copy, whatever was asked for
        raise UnreachableError(f"{reason}; the cached copy is commit {commit}, not {revision}")
    log(f"the Hugging Face Hub cannot be reached ({reason}): taking the cached copy of {corpus}, commit {commit}")
    return loaded, commit


def _commit(loaded: DatasetDict) -> str:
    """The folder in which `datasets` caches a Hub data set is named by the commit."""
    return Path(next(iter(loaded.values())).cache_files[0]["filename"]).parent.name


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
