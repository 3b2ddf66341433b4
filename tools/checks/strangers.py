"""Hostile run folders, bundles and exports: no code runs, nothing outside is read or written, memory stays small, no
control character reaches the terminal, and a line says why."""

from __future__ import annotations

import json
import multiprocessing.util
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import nmt
from nmt.printable import without_controls
from nmt.runs import files
from tools.checks import process, toy
from tools.checks.check import SkippedError, Trial
from tools.checks.harms import BUNDLE, BUNDLES, CANARY, EXPORTS, FOLDERS, NAMES, ODD, SECRET, SECRET_EXPORT, WIDE, Harm

MOST_MEBIBYTES = 1024.0
RUN, STDOUT, WATCHED, STATE, LONG = "stranger", "stdout.txt", "watched.json", "state", "long.txt"
WORDS = 7_500
"""Words of a line to translate, more than memory holds for attention of every token to every other."""
COMMANDS = (
    ("info",),
    ("translate", "--text", "ein Hund"),
    ("evaluate", "--test", "t=t.de,t.en", "-q"),
)
MORE = (
    ("inspect", "ein Hund"),
    ("translate", "--json", "--text", "ein Hund"),
    ("info", "--json"),
    ("translate", "-i", LONG, "-q"),
)
"""Commands on what is odd and yet read."""
ASKED = ("translate", "--engine", "ctranslate2", "--text", "ein Hund")


class Case(NamedTuple):
    """A hostile file or folder, and the commands that are tried on it."""

    words: str
    harm: Harm
    path: str
    commands: tuple[tuple[str, ...], ...]
    refused: bool = True
    """Whether a command has to refuse it."""


def cases() -> Iterator[Case]:
    """All that is tried, kinds in turn where there are many."""
    yield from (Case(words, harm, RUN, COMMANDS) for words, harm in FOLDERS.items())
    yield from (Case(words, harm, BUNDLE, COMMANDS) for words, harm in BUNDLES.items())
    yield from (Case(words, harm, RUN, COMMANDS + MORE, refused=False) for words, harm in ODD.items())
    yield from (Case(words, harm, RUN, COMMANDS, refused=False) for words, harm in WIDE.items())
    yield from (Case(words, harm, RUN, (COMMANDS[1], ASKED)) for words, harm in EXPORTS.items())
    yield from (Case(f"a run called {name[:10]!r}", lambda run: None, name, COMMANDS) for name in NAMES)


def trials(count: int) -> Iterator[Trial]:
    """Commands on each case, in processes that record what they open."""
    with tempfile.TemporaryDirectory(prefix="nmt-strangers-") as name:
        folder = _prepared(Path(name))
        for case in [*cases()][:count]:
            yield _trial(folder, case)


def _prepared(corpus: Path) -> Path:
    """A folder with a valid run and its export, a test set, a long line and a secret file."""
    toy.write_corpus(corpus)
    sound = toy.Toy(corpus, "transformer", "fp32")
    assert sound.train() == 0, sound.stderr_lines
    (sound.folder / SECRET).parent.mkdir()
    (sound.folder / SECRET).write_text("nobody's business")
    for side in ("de", "en"):
        (sound.folder / f"t.{side}").write_text("ein Hund\nzwei Hunde\n")
    (sound.folder / LONG).write_text("ein Hund läuft " * (WORDS // 3))
    assert nmt.load(sound.run).translate("ein Hund").source, "the valid run translates"
    _export(sound.folder)
    shutil.copytree(sound.run / files.EXPORT, sound.folder / SECRET_EXPORT)
    return sound.folder


def _export(folder: Path) -> None:
    """Makes the export of the valid run, which this user's list then has; random weights do not have to agree."""
    words = ("export", "run", "--to", "ctranslate2", "--allowed-loss", "100", "--test", "t=t.de,t.en")
    status = process.finish(folder, *words, prelude=partial(_watch, folder))
    if status and any("pip install" in line for line in process.stderr_lines(folder)):
        raise SkippedError("exports need CTranslate2: pip install 'nmt-recipes[ct2]'")
    assert status == 0, process.stderr_lines(folder)


def _trial(folder: Path, case: Case) -> Trial:
    shutil.rmtree(folder / RUN, ignore_errors=True)
    shutil.copytree(folder / "run", folder / RUN)
    for left in (folder / BUNDLE, *folder.rglob(CANARY)):
        left.unlink(missing_ok=True)
    case.harm(folder / RUN)
    mebibytes, refused = 0.0, False
    for command, *arguments in case.commands:
        try:
            status = process.finish(folder, command, case.path, *arguments, prelude=partial(_watch, folder))
        except TimeoutError as error:
            return Trial(case.words, f"nmt {command}: {error}", {"MiB": mebibytes})
        stderr = process.stderr_lines(folder)
        watched = json.loads((folder / WATCHED).read_text())
        mebibytes, refused = max(mebibytes, watched["mebibytes"]), refused or status == 2
        fault = _fault(folder, status, stderr, watched) or _unexpected(case, (command, *arguments), status, stderr)
        if fault:
            return Trial(case.words, f"nmt {command} {' '.join(arguments)}: {fault}", {"MiB": mebibytes})
    fault = "no command refused it" if case.refused and not refused else None
    return Trial(case.words, fault, {"MiB": mebibytes})


def _unexpected(case: Case, command: tuple[str, ...], status: int, stderr: list[str]) -> str | None:
    if not case.refused and status:
        return f"exit {status}: {' / '.join(stderr[-3:])[:300]}"
    if case.words in EXPORTS and command != ASKED:
        said = [line for line in stderr if line.startswith("translating with torch: ")]
        return None if status == 0 and len(said) == 1 else f"exit {status}, {len(said)} lines say that torch is taken"
    return None


def _fault(folder: Path, status: int, stderr: list[str], watched: dict[str, Any]) -> str | None:
    if list(folder.rglob(CANARY)):
        return "code was run"
    if watched["opened"]:
        return f"read outside: {watched['opened']}"
    if {path.name for path in (folder / SECRET).parent.iterdir()} != {Path(SECRET).name, Path(SECRET_EXPORT).name}:
        return "written outside"
    if status not in (0, 2) or any("Traceback" in line or "fault in nmt" in line for line in stderr):
        return f"exit {status}: {' / '.join(stderr[-3:])[:300]}"
    if (
        status == 2
        and not 1
        <= len([line for line in stderr if files.RECIPE not in line]) + any(files.RECIPE in line for line in stderr)
        <= 3
    ):
        return f"{len(stderr)} lines: {' / '.join(stderr)[:300]}"
    shown = (folder / STDOUT).read_text("utf8") + "".join(stderr)
    if without_controls(shown) != shown:
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

    os.environ["XDG_STATE_HOME"] = str(folder / STATE)
    os.dup2(os.open(folder / STDOUT, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    sys.addaudithook(hear)
    multiprocessing.util.Finalize(None, note, exitpriority=1)


def _within(path: object, folder: str) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and os.path.realpath(os.fsdecode(path)).startswith(f"{folder}/")
