"""A Hub that refuses, cannot be resolved or does not answer: reported within five seconds, with the ways out."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

from tools.checks import process
from tools.checks.check import Trial

SECONDS = "seconds"
"""From the start of the command, without its imports."""
WAYS_OUT = ("download it on a connected machine", "data.corpus=null data.train=")


@contextmanager
def refusing() -> Iterator[str]:
    """A bound port that nobody listens on."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def unresolvable() -> AbstractContextManager[str]:
    """A host name that never resolves (RFC 2606)."""
    return nullcontext("https://hub.invalid")


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


HUBS: tuple[Callable[[], AbstractContextManager[str]], ...] = (refusing, unresolvable, silent)


def trials(count: int) -> Iterator[Trial]:
    """Training with a Hub of each kind in turn and an empty cache."""
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        folder = Path(name)
        (folder / "hub.yaml").write_text("data: {corpus: me/tiny}\ntraining: {updates: 1}\n")
        process.finish(folder, "--version")  # from here on everything is imported
        for number in range(count):
            with HUBS[number % len(HUBS)]() as address:
                yield _trial(folder, HUBS[number % len(HUBS)].__name__, address)


def _trial(folder: Path, kind: str, address: str) -> Trial:
    began = time.monotonic()
    status = process.finish(folder, "train", "hub.yaml", prelude=partial(_point_to, address, folder))
    seconds, stderr = time.monotonic() - began, process.stderr_lines(folder)
    clear = (
        status == 1
        and len(stderr) <= 3
        and "cannot reach the Hugging Face Hub" in stderr[0]
        and all(any(way in line for line in stderr) for way in WAYS_OUT)
    )
    fault = None if clear else f"exit {status}: {' / '.join(stderr)}"
    return Trial(f"a Hub {kind}", fault, {SECONDS: seconds})


def _point_to(address: str, cache: Path) -> None:
    """A prelude that points the Hub's clients to an address, without proxies and with an empty cache."""
    import datasets
    from huggingface_hub import constants

    for name in [name for name in os.environ if name.upper().endswith("_PROXY") or name.startswith("HF_")]:
        del os.environ[name]
    constants.ENDPOINT = datasets.config.HF_ENDPOINT = address
    constants.HUGGINGFACE_CO_URL_TEMPLATE = f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = False
    constants.HF_HUB_CACHE, datasets.config.HF_DATASETS_CACHE = str(cache / "hub"), cache / "datasets"
