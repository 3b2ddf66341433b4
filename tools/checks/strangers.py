"""Hostile run folders and bundles: no code runs, nothing outside is read, memory stays small, and a line says why."""

from __future__ import annotations

import json
import multiprocessing.util
import os
import pickle
import resource
import shutil
import stat
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nmt
from nmt.runs import files
from tools.checks import process, toy
from tools.checks.check import Trial

MOST_MEBIBYTES = 1024.0
SECRET, CANARY, WATCHED = "secret/secret.txt", "canary", "watched.json"
RUN, BUNDLE = "stranger", "stranger.nmt"

Harm = Callable[[Path], None]
"""Changes a valid run folder into a hostile one."""


class Payload:
    """An object that runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {CANARY}",)


def put(name: str, data: bytes) -> Harm:
    """Replaces the content of a file."""
    return lambda run: _write(run / name, data)


def edit(**changed: Any) -> Harm:
    """Changes the metadata."""
    return lambda run: _write(
        run / files.METADATA, json.dumps(json.loads((run / files.METADATA).read_bytes()) | changed).encode()
    )


def recipe(before: str, after: str) -> Harm:
    """Changes the recipe."""

    def harm(run: Path) -> None:
        text = (run / files.RECIPE).read_text()
        assert before in text, before
        _write(run / files.RECIPE, text.replace(before, after, 1).encode())

    return harm


def tensors(header: object, data: bytes = b"", length: int | None = None) -> Harm:
    """Replaces the weights by a hand-made header and data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return put(files.WEIGHTS, struct.pack("<Q", len(text) if length is None else length) + text + data)


def link(name: str, to: str) -> Harm:
    """Replaces a file by a link."""

    def harm(run: Path) -> None:
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(to)

    return harm


def without(name: str) -> Harm:
    """Removes a file."""
    return lambda run: (run / name).unlink()


def pipe(name: str) -> Harm:
    """Replaces a file by a pipe that nobody writes to."""

    def harm(run: Path) -> None:
        (run / name).unlink()
        os.mkfifo(run / name)

    return harm


def sparse(name: str, size: int) -> Harm:
    """Makes a file a sparse one of any size."""

    def harm(run: Path) -> None:
        (run / name).touch()
        os.truncate(run / name, size)

    return harm


def _write(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)
    path.write_bytes(data)


