"""Something small to train for real: the built-in corpus cut short, and a model of each family with dropout and subword sampling on."""

from __future__ import annotations

import signal
from functools import partial
from itertools import islice
from pathlib import Path

from nmt.text.builtin.corpus import pairs
from nmt.training.batches import Batch
from nmt.training.loop import Training

SIZES = {"train": 80, "valid": 4, "test": 4}
LONGEST = 6
"""Words in a sentence, at most."""
RECURRENT = "embedding: 16, attention: 16, encoder: {hidden: 16}, decoder: {hidden: 16}"
MODELS = {
    "thought vector": f"{{reader: fixed, {RECURRENT}}}",
    "attention": f"{{reader: bahdanau, {RECURRENT}}}",
    "transformer": "{family: transformer, width: 16, heads: 2, feed_forward: 32, encoder: {layers: 1}, decoder: {layers: 1}}",
}
RECIPE = """\
data: {{train: train.tsv, valid: valid.tsv, test: test.tsv}}
vocabulary: {{size: 340, sampling: 0.3}}
model: {model}
training: {{updates: 12, save_every: 2, validate_every: 4, average: 2, batch_tokens: 128, warmup: 2, learning_rate: 0.005,
  threads: 1, device: cpu, precision: {precision}}}
search: {{beam: 1, max_ratio: 1.0, max_extra: 0}}
"""
"""Dropout is on by default; an average at the end, so that earlier checkpoints matter to the result."""


def write(folder: Path) -> None:
    """Puts the corpus and a recipe for every family and precision into a folder."""
    for split, count in SIZES.items():
        short = (pair for pair in pairs(split, count=20 * count) if max(text.count(" ") for text in pair) < LONGEST)
        lines = (f"{source}\t{target}\n" for source, target in islice(short, count))
        (folder / f"{split}.tsv").write_text("".join(lines), "utf8")
    for family, model in MODELS.items():
        for precision in ("fp32", "bf16"):
            (folder / recipe(family, precision)).write_text(RECIPE.format(model=model, precision=precision), "utf8")


def recipe(family: str, precision: str = "fp32") -> str:
    """The name of a family's recipe in that folder."""
    return f"{family.replace(' ', '-')}-{precision}.yaml"


def stop_after(update: int) -> partial[None]:
    """For a process of its own: asks training to stop while it makes that update, as SIGTERM does."""
    return partial(_stop_after, update)


def _stop_after(update: int) -> None:
    original = Training.update

    def stopping(training: Training, batches: list[Batch]) -> None:
        original(training, batches)
        if training.progress.update == update:
            signal.raise_signal(signal.SIGTERM)

    Training.update = stopping  # type: ignore[method-assign,assignment]  # this process has no other purpose
