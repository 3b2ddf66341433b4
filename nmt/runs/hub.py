"""Bundles on the Hugging Face Hub: one file of a fixed name in a model repository, with its model card."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from nmt import atomic
from nmt.data import hub
from nmt.errors import RunError, UserError
from nmt.runs import files
from nmt.runs.run_folder import Run

FILE = "model.nmt"
MOST = 1 << 32
"""Maximum bytes of a download."""

Answer = TypeVar("Answer")


def push(bundle: Path, repository: str, *, private: bool) -> str:
    """Commits a bundle and its card to a repository, which is created if needed; returns its address."""
    from huggingface_hub import CommitOperationAdd, HfApi

    run = Run(bundle)
    if not run.bundled:
        raise UserError(
            f"{bundle}: expected a bundle; make one first: nmt bundle {bundle} -o {bundle.name}{files.SUFFIX}"
        )
    _named(repository)
    run.model()
    api, added = HfApi(), {FILE: bundle.read_bytes(), files.CARD: run.files.read(files.CARD)}
    with _told(repository):
        hub.asked(lambda: api.whoami())
        address = api.create_repo(repository, private=private, exist_ok=True)
        operations = [CommitOperationAdd(path_in_repo=name, path_or_fileobj=data) for name, data in added.items()]
        api.create_commit(
            repository,
            operations,
            commit_message=f"{run.recipe.name}: {run.recipe.data.source} to {run.recipe.data.target}",
        )
    return str(address)


def pull(repository: str, path: Path, revision: str | None) -> str:
    """Downloads the bundle of a repository into a file and checks it; returns its commit."""
    from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_download, hf_hub_url

    if path.suffix != files.SUFFIX:
        raise UserError(f"{path}: expected a name that ends in {files.SUFFIX}")
    _named(repository)
    with _told(repository, revision):
        commit = str(
            hub.asked(lambda: HfApi().model_info(repository, revision=revision, timeout=hub.ANSWER_WITHIN)).sha
        )
        size = get_hf_file_metadata(hf_hub_url(repository, FILE, revision=commit)).size
        if size is None or size > MOST:
            raise UserError(f"{repository}: {FILE} has {size or 'unknown'} bytes; expected at most {MOST:,}")
        fetched = Path(hf_hub_download(repository, FILE, revision=commit))
    Run(fetched).check()
    atomic.write_file(path, fetched.read_bytes())
    return commit


def _named(repository: str) -> None:
    if not re.fullmatch(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", repository):
        raise UserError(f"{repository[:200]!r}: expected a repository such as OWNER/NAME")


@contextmanager
def _told(repository: str, revision: str | None = None) -> Iterator[None]:
    """Turns the errors of the library into ours."""
    from huggingface_hub import errors

    try:
        yield
    except (UserError, RunError):
        raise
    except hub.UnreachableError as error:
        raise RunError(
            f"cannot reach the Hugging Face Hub for {repository} ({error}); "
            "the file itself can be copied in any other way"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"--revision: {repository} has no commit, tag or branch {revision!r}") from error
    except errors.EntryNotFoundError as error:
        raise UserError(f"{repository}: there is no {FILE} in it, so it is no model that nmt pushed") from error
    except errors.GatedRepoError as error:
        raise UserError(
            f"{repository}: it is gated; accept its terms on the Hub, then sign in: hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{repository}: the Hub has no such model for you; check the name, or sign in: hf auth login"
        ) from error
    except (errors.LocalTokenNotFoundError, errors.HfHubHTTPError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403, None):
            raise UserError(
                f"{repository}: the Hub does not let you; sign in with a token that may write: hf auth login"
            ) from error
        raise RunError(f"{repository}: the Hub failed with status {status}; try again") from error
    except Exception as error:  # a network may fail in any way
        raise RunError(f"{repository}: the Hub failed midway ({hub.reason(error)}); try again") from error