F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
LENGTHS = {"median": 1, "p95": 1, "longest": 1, "tokens": 1}
FOLDERS: dict[str, Harm] = {
    "a pickle as weights": put(files.WEIGHTS, pickle.dumps(Payload())),
    "a pickle as vocabulary": put(files.JOINT, pickle.dumps(Payload())),
    "a pickle as metadata": put(files.METADATA, pickle.dumps(Payload())),
    "a pickle as recipe": put(files.RECIPE, pickle.dumps(Payload())),
    "a tag that runs a command": put(files.RECIPE, f"!!python/object/apply:os.system ['touch {CANARY}']".encode()),
    "aliases that explode": put(
        files.RECIPE,
        b"a: &a [x, x]\n" + b"".join(b"%c: &%c [*%c, *%c]\n" % (i + 1, i + 1, i, i) for i in range(97, 120)),
    ),
    "weights with a header of 10 GB": tensors({}, length=10 << 30),
    "weights with a header of -1": put(files.WEIGHTS, b"\xff" * 8 + b"{}"),
    "weights whose header is cut short": tensors(b'{"a":', length=5),
    "weights nested 100,000 deep": tensors(b"[" * 100_000),
    "weights that overlap": tensors({"a": F32, "b": F32}, b"\0" * 4),
    "weights beyond the end": tensors({"a": {**F32, "data_offsets": [0, 1 << 40], "shape": [1 << 38]}}, b"\0" * 4),
    "weights whose shape overflows": tensors({"a": {**F32, "shape": [1 << 62, 1 << 62]}}, b"\0" * 4),
    "weights of another model": tensors({"a": F32}, b"\0" * 4),
    "no weights": without(files.WEIGHTS),
    "no vocabulary": without(files.JOINT),
    "no recipe": without(files.RECIPE),
    "no metadata": without(files.METADATA),
    "an empty vocabulary": put(files.JOINT, b""),
    "a vocabulary of noise": put(files.JOINT, bytes(range(256)) * 40),
    "metadata nested 100,000 deep": put(files.METADATA, b"[" * 100_000),
    "metadata with a number of 10,000 digits": put(files.METADATA, b'{"format": ' + b"9" * 10_000 + b"}"),
    "metadata that are a list": put(files.METADATA, b"[]"),
    "lengths that are text": edit(lengths={"source": "x", "target": "y"}),
    "no lengths": edit(lengths=None),
    "a longest sentence of 10^15 pieces": edit(lengths={"source": {**LENGTHS, "longest": 10**15}, "target": LENGTHS}),
    "no training pieces at all": edit(lengths={"source": {**LENGTHS, "tokens": 0}, "target": LENGTHS}),
    "unseen pieces up to 10^12": edit(unseen_tokens="4-1000000000000"),
    "a model of 10^12 units": recipe("feed_forward: 32", "feed_forward: 1000000000000"),
    "a model of 10^5 units": recipe("width: 16", "width: 100000000"),
    "a model of 10^9 layers": recipe("layers: 1", "layers: 1000000000"),
    "a beam of 10^9": recipe("search:\n  beam: 1", "search:\n  beam: 1000000000"),
    "translations of 10^12 pieces": recipe("max_extra: 0", "max_extra: 1000000000000"),
    "a recipe of 900 kB in one line": put(files.RECIPE, b"a: " + b"x" * 900_000),
    "weights that lead out": link(files.WEIGHTS, f"../{SECRET}"),
    "a vocabulary that leads out": link(files.JOINT, f"../{SECRET}"),
    "a recipe that leads out": link(files.RECIPE, f"../{SECRET}"),
    "metadata that lead out": link(files.METADATA, f"../{SECRET}"),
    "scores that lead out": link(files.SCORES, f"../{SECRET}"),
    "an outcome that leads out": link(files.OUTCOME, f"../{SECRET}"),
    "weights that lead to a device without end": link(files.WEIGHTS, "/dev/zero"),
    "a vocabulary that is a pipe": pipe(files.JOINT),
    "metadata that are a pipe": pipe(files.METADATA),
    "a link to itself": link(files.JOINT, files.JOINT),
    "metadata of 20 GB": sparse(files.METADATA, 20 << 30),
    "a vocabulary of 20 GB": sparse(files.JOINT, 20 << 30),
    "a recipe of 20 GB": sparse(files.RECIPE, 20 << 30),
    "scores of 20 GB": sparse(files.SCORES, 20 << 30),
    "scores that are none": put(files.SCORES, b'{"test": 1, "scores": {"bleu": null}}\n'),
    "scores that paint the terminal": put(files.SCORES, b'{"test": "\\u001b[2J"}\n'),
}
"""Files that `nmt info` does not read may not harm it: it then succeeds."""


def packed(**changed: bytes | None) -> Callable[[Path], None]:
    """Makes a bundle with changed files and a matching manifest."""

    def make(run: Path) -> None:
        held = {name: (run / name).read_bytes() for name in files.MAX_BYTES if (run / name).is_file()}
        named = {name.replace("_", "."): data for name, data in changed.items()}
        files.write_bundle(
            run.with_name(BUNDLE), {name: data for name, data in {**held, **named}.items() if data is not None}
        )

    return make


def zipped(
    name: str, data: bytes, method: int = zipfile.ZIP_STORED, mode: int = stat.S_IFREG | 0o644, times: int = 1
) -> Callable[[Path], None]:
    """Makes a valid bundle with additional members that its manifest does not name."""

    def make(run: Path) -> None:
        packed()(run)
        with zipfile.ZipFile(run.with_name(BUNDLE), "a") as archive:
            for number in range(times):
                member = zipfile.ZipInfo(name.format(number))
                member.external_attr, member.compress_type = mode << 16, method
                archive.writestr(member, data)

    return make


