from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import nmt as package
from nmt.cli import serve

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

needs_extra = pytest.mark.skipif(
    not all(map(find_spec, serve.REQUIRED)), reason="needs the extra serve: pip install 'nmt-recipes[serve]'"
)


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`nmt serve ARGUMENTS` in a process of its own: its address and its process."""
    command = [sys.executable, "-m", "nmt", "serve", "--port", "0", *arguments]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": str(Path(__file__).parents[2])}
    ) as process:
        assert process.stderr is not None
        try:
            yield next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line))), process
        finally:
            process.kill()


def asked(address: str, path: str, **body: Any) -> Any:
    request = urllib.request.Request(address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


@needs_extra
def test_a_server_translates_as_the_command_and_sigterm_stops_it_gracefully(nmt: Nmt) -> None:
    texts = ["rot Hund", "Katze grün Haus", "klein Baum groß"] * 5
    expected = [each.text for each in package.load("runs/toy").translate(texts)]
    with serving("runs/toy") as (address, process), ThreadPoolExecutor(len(texts)) as clients:
        found = clients.map(
            lambda text: asked(address, "/translate", q=text, source="de", target="en")["translatedText"], texts
        )
        assert list(found) == expected
        seen = asked(address, "/inspect", q="rot Hund", source="de", target="en", kind="gates")
        assert (seen["kind"], seen["text"]) == ("gates", expected[0])
        late = clients.submit(asked, address, "/translate", q=texts, source="de", target="en")
        while (
            not re.search(r"nmt_queue_pieces [1-9]", urllib.request.urlopen(f"{address}/metrics").read().decode())
            and not late.done()
        ):
            pass
        process.send_signal(signal.SIGTERM)
        assert late.result(30) == {"translatedText": expected}
        assert process.wait(30) == 0


@needs_extra
def test_a_server_with_workers_translates_as_the_command_and_says_that_it_cannot_look_inside(nmt: Nmt) -> None:
    text = "rot Hund. klein Baum groß"
    expected = nmt("translate", "runs/toy", "--text", text, "--precision", "bf16").out.decode().strip()
    with serving("runs/toy", "--workers", "2", "--precision", "bf16") as (address, process):
        asked_for = {"q": text, "source": "de", "target": "en"}
        assert asked(address, "/translate", **asked_for)["translatedText"] == expected
        with pytest.raises(urllib.error.HTTPError) as refused:
            asked(address, "/inspect", **asked_for)
        assert b"started with --engine torch and without --workers" in refused.value.read()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@needs_extra
def test_a_server_gives_the_warnings_of_the_command(nmt: Nmt) -> None:
    from nmt.serving.models import Models

    (model,) = Models.load([Path("runs/toy")], longest_output=400).all
    text = "rot Hund \N{GREEK CAPITAL LETTER OMEGA}"
    compute, sentence, _ = model.translation_job(text, 0, True)
    (found,) = compute([sentence], lambda: False)
    assert found.warnings == package.load("runs/toy").translate(text).warnings
    assert any(warning.startswith("pieces unknown to training") for warning in found.warnings)


@needs_extra
def test_a_taken_port_is_reported_before_models_are_loaded(nmt: Nmt) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        outcome = nmt("serve", "runs/toy", "--port", str(port))
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert outcome.err.startswith(f"nmt: --host 127.0.0.1 --port {port}: cannot be served at (")


@needs_extra
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nmt serve: expected one run folder or more"),
        (["runs/none", "--port", "0"], "runs/none: no such run folder"),
        (["runs/toy", "runs/../runs/toy", "--port", "0"], "toy: two runs of this name"),
        (["runs/toy", "--items", "0"], "--items: expected at least 1, found 0"),
        (
            ["runs/toy", "--output", "1", "--port", "0"],
            "runs/toy: max_tokens: expected more than min_length, which is 1, found 1; choose another --output",
        ),
        (["runs/toy", "--workers", "2", "--device", "cuda", "--port", "0"], "--workers: processes compute on the CPU"),
        (["runs/toy", "--keys", "absent"], "absent: no such file"),
        (
            ["runs/toy", "--host", "no.such.host.invalid"],
            "--host no.such.host.invalid --port 5000: cannot be served at",
        ),
        (["--new-key", "a"], "--new-key: expected --keys too"),
    ],
)
def test_errors_of_serve_are_one_line(nmt: Nmt, arguments: list[str], words: str) -> None:
    outcome = nmt("serve", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, b"", 1)
    assert outcome.err.startswith(f"nmt: {words}")


def test_a_new_key_is_printed_once_and_stored_as_a_hash(nmt: Nmt) -> None:
    outcome = nmt("serve", "--keys", "keys", "--new-key", "phone")
    assert outcome.status == 0
    assert len(outcome.out.strip()) > 30
    assert outcome.out.strip() not in Path("keys").read_bytes()


def test_without_the_extra_serve_one_line_names_it(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert nmt("serve", "runs/toy") == (
        2,
        b"",
        "nmt: nmt serve needs the extra serve: pip install 'nmt-recipes[serve]'\n",
    )
