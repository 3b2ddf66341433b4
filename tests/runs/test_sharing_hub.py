"""A Hub of a few lines on the loopback address takes models and gives them back."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from nmt.errors import RunError, UserError
from nmt.runs import hub
from nmt.runs.bundling import bundle
from nmt.runs.run_folder import Run

COMMIT = "c" * 40
TOKEN = "hf_" + "x" * 34
Repositories = dict[str, dict[str, bytes]]


class Hub(BaseHTTPRequestHandler):
    """Model repositories with one commit each; who writes must have the token."""

    repositories: Repositories

    def do_GET(self) -> None:
        place = self.path.partition("?")[0].strip("/").split("/")
        if place == ["api", "whoami-v2"]:
            self.reply({"name": "me", "type": "user"}) if self.signed_in() else self.reply({}, 401)
        elif place[:2] == ["api", "models"]:
            known = "/".join(place[2:4]) in self.repositories
            self.reply({"id": "/".join(place[2:4]), "sha": COMMIT, "siblings": []}) if known else self.reply(
                {}, 404, "RepoNotFound"
            )
        else:
            found = self.repositories["/".join(place[:2])].get(place[-1])
            self.reply(found) if found is not None else self.reply({}, 404, "EntryNotFound")

    do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

    def do_POST(self) -> None:
        body, place = (
            self.rfile.read(int(self.headers["Content-Length"])),
            self.path.partition("?")[0].strip("/").split("/"),
        )
        if not self.signed_in():
            self.reply({}, 401)
        elif place == ["api", "repos", "create"]:
            name = f"me/{json.loads(body)['name']}"
            self.repositories.setdefault(name, {})
            self.reply({"url": f"http://127.0.0.1/{name}"})
        elif place == ["api", "validate-yaml"]:
            self.reply({"warnings": [], "errors": []})
        elif place[4] == "preupload":
            self.reply(
                {
                    "files": [
                        {**file, "uploadMode": "regular", "shouldIgnore": False} for file in json.loads(body)["files"]
                    ]
                }
            )
        else:
            lines = [json.loads(line) for line in body.splitlines()]
            files = {
                line["value"]["path"]: base64.b64decode(line["value"]["content"])
                for line in lines
                if line["key"] == "file"
            }
            self.repositories["/".join(place[2:4])] |= files
            self.reply(
                {
                    "success": True,
                    "commitOid": COMMIT,
                    "commitUrl": "http://127.0.0.1/me/toy/commit/c",
                    "hookOutput": "",
                }
            )

    def signed_in(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def reply(self, body: object, status: int = 200, error: str = "") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {
            "Content-Length": len(data),
            "ETag": '"tag"',
            "X-Repo-Commit": COMMIT,
            "X-Error-Code": error,
        }.items():
            if value:
                self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data if self.command != "HEAD" else b"")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def repositories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Repositories]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.hf_api.api.endpoint", address)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        f"{address}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(Hub, "repositories", {}, raising=False)
    yield Hub.repositories
    server.shutdown()
    server.server_close()


@pytest.fixture
def made(run: Run, tmp_path: Path) -> Path:
    bundle(run, tmp_path / "toy.nmt")
    return tmp_path / "toy.nmt"


def test_what_is_pushed_is_pulled_again(repositories: Repositories, made: Path, tmp_path: Path) -> None:
    assert hub.push(made, "me/toy", private=False).endswith("/me/toy")
    assert repositories["me/toy"].keys() == {hub.FILE, "README.md"}
    assert hub.pull("me/toy", tmp_path / "again.nmt", None) == COMMIT
    assert (tmp_path / "again.nmt").read_bytes() == made.read_bytes()


def test_a_run_folder_has_to_be_bundled_first(repositories: Repositories, run: Run) -> None:
    with pytest.raises(UserError, match="expected a bundle; make one first: nmt bundle"):
        hub.push(run.path, "me/toy", private=False)
    assert repositories == {}


def test_who_may_not_write_is_told_to_sign_in(
    repositories: Repositories, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(UserError, match="the Hub does not let you; sign in"):
        hub.push(made, "me/toy", private=False)
    assert repositories == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("me/none", "the Hub has no such model"),
        ("me/other", r"there is no model\.nmt in it"),
        ("../me", "expected a repository such as OWNER/NAME"),
    ],
)
def test_what_the_hub_does_not_have_is_said(repositories: Repositories, tmp_path: Path, name: str, said: str) -> None:
    repositories["me/other"] = {"pytorch_model.bin": b""}
    with pytest.raises(UserError, match=said):
        hub.pull(name, tmp_path / "a.nmt", None)
    assert not (tmp_path / "a.nmt").exists()


def test_what_is_no_sound_bundle_is_not_put_in_place(repositories: Repositories, tmp_path: Path) -> None:
    repositories["me/bad"] = {hub.FILE: b"PK, or so it says"}
    with pytest.raises(UserError, match="not a sound bundle"):
        hub.pull("me/bad", tmp_path / "a.nmt", None)
    assert not (tmp_path / "a.nmt").exists()


def test_what_is_too_large_is_not_fetched(
    repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repositories["me/large"] = {hub.FILE: b"x" * 100}
    monkeypatch.setattr(hub, "MOST", 99)
    with pytest.raises(UserError, match="has 100 bytes; expected at most 99"):
        hub.pull("me/large", tmp_path / "a.nmt", None)


@pytest.mark.usefixtures("repositories")
def test_a_hub_that_is_away_is_known_at_once(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = r"cannot reach the Hugging Face Hub for me/toy \(HF_HUB_OFFLINE is set\)"
    with pytest.raises(RunError, match=said):
        hub.pull("me/toy", tmp_path / "a.nmt", None)
    with pytest.raises(RunError, match=said):
        hub.push(made, "me/toy", private=False)