def bent(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Makes a valid bundle and changes its bytes."""

    def make(run: Path) -> None:
        packed()(run)
        path = run.with_name(BUNDLE)
        path.write_bytes(change(path.read_bytes()))

    return make


BUNDLES: dict[str, Callable[[Path], None]] = {
    "a bundle with a name that leads out": zipped(f"../{CANARY}", b""),
    "a bundle with an absolute name": zipped("/etc/nmt", b""),
    "a bundle with code": zipped("nmt.py", b"open('canary', 'w')"),
    "a bundle with a bomb": zipped(files.TARGET, bytes(200 << 20), zipfile.ZIP_DEFLATED),
    "a bundle with a link": zipped(files.TARGET, SECRET.encode(), mode=stat.S_IFLNK | 0o777),
    "a bundle with 100,000 members": zipped("{}", b"", times=20_000),
    "a bundle with a part that no manifest names": zipped(files.TARGET, b"x"),
    "a bundle without weights": packed(model_safetensors=None),
    "a bundle with a pickle as weights": packed(model_safetensors=pickle.dumps(Payload())),
    "a bundle without metadata": packed(run_json=None),
    "a bundle whose metadata are a list": packed(run_json=b"[]"),
    "a bundle that is cut short": bent(lambda data: data[: len(data) // 2]),
    "a bundle with a bit turned in its weights": bent(lambda data: data.replace(b"\x3d", b"\x3e", 50)),
    "a bundle behind something else": bent(lambda data: b"#!/bin/sh\n" + data),
    "a bundle of nothing": bent(lambda data: b""),
    "a bundle that says it is of 10^9 members": bent(lambda data: data[:-14] + b"\xff" * 14),
}


def trials(count: int) -> Iterator[Trial]:
    """`nmt info`, `translate` and `evaluate` on each, in processes that record what they open."""
    with tempfile.TemporaryDirectory(prefix="nmt-strangers-") as name:
        folder = _prepared(Path(name))
        ways = [(words, harm, RUN) for words, harm in FOLDERS.items()] + [
            (words, harm, BUNDLE) for words, harm in BUNDLES.items()
        ]
        for words, harm, path in ways[:count]:
            yield _trial(folder, words, harm, path)


def _prepared(corpus: Path) -> Path:
    """A folder with a valid run, a test set and a secret file."""
    toy.write_corpus(corpus)
    sound = toy.Toy(corpus, "transformer", "fp32")
    assert sound.train() == 0, sound.stderr_lines
    (sound.folder / SECRET).parent.mkdir()
    (sound.folder / SECRET).write_text("nobody's business")
    for side in ("de", "en"):
        (sound.folder / f"t.{side}").write_text("ein Hund\nzwei Hunde\n")
    assert nmt.load(sound.run).translate("ein Hund").source, "the valid run translates"
    return sound.folder


def _trial(folder: Path, words: str, harm: Harm, path: str) -> Trial:
    shutil.rmtree(folder / RUN, ignore_errors=True)
    shutil.copytree(folder / "run", folder / RUN)
    for left in (folder / BUNDLE, *folder.rglob(CANARY)):
        left.unlink(missing_ok=True)
    harm(folder / RUN)
    mebibytes, refused = 0.0, False
    for command in (
        ("info", path),
        ("translate", path, "--text", "ein Hund"),
        ("evaluate", path, "--test", "t=t.de,t.en", "-q"),
    ):
        status = process.finish(folder, *command, prelude=partial(_watch, folder))
        stderr = process.stderr_lines(folder)
        watched = json.loads((folder / WATCHED).read_text())
        mebibytes, refused = max(mebibytes, watched["mebibytes"]), refused or status == 2
        if fault := _fault(folder, status, stderr, watched):
            return Trial(words, f"nmt {command[0]}: {fault}")
    return Trial(words, None if refused else "no command refused it", {"MiB": mebibytes})


def _fault(folder: Path, status: int, stderr: list[str], watched: dict[str, Any]) -> str | None:
    if list(folder.rglob(CANARY)):
        return "code was run"
    if watched["opened"]:
        return f"read outside: {watched['opened']}"
    if status not in (0, 2) or any("Traceback" in line or "fault in nmt" in line for line in stderr):
        return f"exit {status}: {' / '.join(stderr[-3:])[:300]}"
    if (
        status == 2
        and not 1
        <= len([line for line in stderr if files.RECIPE not in line]) + any(files.RECIPE in line for line in stderr)
        <= 3
    ):
        return f"{len(stderr)} lines: {' / '.join(stderr)[:300]}"
    if not all(line.isprintable() for line in stderr):
        return "control characters on the terminal"
    return f"{watched['mebibytes']:.0f} MiB" if watched["mebibytes"] > MOST_MEBIBYTES else None


def _watch(folder: Path) -> None:
    """A prelude that records which files of the secret folder are opened, which commands run, and the peak memory."""
    opened: list[str] = []
    secret = str((folder / SECRET).parent)

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event in ("os.system", "subprocess.Popen", "os.exec") or (event == "open" and _within(arguments[0], secret)):
            opened.append(f"{event} {arguments[0]!r}"[:200])

    def note() -> None:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        (folder / WATCHED).write_text(json.dumps({"opened": opened, "mebibytes": largest}))

    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.addaudithook(hear)
    multiprocessing.util.Finalize(None, note, exitpriority=1)


def _within(path: object, folder: str) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and os.path.realpath(os.fsdecode(path)).startswith(f"{folder}/")
