"""A full disk and a read-only folder while checkpoints, outputs and reports are saved: the error names the path, and
old files stay intact.

The disk is a small tmpfs. Mounting it usually takes root; without, the check is skipped.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.checks import process
from tools.checks.check import SkippedError, Trial
from tools.checks.kills import unreadable
from tools.checks.moments import Range, in_update
from tools.checks.toy import UPDATES, Toy, toys

SIZE = 4 << 20
"""Bytes of the disk: several times what a tiny run needs."""
PAGE = 4096
"""Bytes written at a time to fill the disk."""
DISK = "disk"

Case = Callable[[Toy, random.Random, Range], Trial]


def trials(count: int) -> Iterator[Trial]:
    """All cases in turn, with all families in turn; exports are of Transformers, the last family."""
    if not _mountable():
        raise SkippedError("a small disk cannot be mounted here; that takes root")
    needed = Range(SIZE / 4)
    with toys(("fp32",)) as models:
        for number in range(count):
            case = CASES[number % len(CASES)]
            with _disk(models[-1] if case in EXPORTS else models[number % len(models)]) as toy:
                yield case(toy, random.Random(f"full {number}"), needed)


def _mountable() -> bool:
    """Whether this process may mount a tmpfs."""
    with tempfile.TemporaryDirectory() as place:
        try:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            return False
        subprocess.run(["umount", place], check=True)
        return True


@contextmanager
def _disk(toy: Toy) -> Iterator[Toy]:
    """The tiny model with its run folder on a disk of its own."""
    disk = toy.folder / DISK
    disk.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk))
    toy.run = disk / "run"
    try:
        yield toy
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


def _remount(toy: Toy, option: str) -> None:
    _mount("-o", f"remount,{option}", str(toy.folder / DISK))


def _fill(toy: Toy, left: int) -> None:
    """Fills the disk up to ``left`` bytes."""
    with suppress(OSError), (toy.folder / DISK / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(PAGE)):
            pass
    os.truncate(toy.folder / DISK / "filler", (toy.folder / DISK / "filler").stat().st_size - left)


def checkpoint_on_a_full_disk(toy: Toy, rng: random.Random, needed: Range) -> Trial:
    """Trains with less space than training needs."""
    while True:
        left = PAGE * int(needed.draw(rng) / PAGE)
        _fill(toy, left)
        if status := toy.train():
            break
        needed.missed(left)
        subprocess.run(["rm", "-r", str(toy.run), str(toy.folder / DISK / "filler")], check=True)
    fault = _unclear(toy, status) or unreadable(toy.run)
    (toy.folder / DISK / "filler").unlink()
    return Trial(f"{toy.name}: training with {left:,} bytes left: {toy.stderr_lines[-1]}", fault or toy.continued())


def checkpoint_in_a_read_only_folder(toy: Toy, rng: random.Random, needed: Range) -> Trial:
    """Trains, is stopped in an update by a signal, and continues with a read-only folder."""
    update = rng.randrange(1, UPDATES)
    command = toy.start(prelude=in_update(update, signal.SIGSTOP))
    assert command.pid is not None
    _wait_until_stopped(command.pid)
    _remount(toy, "ro")
    before = _contents(toy)
    os.kill(command.pid, signal.SIGCONT)
    fault = _unclear(toy, process.wait(command)) or unreadable(toy.run) or _changed(toy, before)
    _remount(toy, "rw")
    return Trial(f"{toy.name}: read-only from update {update}: {toy.stderr_lines[-1]}", fault or toy.continued())


def _wait_until_stopped(pid: int) -> None:
    while "State:\tT" not in Path(f"/proc/{pid}/status").read_text():
        os.sched_yield()


def output(toy: Toy) -> tuple[str, ...]:
    """Translates into an existing file."""
    (toy.folder / DISK / "out.txt").write_text("what was there before\n")
    (toy.folder / "in.txt").write_text("Der Hund schläft.\n" * 300)
    return ("translate", str(toy.run), "-i", "in.txt", "-o", f"{DISK}/out.txt", "--json")


def scores(toy: Toy) -> tuple[str, ...]:
    """Evaluates a second time; outputs and a line of the evaluation log go into the run folder."""
    command = ("evaluate", str(toy.run))
    assert process.finish(toy.folder, *command, "--beam", "1") == 0
    return (*command, "--beam", "2")


def page(toy: Toy) -> tuple[str, ...]:
    """Writes an HTML page."""
    (toy.folder / DISK / "page.html").write_text("what was there before\n")
    return ("inspect", str(toy.run), "Der Hund schläft.", "--kind", "occlusion", "--out", f"{DISK}/page.html")


def export(toy: Toy) -> tuple[str, ...]:
    """Exports a Transformer a second time."""
    command = ("export", str(toy.run), "--to", "ctranslate2")
    assert process.finish(toy.folder, *command) == 0
    return (*command, "--quantization", "int8", "--allowed-loss", "100")


def written(prepare: Callable[[Toy], tuple[str, ...]], left: int | None) -> Case:
    """A case in which a command that writes something has only ``left`` bytes; None makes the folder read-only."""

    def case(toy: Toy, rng: random.Random, needed: Range) -> Trial:
        assert toy.train() == 0
        command = prepare(toy)
        if left is None:
            _remount(toy, "ro")
        else:
            _fill(toy, left)
        before = _contents(toy)
        fault = _unclear(toy, process.finish(toy.folder, *command)) or _changed(toy, before)
        if left is None:
            _remount(toy, "rw")
        return Trial(
            f"{toy.name}: {command[0]} {'read-only' if left is None else f'with {left} bytes left'}: "
            f"{toy.stderr_lines[-1]}",
            fault,
        )

    return case


EXPORTS = (written(export, PAGE), written(export, None))
CASES: tuple[Case, ...] = (
    checkpoint_on_a_full_disk,
    checkpoint_in_a_read_only_folder,
    written(output, PAGE),
    written(output, None),
    written(scores, 0),
    written(scores, None),
    written(page, PAGE),
    written(page, None),
    checkpoint_on_a_full_disk,
    checkpoint_in_a_read_only_folder,
    *EXPORTS,
)


def _unclear(toy: Toy, status: int) -> str | None:
    """What is wrong with a failed write: the command must fail and name the path in at most three lines."""
    end = next((number for number, line in enumerate(toy.stderr_lines) if line.startswith("nmt: ")), None)
    if status not in (1, 2) or end is None:
        return f"exit {status}: {' / '.join(toy.stderr_lines[-3:])}"
    message = toy.stderr_lines[end:]
    named = any(f"{DISK}/" in line for line in message) and len(message) <= 3
    return None if named else f"not clear: {' / '.join(message)}"


def _contents(toy: Toy) -> dict[str, bytes]:
    disk = toy.folder / DISK
    return {str(path.relative_to(disk)): path.read_bytes() for path in disk.rglob("*") if path.is_file()}


def _changed(toy: Toy, before: dict[str, bytes]) -> str | None:
    after = _contents(toy)
    odd = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return f"changed: {', '.join(odd)}" if odd else None
