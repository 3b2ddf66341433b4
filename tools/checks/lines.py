"""Files with lines of every kind are translated by the command: one line out for each line in, each the translation of
its own line.

Files with a NUL byte are refused. A model that copies its source replaces a trained one, so that every output line is
known and a shift by one is detected. One file in a hundred is translated by a trained model in a child process, where
lines are counted and blank ones compared.
"""

from __future__ import annotations

import gzip
import os
import random
import string
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import torch
from torch import Tensor

from nmt import printable
from nmt.data.vocabulary import Vocabulary, normalized, train
from nmt.inference import open as opening
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.translator import TorchTranslator
from nmt.models.protocol import Step, repeat
from nmt.search import SearchSettings
from tools.checks import process, toy
from tools.checks.check import Trial
from tools.checks.command import nmt, within

LONG = 100_000
"""Characters of the longest lines."""
EVERY = 100
"""One file in so many is translated in a child process, from number 99 on."""
LONG_EVERY = 1000
"""One file in so many has a line of the greatest length, from number 0 on."""
KINDS: tuple[bytes, ...] = (
    *(b"", b" ", b"\t \t", b"\r", "\u00a0\u3000".encode(), "\u2028".encode(), b"\x0b\x0c\x1c\x1d\x1e", "\x85".encode()),
    *(
        b"ein Hund",
        b"Ja.",
        b"... --- ...",
        b"12:30 Uhr, 3.000 EUR",
        b"  zwei  Worte  ",
        b"a\rb",
        b"a\x0bb\x0cc\x1cd",
        "a\u2028b\u2029c\x85d".encode(),
    ),
    *(
        b"\0",
        b"a\0b",
        "\ufeff".encode(),
        "a\ufeffb".encode(),
        "\u200b\u200d".encode(),
        "a\u200db".encode(),
        b"</s>",
        b"<unk> <s> <pad>",
        b"<0x0A>",
    ),
    *(
        b"\xff\xfe",
        b"a\xffb",
        b"\xc3",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xc0\xaf",
        "größer".encode("latin-1"),
    ),
    *(
        "👩‍👩‍👧‍👦 🇩🇪".encode(),
        "שלום עולם".encode(),
        "مرحبا".encode(),
        "你好。世界".encode(),
        "e\u0301 n\u0303".encode(),
        "\u202eabc\u202c".encode(),
    ),
    *(b"\x1b[2J\x07", b"\\n", b"%s %d {0}", b'"; rm -rf', b"x" * 50, b"wort " * 9),
)


class CopierMemory(NamedTuple):
    """The memory of the copying model."""

    source: Tensor
    lengths: Tensor


