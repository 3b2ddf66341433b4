"""What strangers' runs and corpora, and odd surroundings, may not do to a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow
import pyarrow.parquet
import pytest

from nmt.printable import without_controls
from nmt.runs.run_folder import JOINT, METADATA, Run
from tools.checks.pieces import with_pieces

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

TOY = Path("runs/toy")
HOSTILE = "\x1b]0;pwned\x07\x1b[2J\x9b2J\u202e"


def clean(text: str) -> bool:
    return without_controls(text) == text


def replace_pieces(run: Path) -> None:
    """Writes control characters into every piece of a run's vocabulary that text can have."""
    vocabulary = Run(run).vocabularies[0]
    changed = {
        id: (piece + HOSTILE).encode()
        for id, piece in enumerate(vocabulary.pieces(range(len(vocabulary))))
        if id > 3 and id not in vocabulary.bytes
    }
    (run / JOINT).write_bytes(with_pieces(vocabulary.model, changed))


@pytest.mark.parametrize(
    "command",
    [
        ["translate", "runs/toy", "--text", "rot Hund"],
        ["translate", "runs/toy", "--text", "rot Hund", "--json"],
        ["inspect", "runs/toy", "rot Hund"],
        ["inspect", "runs/toy", "rot Hund", "--kind", "occlusion"],
        ["inspect", "runs/toy", "rot Hund", "--json"],
        ["inspect", "runs/toy", "rot Hund", "--out", "seen.html"],
    ],
)
def test_control_characters_of_a_strangers_pieces_reach_no_terminal(nmt: Nmt, command: list[str]) -> None:
    replace_pieces(TOY)
    outcome = nmt(*command)
    assert outcome.status == 0, outcome.err
    assert clean(outcome.out.decode() + outcome.err)
    if "--out" in command:
        assert clean(Path("seen.html").read_text())


@pytest.mark.parametrize("name", ["e.jsonl", "e.tsv", "e.parquet"])
def test_control_characters_of_column_names_reach_no_terminal(nmt: Nmt, name: str) -> None:
    pyarrow.parquet.write_table(pyarrow.table({HOSTILE: ["a"], "en": ["b"]}), "e.parquet")
    Path("e.jsonl").write_text(json.dumps({HOSTILE: "a", "en": "b"}))
    Path("e.tsv").write_text(f"en\t{HOSTILE}\tfr\na\tb\tc\n")
    outcome = nmt("data", "check", "toy.yaml", f"data.train={name}")
    assert outcome.status == 2
    assert clean(outcome.out.decode() + outcome.err)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_control_characters_of_metadata_are_refused_and_printed_as_escapes(nmt: Nmt, option: list[str]) -> None:
    metadata = json.loads((TOY / METADATA).read_text())
    (TOY / METADATA).write_text(json.dumps(metadata | {"created": HOSTILE[-1]}))
    outcome = nmt("info", "runs/toy", *option)
    assert (outcome.status, clean(outcome.err)) == (2, True)
    assert f"{TOY / METADATA}: created:" in outcome.err


def test_a_beam_beyond_all_measure_is_an_error_in_words(nmt: Nmt) -> None:
    for command in (["translate", "runs/toy", "--text", "a"], ["inspect", "runs/toy", "a"], ["evaluate", "runs/toy"]):
        outcome = nmt(*command, "--beam", "99999999999999999999")
        assert outcome.status == 2
        assert outcome.err.endswith("--beam: expected an integer from 1 to 1000, found 99999999999999999999\n")


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command.replace("nmt", f"{sys.executable} -m nmt", 1)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("nmt translate runs/toy <&-", b"nmt: standard input is closed; name a file with --input"),
        ("nmt translate runs/toy --text rot >&-", b"nmt: standard output is closed; name a file with --output"),
    ],
)
def test_a_closed_stream_is_named(nmt: Nmt, command: str, words: bytes) -> None:
    done = shell(command)
    assert (done.returncode, done.stdout) == (2, b"")
    assert words in done.stderr


def test_messages_are_dropped_where_stderr_is_closed_and_never_mixed_with_data(nmt: Nmt) -> None:
    assert shell("nmt translate runs/toy --beam 0 --text rot 2>&-").stdout == b""


@pytest.mark.parametrize("command", ["nmt inspect runs/toy 'grün Hund'", "nmt info runs/toy --json"])
def test_an_ascii_terminal_gets_escapes_for_what_it_lacks(nmt: Nmt, command: str) -> None:
    done = shell(command, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii")
    if "--json" in command:
        assert json.loads(done.stdout)["run"] == "runs/toy"
