"""Corpus files that do not belong together stop training and evaluating before any work, with counts or a line."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.checks import toy
from tools.checks.check import Trial
from tools.checks.command import nmt, within

LINES = 40
WRITTEN = re.compile(
    r"has \d[\d,]* lines|have no lines|:\d+: |\d+ source|no such file|gzip|Parquet|UTF-8|no column|sentence pairs"
    r"|expected a file"
)
"""What an error must contain: both counts, a line number, or the file and what is wrong with it."""

Case = Callable[[], tuple[str, str]]
"""Writes files, and returns their names for training and for evaluating."""


def text(source: bytes, target: bytes) -> tuple[str, str]:
    """Two text files, for either command."""
    Path("a.de").write_bytes(source)
    Path("a.en").write_bytes(target)
    return "a.de,a.en", "t=a.de,a.en"


def lines(word: str, count: int = LINES) -> bytes:
    """Sentences, all different."""
    return "".join(f"{word} {number}\n" for number in range(count)).encode()


def gzip_truncated() -> tuple[str, str]:
    """A truncated gzip file."""
    text(b"", lines("dog"))
    Path("a.de.gz").write_bytes(gzip.compress(lines("Hund"))[:-9])
    return "a.de.gz,a.en", "t=a.de.gz,a.en"


def gzip_wrong_name() -> tuple[str, str]:
    """A name that ends in .gz, and a file that is not compressed."""
    text(b"", lines("dog"))
    Path("a.de.gz").write_bytes(lines("Hund"))
    return "a.de.gz,a.en", "t=a.de.gz,a.en"


def gzip_damaged() -> tuple[str, str]:
    """A gzip file with a wrong checksum."""
    text(b"", lines("dog"))
    data = bytearray(gzip.compress(lines("Hund")))
    data[-8] ^= 1
    Path("a.de.gz").write_bytes(data)
    return "a.de.gz,a.en", "t=a.de.gz,a.en"


def missing() -> tuple[str, str]:
    """A target file that does not exist."""
    text(lines("Hund"), b"")
    Path("a.en").unlink()
    return "a.de,a.en", "t=a.de,a.en"


def folder() -> tuple[str, str]:
    """A folder instead of the target file."""
    missing()
    Path("a.en").mkdir()
    return "a.de,a.en", "t=a.de,a.en"


def table(name: str, data: bytes) -> tuple[str, str]:
    """A file of pairs for training; for evaluating, one side of a pair with another line count."""
    Path(name).write_bytes(data)
    Path("a.en").write_bytes(lines("dog", LINES + 1))
    return name, f"t={name},a.en"


ROWS = lines("Hund").replace(b"\n", b"\tdog\n")
RECORDS = "".join(f'{{"de": "Hund {number}", "en": "dog {number}"}}\n' for number in range(LINES)).encode()
CASES: dict[str, Case] = {
    "one line fewer in the target": lambda: text(lines("Hund"), lines("dog", LINES - 1)),
    "one line more in the target": lambda: text(lines("Hund"), lines("dog", LINES + 1)),
    "one line fewer in the source": lambda: text(lines("Hund", LINES - 1), lines("dog")),
    "an empty target": lambda: text(lines("Hund"), b""),
    "an empty source": lambda: text(b"", lines("dog")),
    "both empty": lambda: text(b"", b""),
    "a line that a carriage return breaks for others": lambda: text(
        lines("Hund").replace(b"\n", b"\r", 1), lines("dog")
    ),
    "a blank line lost in the middle": lambda: text(lines("Hund").replace(b" 7\n", b" 7\n\n"), lines("dog")),
    "a target in UTF-16": lambda: text(lines("Hund"), lines("dog").decode().encode("utf-16")),
    "a target in Latin-1": lambda: text(lines("Hund"), lines("größer").decode().encode("latin-1")),
    "a zero byte": lambda: text(lines("Hund"), lines("dog").replace(b"dog 9", b"dog\x009")),
    "a packed file cut short": gzip_truncated,
    "a name of a packed file": gzip_wrong_name,
    "a packed file with another checksum": gzip_damaged,
    "a missing target": missing,
    "a folder as target": folder,
    "a table with a column too few": lambda: table("a.tsv", ROWS.replace(b"\tdog", b"", 1)),
    "a table with a column too many": lambda: table("a.tsv", ROWS.replace(b"\tdog", b"\tdog\tcat", 1)),
    "a record without the target": lambda: table("a.jsonl", RECORDS.replace(b'"en"', b'"fr"', 1)),
    "a record with a number that Python cannot read": lambda: table(
        "a.jsonl", RECORDS.replace(b"}", b', "id": ' + b"9" * 5000 + b"}", 1)
    ),
    "a record that is cut short": lambda: table("a.jsonl", RECORDS[:-9]),
}


def trials(count: int) -> Iterator[Trial]:
    """Each case, as training, validation and test data, and to evaluate."""
    with tempfile.TemporaryDirectory(prefix="nmt-mismatched-") as name:
        toy.write_corpus(Path(name))
        sound = toy.Toy(Path(name), "attention", "fp32")
        assert sound.train() == 0, sound.stderr_lines
        yield from _trials(sound.folder, count)


def _trials(folder: Path, count: int) -> Iterator[Trial]:
    with within(folder):
        for words, case in list(CASES.items())[:count]:
            for path in Path().glob("a.*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            training, evaluating = case()
            yield Trial(words, _fault(training, evaluating))


def _fault(training: str, evaluating: str) -> str | None:
    before = Path("run/scores.jsonl").exists()
    commands = [
        ["train", "toy.yaml", f"data.{split}={training}", "--run", "new"] for split in ("train", "valid", "test")
    ]
    for command in [*commands, ["evaluate", "run", "--test", evaluating]]:
        outcome = nmt(*command)
        told = [line for line in outcome.err.splitlines() if line.startswith("nmt: ")]
        if outcome.status != 2 or len(told) != 1 or "Traceback" in outcome.err:
            return f"{' '.join(command)}: exit {outcome.status}: {outcome.err[-200:]}"
        if not WRITTEN.search(outcome.err):
            return f"{' '.join(command)}: named neither counts nor a line: {outcome.err[-200:]}"
        if (
            Path("new").exists()
            or Path("run/scores.jsonl").exists() != before
            or "translating" in outcome.err
            or "update" in outcome.err
        ):
            return f"{' '.join(command)}: work was done"
    return None
