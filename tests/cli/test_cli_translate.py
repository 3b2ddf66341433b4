from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import stat
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING

import pytest

import nmt as package
from nmt.cli.stopping import ended_by_signals
from nmt.runs import run_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

LINES = b"rot Hund\n\nKatze\r\n\xff Baum\xfe\n \t\nklein Haus ohne Ende"
NOTE = "invalid UTF-8 was replaced: 1 line\npieces unknown to training: 2 lines\n"


def expected(*texts: str) -> bytes:
    return "".join(f"{each.text}\n" for each in package.load("runs/toy").translate(texts)).encode()


def test_every_line_gives_a_line_whatever_bytes_come_and_wherever_from(nmt: Nmt) -> None:
    Path("lines").write_bytes(LINES)
    Path("lines.gz").write_bytes(gzip.compress(LINES))
    ways = [nmt("translate", "runs/toy", stdin=LINES), nmt("translate", "runs/toy", "-i", "-", stdin=LINES)]
    ways += [nmt("translate", "runs/toy", "-i", name) for name in ("lines", "lines.gz")]
    assert [(each.status, each.err) for each in ways] == [(0, NOTE)] * 4
    assert {each.out for each in ways} == {
        expected("rot Hund", "", "Katze", "\ufffd Baum\ufffd", " \t", "klein Haus ohne Ende")
    }
    translated = ways[0].out.decode().split("\n")
    assert [line.strip() == "" for line in translated] == [False, True, False, False, True, False, True]


def test_texts_are_translated_in_order_and_keep_their_line_breaks(nmt: Nmt) -> None:
    found = nmt("translate", "runs/toy", "--text", "Haus\n\n Baum", "--text", "", "--text", "rot")
    house, tree = expected("Haus", "Baum").split(b"\n")[:2]
    assert (found.status, found.out) == (0, house + b"\n\n " + tree + b"\n\n" + expected("rot"))


def test_a_line_is_split_into_sentences_unless_it_is_asked_not_to_be(nmt: Nmt) -> None:
    line = "rot Hund. Haus klein! Katze?"
    ways = {split: nmt("translate", "runs/toy", "--text", line, "--split", split).out for split in ("always", "never")}
    alone = expected("rot Hund.", "Haus klein!", "Katze?").split()
    assert ways["always"].split() == alone
    assert ways["always"] == nmt("translate", "runs/toy", "--text", line).out
    assert ways["never"].decode().rstrip("\n") == package.load("runs/toy", split="never").translate(line).text
    assert ways["never"] != ways["always"]


@pytest.mark.parametrize(("several", "splits"), [(0.0, True), (0.1, True), (0.9, False), (None, True)])
def test_auto_asks_what_the_run_was_trained_on(nmt: Nmt, several: float | None, splits: bool) -> None:
    path = Path("runs/toy") / run_folder.METADATA
    metadata = json.loads(path.read_text())
    assert metadata["several_sentences"] == 0.0
    path.write_text(json.dumps(metadata | {"several_sentences": several}))
    line = "rot Hund. Haus klein!"
    found = {split: package.load("runs/toy", split=split).translate(line).text for split in ("auto", "always", "never")}
    assert found["auto"] == found["always" if splits else "never"]


def test_nothing_in_is_nothing_out(nmt: Nmt) -> None:
    assert nmt("translate", "runs/toy") == (0, b"", "")


def test_json_gives_an_object_a_line(nmt: Nmt) -> None:
    outcome = nmt("translate", "runs/toy", "--json", "--nbest", "3", stdin=b"rot Hund\n\n")
    first, blank = map(json.loads, outcome.out.splitlines())
    assert list(first) == [
        "source",
        "text",
        "score",
        "pieces",
        "source_pieces",
        "alternatives",
        "alignment",
        "warnings",
    ]
    assert (first["source"], blank["source"], blank["text"]) == ("rot Hund", "", "")
    assert 1 <= len(first["alternatives"]) <= 2
    assert first["score"] >= first["alternatives"][0]["score"]


@pytest.mark.parametrize("command", ["translate", "evaluate", "inspect"])
@pytest.mark.parametrize("beam", ["1001", "99999999999999999999"])
def test_a_beam_has_the_bounds_that_it_has_in_recipes(nmt: Nmt, command: str, beam: str) -> None:
    outcome = nmt(command, "runs/toy", "--beam", beam)
    assert outcome.status == 2
    assert "--beam" in outcome.err
    assert "1000" in outcome.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nbest", "2"], "--nbest: alternatives are given with --json only"),
        (["--json", "--nbest", "5", "--beam", "2"], "--nbest: expected"),
        (["--text", "a", "-i", "b"], "--text and --input: expected one of them"),
        (["-i", "absent"], "absent: no such file"),
        (["-i", "."], ".: expected a file, found a folder"),
        (["-o", "."], "--output: . is a folder; expected a file"),
    ],
)
def test_options_that_cannot_be_are_refused(nmt: Nmt, options: list[str], words: str) -> None:
    outcome = nmt("translate", "runs/toy", *options)
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith(f"nmt: {words}")
    assert outcome.err.count("\n") <= 3


