"""What strangers' runs and corpora, and odd surroundings, may not do to a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest

from nmt.printable import without_controls
from nmt.runs.files import SCORES
from nmt.runs.run_folder import JOINT, METADATA, OUTCOME, Run
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
        assert "--beam" in outcome.err
        assert "1000" in outcome.err


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


@pytest.mark.parametrize("linked", ["outputs", "scores.jsonl"])
@pytest.mark.parametrize("kind", ["folder", "bundle"])
def test_evaluating_a_strangers_run_writes_nothing_outside_its_folder(nmt: Nmt, linked: str, kind: str) -> None:
    run = "runs/toy"
    Path("elsewhere").mkdir()
    Path("in.txt").write_text("rot Hund\n")
    if kind == "bundle":
        run = "toy.nmt"
        assert nmt("bundle", "runs/toy", "-o", run).status == 0
        Path("toy.nmt.evaluations").mkdir()
    place = TOY if kind == "folder" else Path("toy.nmt.evaluations")
    (place / linked).symlink_to(Path("elsewhere").resolve() / ("" if linked == "outputs" else "new"))
    outcome = nmt("evaluate", run, "--test", "t=in.txt,in.txt", "-q")
    assert (outcome.status, list(Path("elsewhere").iterdir())) == (2, [])
    assert f"nmt: {place / linked}" in outcome.err


def test_the_folder_beside_a_bundle_is_no_link(nmt: Nmt) -> None:
    assert nmt("bundle", "runs/toy", "-o", "toy.nmt").status == 0
    Path("elsewhere").mkdir()
    Path("in.txt").write_text("rot Hund\n")
    Path("toy.nmt.evaluations").symlink_to("elsewhere")
    outcome = nmt("evaluate", "toy.nmt", "--test", "t=in.txt,in.txt", "-q")
    assert (outcome.status, list(Path("elsewhere").iterdir())) == (2, [])
    assert outcome.err.startswith("nmt: toy.nmt.evaluations: a link is not followed")


def edited(name: str, **changed: object) -> None:
    (TOY / name).write_text(json.dumps({**json.loads((TOY / name).read_text()), **changed}))


def relinked(name: str) -> None:
    (TOY / name).unlink()
    (TOY / name).symlink_to("nowhere")


SCORE = {"name": "BLEU", "value": 1.0, "low": 1.0, "high": 1.0, "signature": "x"}
SCORED: dict[str, Any] = {
    **{"test": "t", "sentences": 1, "weights_sha256": None, "source_sha256": "0", "references_sha256": "0"},
    **{"search": {}, "scored_before": 0, "notes": [], "scores": {"bleu": SCORE, "chrf": SCORE, "ter": SCORE}},
}


@pytest.mark.parametrize(
    "harm",
    [
        lambda: edited(OUTCOME, update="x"),
        lambda: edited(METADATA, corpus={"fallback": None}),
        lambda: (TOY / "checkpoints" / "step-1").mkdir(parents=True),
        lambda: (TOY / "checkpoints" / "dead").symlink_to("nowhere"),
        lambda: (TOY / SCORES).write_text(json.dumps(SCORED) + "\n"),
        lambda: (TOY / SCORES).write_text(json.dumps(SCORED | {"scores": SCORED["scores"] | {"comet": 1}}) + "\n"),
        lambda: (TOY / SCORES).symlink_to("nowhere"),
        lambda: relinked(OUTCOME),
        lambda: (TOY / JOINT).write_bytes(with_pieces((TOY / JOINT).read_bytes(), {270: b"\xff"})),
    ],
)
@pytest.mark.parametrize("command", [["info", "runs/toy"], ["bundle", "runs/toy", "-o", "b.nmt"]])
def test_odd_files_of_a_run_are_read_or_refused_in_words(
    nmt: Nmt, harm: Callable[[], object], command: list[str]
) -> None:
    (TOY / "checkpoints").mkdir(exist_ok=True)
    harm()
    outcome = nmt(*command)
    assert outcome.status in (0, 2), outcome.err
    assert "fault in nmt" not in outcome.err


@pytest.mark.parametrize("command", [["info"], ["translate", "--text", "a"], ["evaluate"]])
@pytest.mark.parametrize("name", ["x" * 300, "runs/" + "x/" * 3000, "a\x1bb"])
def test_a_name_that_no_file_can_have_is_no_run(nmt: Nmt, command: list[str], name: str) -> None:
    outcome = nmt(command[0], name, *command[1:])
    assert outcome.status == 2
    assert "no such run folder" in outcome.err
    assert clean(outcome.err)


def test_overlapping_ranges_of_unseen_tokens_are_counted_once(nmt: Nmt) -> None:
    edited(METADATA, unseen_tokens=" ".join(["4-999999999"] * 200_000))
    assert nmt("translate", "runs/toy", "--text", "rot").status == 0
    assert Run(TOY).unseen_tokens == frozenset(range(4, len(Run(TOY).vocabularies[0])))
