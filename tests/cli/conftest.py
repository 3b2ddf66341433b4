"""The command line in this process, and one tiny trained run that the tests of its commands share."""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from nmt.cli.app import main

WORDS = {
    "rot": "red",
    "grün": "green",
    "Hund": "dog",
    "Katze": "cat",
    "groß": "tall",
    "klein": "small",
    "Haus": "house",
    "Baum": "tree",
}
RECIPE = """
data: {train: train.tsv, valid: valid.tsv, test: test.tsv}
vocabulary: {size: 296}
model: {embedding: 16, attention_size: 16, encoder: {hidden: 16}, decoder: {hidden: 16}, dropout: 0}
training:
  {updates: 60, save_every: 30, batch_tokens: 512, warmup: 5, learning_rate: 0.03, threads: 1, device: cpu,
  precision: fp32}
search: {beam: 2, min_length: 1}
"""


class Outcome(NamedTuple):
    """How a command ended."""

    status: int
    out: bytes
    err: str


Nmt = Callable[..., Outcome]


def run(*arguments: str, stdin: bytes = b"") -> Outcome:
    """`nmt ARGUMENTS` with a pipe for stdin."""
    reading, writing = os.pipe()
    with open(writing, "wb") as file:
        file.write(stdin)  # less than a pipe holds
    out, err = io.BytesIO(), io.BytesIO()
    with pytest.MonkeyPatch.context() as patch, open(reading, encoding="utf8") as piped:
        patch.setattr(sys, "argv", ["nmt", *arguments])
        patch.setattr(sys, "stdin", piped)
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, "utf8", write_through=True))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, "utf8", write_through=True))
        with pytest.raises(SystemExit) as leaving:
            main()
        status, written = leaving.value.code, (out.getvalue(), err.getvalue().decode())
    return Outcome(int(status or 0), *written)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe, its corpus, and runs/toy, trained by `nmt train`."""
    folder, generator = tmp_path_factory.mktemp("trained"), random.Random(1)
    for name, count in (("train", 60), ("valid", 4), ("test", 6)):
        sentences = [generator.choices(list(WORDS), k=generator.randint(2, 6)) for _ in range(count)]
        pairs = (f"{' '.join(words)}\t{' '.join(WORDS[word] for word in reversed(words))}\n" for words in sentences)
        (folder / f"{name}.tsv").write_text("".join(pairs), "utf8")
    (folder / "toy.yaml").write_text(RECIPE, "utf8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcome = run("train", "toy.yaml")
    assert outcome.status == 0, outcome.err
    return folder


@pytest.fixture
def nmt(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nmt:
    """The command line in a copy of that folder."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return run