def test_settings_of_the_search_take_the_place_of_the_recipes(nmt: Nmt) -> None:
    found = package.load("runs/toy", beam=1).translate("groß Baum rot Katze")
    options = ["--beam", "1", "--batch-tokens", "1", "--precision", "fp32"]
    assert nmt("translate", "runs/toy", *options, "--text", "groß Baum rot Katze").out == f"{found.text}\n".encode()


def test_a_model_that_has_learned_its_toy_translates_it_in_bf16_too(nmt: Nmt) -> None:
    texts = ["--text", "groß Baum rot Katze"]
    assert nmt("translate", "runs/toy", "--precision", "bf16", *texts).out == nmt("translate", "runs/toy", *texts).out


def test_the_output_file_replaces_what_was_there(nmt: Nmt) -> None:
    Path("out").write_text("old")
    assert nmt("translate", "runs/toy", "-o", "out", stdin=b"rot\n") == (0, b"", "")
    assert Path("out").read_bytes() == expected("rot")


def test_a_translation_that_breaks_off_leaves_the_old_output(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").write_text("old")
    before = sorted(os.listdir())
    monkeypatch.setattr("nmt.inference.translator.TorchTranslator._batch", lambda *_: 1 / 0)
    outcome = nmt("translate", "runs/toy", "-o", "out", stdin=b"\nrot\n")
    assert (outcome.status, outcome.out, Path("out").read_text(), sorted(os.listdir())) == (1, b"", "old", before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_and_leaves_the_old_output_and_nothing_else(nmt: Nmt, number: signal.Signals) -> None:
    Path("out").write_text("old")
    before = sorted(os.listdir())
    heard = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); from nmt.__main__ import main; main()"
    command = [sys.executable, "-c", heard, "translate", "runs/toy", "-o", "out"]  # also under nohup
    with Popen(command, stdin=PIPE) as process:
        assert process.stdin is not None
        while sorted(os.listdir()) == before:  # until the output is begun
            time.sleep(0.01)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert (Path("out").read_text(), sorted(os.listdir())) == ("old", before)


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As `nohup` does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("delay", [0.1, 0.2])
def test_ctrl_c_while_the_program_starts_is_no_traceback(delay: float) -> None:
    """Python itself needs some 0.02 s; before that, the traceback would be its own."""
    begun = "import runpy, sys; print(flush=True); sys.argv = ['nmt', '-h']; runpy.run_module('nmt', None, '__main__')"
    with Popen([sys.executable, "-c", begun], stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        error = process.communicate()[1]
    assert process.returncode in (0, 130, -signal.SIGINT)
    assert b"Traceback" not in error


def test_a_device_is_written_to_and_not_replaced(nmt: Nmt) -> None:
    os.mkfifo("pipe")
    with open(os.open("pipe", os.O_RDWR | os.O_NONBLOCK), "rb") as reader:
        assert nmt("translate", "runs/toy", "-o", "pipe", stdin=b"rot\n").status == 0
        assert reader.read1() == expected("rot")
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


def test_damaged_input_is_not_blamed_on_the_output(nmt: Nmt) -> None:
    packed = bytearray(gzip.compress(b"rot Hund\n" * 100))
    packed[-8] ^= 1  # the checksum
    Path("lines.gz").write_bytes(packed)
    outcome = nmt("translate", "runs/toy", "-i", "lines.gz", "-o", "out")
    assert (outcome.status, Path("out").exists()) == (2, False)
    assert outcome.err.startswith("nmt: lines.gz: damaged or truncated gzip file")


def test_the_run_that_finished_last_is_taken_and_named(nmt: Nmt) -> None:
    shutil.copytree("runs/toy", "runs/unfinished")
    Path("runs/unfinished", run_folder.OUTCOME).unlink()
    shutil.copytree("runs/toy", "runs/older")
    os.utime(Path("runs/older", run_folder.OUTCOME), (1, 1))
    assert nmt("translate", stdin=b"rot\n") == (0, expected("rot"), "translating with runs/toy\n")


def test_quiet_says_nothing_but_errors(nmt: Nmt) -> None:
    assert nmt("translate", "-q", stdin=LINES).err == ""
    assert nmt("translate", "-q", "runs/none").err.startswith("nmt: runs/none: no such run folder")


def test_warnings_stand_beside_a_translation_and_are_counted_on_stderr(nmt: Nmt) -> None:
    outcome = nmt("translate", "runs/toy", "--json", stdin="Ж Hund\nHund\nЖ Baum Ω\n".encode())
    assert [json.loads(line)["warnings"] for line in outcome.out.splitlines()] == [
        ["pieces unknown to training: 'Ж'"],
        [],
        ["pieces unknown to training: 'Ж', 'Ω'"],
    ]
    assert outcome.err == "pieces unknown to training: 2 lines\n"


def test_long_lines_are_counted_on_stderr(nmt: Nmt) -> None:
    outcome = nmt("translate", "runs/toy", stdin=b"rot Hund Katze Haus " * 9 + b"\n" + b"rot\n")
    assert (outcome.status, outcome.out.count(b"\n")) == (0, 2)
    assert "translated in parts: 1 line" in outcome.err.splitlines()


@pytest.mark.parametrize(
    ("damage", "words"), [("none", "has no weights yet"), ("cut", "not the weights of this run's model")]
)
def test_a_run_without_sound_weights_is_an_error_of_three_lines_at_most(nmt: Nmt, damage: str, words: str) -> None:
    path = Path("runs/toy", run_folder.WEIGHTS)
    whole = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(whole[:-100])
    outcome = nmt("translate", "runs/toy", stdin=b"rot\n")
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith(f"nmt: {path}: ")
    assert words in outcome.err
    assert outcome.err.count("\n") <= 3


def test_a_pipe_gets_answers_before_its_end_and_may_close_early(nmt: Nmt) -> None:
    """As `tail -f log | nmt translate | head -1` needs."""
    command = [sys.executable, "-c", "from nmt.cli.app import main; main()", "translate", "runs/toy"]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"rot\n")
        process.stdin.flush()
        assert process.stdout.readline() == expected("rot")
        process.stdout.close()
        process.stdin.write(b"Hund\nKatze\n")
        process.stdin.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")


TIME = "1\r\n00:00:01,000 --> 00:00:02,000\r\n"
DOCUMENTS = {
    "a.html": ("<p>rot <b>Hund</b></p><pre>nein</pre>", "<p>", "</b>", "</p><pre>nein</pre>"),
    "a.md": ("# rot *Hund*\n\n    nein\n", "# ", "*", "\n\n    nein\n"),
    "a.srt": (
        "1\r\n00:00:01,000 --> 00:00:02,000\r\nrot Hund\r\n",
        "1\r\n00:00:01,000 --> 00:00:02,000\r\n",
        "",
        "\r\n",
    ),
    "a.po": ('msgid "rot Hund"\nmsgstr ""\n', 'msgid "rot Hund"\nmsgstr "', "", '"\n'),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_translated_in_its_own_format(nmt: Nmt, name: str) -> None:
    source, head, inside, tail = DOCUMENTS[name]
    Path(name).write_bytes(source.encode())
    Path(f"{name}.gz").write_bytes(gzip.compress(source.encode()))
    found = nmt("translate", "runs/toy", "-i", name)
    text = found.out.decode()
    assert (found.status, text.startswith(head), text.endswith(tail), inside in text) == (0, True, True, True)
    bare = re.sub(r"</?b>|\*", "", text.removeprefix(head).removesuffix(tail))
    assert bare.encode() + b"\n" == expected("rot Hund")
    assert nmt("translate", "runs/toy", "-i", f"{name}.gz", "-o", f"out.{name}").status == 0
    assert Path(f"out.{name}").read_bytes() == found.out


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.docx", b"rot", ".docx is not handled"),
        ("a.pdf.gz", b"rot", ".pdf is not handled"),
        ("a.csv", b"rot", "stdin"),
        ("a", b"PK\x03\x04rot", "a zip file"),
        ("a.txt", b"rot\n\nHund\0", "a.txt:3: NUL byte"),
        ("a.txt", "rot".encode("utf-16"), "UTF-16"),
        ("a.md", b"rot\0", "a.md:1: NUL byte"),
        ("a.html", b"rot\n\xff", "a.html:2: invalid UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_with_what_is_handled(nmt: Nmt, name: str, data: bytes, said: str) -> None:
    Path(name).write_bytes(data)
    found = nmt("translate", "runs/toy", "-i", name, "-o", "out")
    assert (found.status, found.out, Path("out").exists()) == (2, b"", False)
    assert said in found.err
    assert found.err.count("\n") == 1


def test_stdin_with_a_nul_byte_is_refused(nmt: Nmt) -> None:
    found = nmt("translate", "runs/toy", stdin=b"rot\n\0\n")
    assert (found.status, found.out) == (2, b"")
    assert found.err.startswith("nmt: standard input:2: NUL byte")


def test_a_document_has_an_output_of_its_own_format(nmt: Nmt) -> None:
    Path("a.htm").write_text("<p>rot", "utf8")
    assert nmt("translate", "runs/toy", "-i", "a.htm", "-o", "b.html").status == 0
    assert "expected the ending .htm" in nmt("translate", "runs/toy", "-i", "a.htm", "-o", "b.txt").err
    assert "leave --json out" in nmt("translate", "runs/toy", "-i", "a.htm", "--json").err


def test_progress_knows_the_share_of_a_file_and_of_a_document(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch, trained: Path
) -> None:
    monkeypatch.setattr("nmt.cli.output.console._force_terminal", True)
    Path("a.txt").write_text("rot\n" * 40, "utf8")
    Path("a.md").write_text("rot\n\n" * 40, "utf8")
    for name, unit in (("a.txt", "40 lines"), ("a.md", "40 blocks")):
        shown = nmt("translate", "runs/toy", "-i", name).err
        assert unit in shown
        assert "100%" in shown
        assert "/s" in shown