class Copier:
    """Copies the source, token by token."""

    def encode(self, source: Tensor, mask: Tensor) -> CopierMemory:
        """The source itself."""
        return CopierMemory(source, mask.sum(1))

    def initial_state(self, memory: CopierMemory) -> Tensor:
        """The position of the next token."""
        return torch.zeros_like(memory.lengths)

    def step(self, previous: Tensor, state: Any, memory: CopierMemory) -> Step:
        """Predicts the token at that position; the last one is the end."""
        memory = repeat(memory, len(previous) // len(memory.lengths))
        slot = state.minimum(memory.lengths - 1)
        wanted = memory.source.gather(1, slot[:, None])
        logits = torch.zeros(len(previous), len(vocabulary())).scatter(1, wanted, 30.0)
        return Step(logits, state + 1, torch.zeros(memory.source.shape).scatter(1, slot[:, None], 1.0))


@cache
def vocabulary() -> Vocabulary:
    """Letters, and bytes for everything else."""
    return Vocabulary(train([" ".join(string.ascii_letters)], type="unigram", size=313))


@cache
def copier(beam: int) -> TorchTranslator:
    """The translator that copies."""
    search = SearchSettings(beam=beam, max_ratio=1.0, max_extra=1, keep_weights=True)
    return TorchTranslator(Copier(), vocabulary(), vocabulary(), search, TrainingStatistics(200))


class File(NamedTuple):
    """The bytes of a file, and its lines as they must be read."""

    data: bytes
    lines: list[str]


def generated(rng: random.Random, long: bool) -> File:
    """A file of a few lines, with or without a final line end, byte order mark and CRLF."""
    lines = [_line(rng) for _ in range(rng.choice([0, 1, 1, 2, 3, 4, 6]))]
    if long:
        lines.insert(
            rng.randint(0, len(lines)),
            rng.choice([b"x" * LONG, b"ein Wort. " * (LONG // 10), b"\xff" * (LONG // 10)]),
        )
    ends = rng.choice([[b"\n"], [b"\r\n"], [b"\n", b"\r\n"]])
    data = b"".join(line + rng.choice(ends) for line in lines)
    if lines and rng.random() < 0.3:
        data = data[: -1 - data.endswith(b"\r\n")]
    # The rule of `wc -l`, written independently of the reader. A byte order mark alone is an empty file.
    marked = b"\xef\xbb\xbf" if rng.random() < 0.1 else b""
    body = (marked + data).removeprefix(b"\xef\xbb\xbf")
    count = body.count(b"\n") + (not body.endswith(b"\n") and body != b"")
    return File(marked + data, [line.decode(errors="replace") for line in body.split(b"\n")[:count]])


def _line(rng: random.Random) -> bytes:
    kind = rng.random()
    if kind < 0.6:
        return rng.choice(KINDS)
    if kind < 0.8:
        return b"".join(rng.choices(KINDS, k=2))[:60]
    return rng.randbytes(rng.randrange(12)).replace(b"\n", b"")


def trials(count: int) -> Iterator[Trial]:
    """Random files, from a file or stdin, greedy or with a beam, plain or compressed."""
    with tempfile.TemporaryDirectory(prefix="nmt-lines-") as name, within(Path(name)):
        run = _trained(Path(name))
        with mock.patch.object(opening, "open_translator", lambda *_, search, **__: copier(search.beam)):
            for number in range(count):
                yield _trial(random.Random(f"lines {number}"), number, run)


def _trained(folder: Path) -> Path:
    toy.write_corpus(folder)
    trained = toy.Toy(folder, "attention", "fp32")
    assert trained.train() == 0, trained.stderr_lines
    return trained.run


def _trial(rng: random.Random, number: int, run: Path) -> Trial:
    itself = number % EVERY == EVERY - 1
    file = generated(rng, long=number % LONG_EVERY == 0)
    beam, named, packed = rng.choice([1, 2]), rng.random() < 0.5, rng.random() < 0.1
    arguments = ["translate", str(run), "--beam", str(beam), *(["-i", "file"] if named else [])]
    Path("file").write_bytes(gzip.compress(file.data) if packed and named else file.data)
    tried = f"file {number} ({' '.join(arguments[2:])}{', the command itself' if itself else ''})"
    if itself:
        Path("in").write_bytes(b"" if named else file.data)
        status = process.finish(Path.cwd(), *arguments, prelude=_redirected)
        return Trial(
            tried,
            _fault(status, Path("out").read_bytes(), "\n".join(process.stderr_lines(Path.cwd())), file, known=False),
        )
    return Trial(tried, _fault(*nmt(*arguments, stdin=b"" if named else file.data), file, known=True))


def _redirected() -> None:
    """A prelude that redirects stdin and stdout to files."""
    for path, flags, number in (("in", os.O_RDONLY, 0), ("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 1)):
        os.dup2(os.open(path, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - a forked process has lost it, and needs it to its end
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - the same


def _fault(status: int, out: bytes, err: str, file: File, *, known: bool) -> str | None:
    if b"\0" in file.data:
        return None if (status, out) == (2, b"") and "NUL byte" in err else f"exit {status} with a NUL byte"
    lines = file.lines
    if status or "Traceback" in err:
        return f"exit {status}: {err[-200:]}"
    found = out.decode().split("\n")
    if found.pop() != "" or len(found) != len(lines):
        return f"{len(lines)} lines in, {len(found)} out"
    for number, (line, text) in enumerate(zip(lines, found, strict=True), 1):
        expected = normalized(line.replace("▁", " "))
        if (known and _bare(text) != _bare(expected)) or (text.strip() and not expected):
            return f"line {number}: {line[:60]!r} became {text[:60]!r}"
    return None


def _bare(text: str) -> str:
    """Without spaces, as long lines are joined from parts by spaces that may not be in the source, and without control
    characters, which no translation has."""
    return printable.without_controls(text).replace(" ", "")
