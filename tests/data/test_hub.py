"""A Hub of a few lines on the loopback address answers, refuses, or keeps silent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nmt.data.hub import UnreachableError, load_remote
from nmt.errors import UserError

COMMIT = "a" * 40
FILES = {"train.jsonl": b'{"de": "eins", "en": "one"}\n' * 3, "test.jsonl": b'{"de": "zwei", "en": "two"}\n'}


class Hub(BaseHTTPRequestHandler):
    """One data set, `me/tiny`, at one commit."""

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].split("/")
        if "resolve" in parts:
            self.file(parts[-1])
        elif parts[:5] == ["", "api", "datasets", "me", "tiny"]:
            self.about(parts[5:])
        else:
            self.reply(b"", 404, "RepoNotFound")

    do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

    def about(self, what: list[str]) -> None:
        listing = [{"type": "file", "path": name, "size": len(data), "oid": name} for name, data in FILES.items()]
        if what[:1] == ["tree"]:
            self.reply(json.dumps(listing).encode())
        elif what in ([], ["revision", COMMIT], ["revision", "v1"]):
            self.reply(json.dumps({"id": "me/tiny", "sha": COMMIT, "siblings": []}).encode())
        else:
            self.reply(b"", 404, "RevisionNotFound")

    def file(self, name: str) -> None:
        self.reply(FILES[name]) if name in FILES else self.reply(b"", 404, "EntryNotFound")

    def reply(self, body: bytes, status: int = 200, error: str = "") -> None:
        self.send_response(status)
        for name, value in {
            "Content-Length": len(body),
            "ETag": f'"{self.path}"',
            "X-Repo-Commit": COMMIT,
            "X-Error-Code": error,
        }.items():
            if value:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body if self.command == "GET" else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


def point_to(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        f"http://127.0.0.1:{port}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
    )
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", f"http://127.0.0.1:{port}")


@pytest.fixture(autouse=True)
def _untouched_by_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_DATASETS_OFFLINE", raising=False)
    for flag in ("huggingface_hub.constants.HF_HUB_OFFLINE", "datasets.config.HF_HUB_OFFLINE"):
        monkeypatch.setattr(flag, False)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    point_to(server.server_port, monkeypatch)
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("revision", [None, "v1", COMMIT])
def test_a_reachable_data_set_is_loaded_with_its_commit(revision: str | None) -> None:
    loaded, commit = load_remote("me/tiny", None, revision, print)
    assert commit == COMMIT
    assert {name: split["de"][:] for name, split in loaded.items()} == {"train": ["eins"] * 3, "test": ["zwei"]}


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(
    ("corpus", "revision", "said"),
    [
        ("me/none", None, "the Hub has no public data set 'me/none'"),
        ("me/tiny", "v9", "'me/tiny' has no commit, tag or branch 'v9'"),
        ("not a name", None, "expected a data set such as NAME or OWNER/NAME"),
    ],
)
def test_what_a_reachable_hub_does_not_have_is_a_user_error(corpus: str, revision: str | None, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_remote(corpus, None, revision, print)


@pytest.mark.usefixtures("answering")
def test_a_cached_copy_serves_while_the_hub_is_away_unless_another_commit_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_remote("me/tiny", None, None, print)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    messages: list[str] = []
    loaded, commit = load_remote("me/tiny", None, COMMIT[:8], messages.append)
    assert (loaded["train"].num_rows, commit, len(messages)) == (3, COMMIT, 1)
    assert "HF_HUB_OFFLINE is set" in messages[0]
    with pytest.raises(UnreachableError, match=f"the cached copy is commit {COMMIT}, not bbbb"):
        load_remote("me/tiny", None, "bbbb", print)


def test_a_hub_that_refuses_is_unreachable_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening
        point_to(closed.getsockname()[1], monkeypatch)
        with pytest.raises(UnreachableError, match="refused; no cached copy"):
            load_remote("me/tiny", None, None, print)


def test_a_hub_that_never_answers_is_unreachable_when_the_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nmt.data.hub.ANSWER_WITHIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_to(silent.getsockname()[1], monkeypatch)
        begun = time.monotonic()
        with pytest.raises(UnreachableError, match="no cached copy"):
            load_remote("me/tiny", None, None, print)
        assert time.monotonic() - begun < 2  # an unguarded load takes minutes


def test_loading_leaves_the_offline_flags_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    from datasets import config
    from huggingface_hub import constants

    point_to(9, monkeypatch)
    with pytest.raises(UnreachableError):
        load_remote("me/tiny", None, None, print)
    assert (constants.HF_HUB_OFFLINE, config.HF_HUB_OFFLINE) == (False, False)
