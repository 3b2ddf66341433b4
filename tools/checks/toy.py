"""Tiny training runs: short pairs of the built-in corpus, and a model of each family with dropout and sampling."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from nmt.data.builtin import pairs
from nmt.runs import run_folder
from nmt.training import checkpoints
from tools.checks import process
from tools.checks.outcome import difference, outcome

SIZES = {"train": 80, "valid": 4, "test": 4}
LONGEST = 6
"""Most words of a sentence."""
UPDATES, SAVED, VALIDATED = 12, 2, 4
"""The number of updates, and of those between two checkpoints and between two validations."""
RECURRENT = "embedding: 16, attention_size: 16, encoder: {hidden: 16}, decoder: {hidden: 16}"
FAMILIES = {
    "thought vector": f"{{attention: none, {RECURRENT}}}",
    "attention": f"{{attention: bahdanau, {RECURRENT}}}",
    "transformer": "{family: transformer, width: 16, heads: 2, feed_forward: 32, encoder: {layers: 1}, "
    "decoder: {layers: 1}}",
}
RECIPE = """\
data: {{train: ../train.tsv, valid: ../valid.tsv, test: ../test.tsv}}
vocabulary: {{size: 340, sampling: 0.3}}
model: {model}
training: {{updates: {updates}, save_every: {saved}, validate_every: {validated}, average: 2, batch_tokens: 128,
  warmup: 2, learning_rate: 0.005, threads: 1, device: cpu, precision: {precision}}}
search: {{beam: 1, max_ratio: 1.0, max_extra: 0}}
"""
"""Dropout is on by default; the final average makes earlier checkpoints matter to the result."""


class Toy:
    """A tiny model in a folder of its own."""

    def __init__(self, corpus: Path, family: str, precision: str) -> None:
        self.name, self.folder = f"{family} in {precision}", corpus / f"{family}-{precision}".replace(" ", "-")
        self.folder.mkdir()
        values = {"updates": UPDATES, "saved": SAVED, "validated": VALIDATED}
        (self.folder / "toy.yaml").write_text(
            RECIPE.format(model=FAMILIES[family], precision=precision, **values), "utf8"
        )

        self.run = self.folder / "run"
        """The default run folder."""

    def start(
        self, *overrides: str, run: Path | None = None, prelude: process.Prelude | None = None
    ) -> process.Process:
        """Starts ``nmt train``, which continues a run that was interrupted."""
        run = (run or self.run).relative_to(self.folder)
        return process.start(self.folder, "train", "toy.yaml", *overrides, "--run", str(run), prelude=prelude)

    def train(self, *overrides: str, run: Path | None = None, prelude: process.Prelude | None = None) -> int:
        """The exit status of ``nmt train``."""
        return process.wait(self.start(*overrides, run=run, prelude=prelude))

    @property
    def stderr_lines(self) -> list[str]:
        """The lines on stderr of the last command."""
        return process.stderr_lines(self.folder)

    def continued(self) -> str | None:
        """Trains to the end; returns how the result differs from that of an uninterrupted run, or None."""
        expected = self.whole  # trained first, since `stderr_lines` is about the last command
        if status := self.train():
            return f"exit {status}: {' / '.join(self.stderr_lines[-3:])}"
        left = {path.name for path in self.run.parent.glob(".*.nmt-*")} | (
            _regular(self.run) ^ _regular(self.folder / "whole")
        )
        return f"left over or gone: {', '.join(left)}" if left else difference(outcome(self.run), expected)

    @cached_property
    def whole(self) -> dict[str, Any]:
        """The result of an uninterrupted run."""
        status = self.train(run=self.folder / "whole")
        assert status == 0, self.stderr_lines
        return outcome(self.folder / "whole")


def _regular(folder: Path) -> set[str]:
    """The regular checkpoints of a run; one more may have been saved when it was stopped."""
    return {
        path.name for update, path in checkpoints.steps(folder / run_folder.CHECKPOINTS).items() if update % SAVED == 0
    }


@contextmanager
def toys(precisions: tuple[str, ...] = ("fp32", "bf16")) -> Iterator[list[Toy]]:
    """All families in all precisions, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        write_corpus(Path(name))
        yield [Toy(Path(name), family, precision) for precision in precisions for family in FAMILIES]


def write_corpus(folder: Path) -> None:
    """Writes short pairs of the built-in corpus into three files."""
    for split, count in SIZES.items():
        short = (pair for pair in pairs(split, count=20 * count) if max(text.count(" ") for text in pair) < LONGEST)
        lines = (f"{source}\t{target}\n" for source, target in islice(short, count))
        (folder / f"{split}.tsv").write_text("".join(lines), "utf8")
