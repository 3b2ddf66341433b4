"""A toy to train: sixty pairs of mapped and reversed words, and models of a few hundred parameters."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from nmt.data.batches import Batch
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.training import loop
from nmt.training.begin import train

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
vocabulary: {size: 296, sampling: 0.3}
training:
  {updates: 4, save_every: 2, validate_every: 2, batch_tokens: 128, warmup: 1, learning_rate: 0.01,
   threads: 1, device: cpu, precision: fp32}
search: {beam: 1, max_ratio: 1.0, max_extra: 0}
"""
RECURRENT = "embedding: 8, attention_size: 8, encoder: {hidden: 8}, decoder: {hidden: 8}"
MODELS = {
    "thought vector": f"model={{attention: none, {RECURRENT}}}",
    "attention": f"model={{attention: bahdanau, {RECURRENT}}}",
    "transformer": "model={family: transformer, width: 8, heads: 2, feed_forward: 16, "
    "encoder: {layers: 1}, decoder: {layers: 1}}",
}


class KilledError(BaseException):
    """Ends training as a kill does, without any cleaning up."""


class Toy:
    """A recipe and its corpus in the current folder, and its training, which can be interrupted after any update."""

    def __init__(self) -> None:
        self.model = "attention"
        self.logged: list[str] = []
        generator = random.Random(1)
        for name, count in (("train", 60), ("valid", 4), ("test", 4)):
            sentences = [generator.choices(list(WORDS), k=generator.randint(2, 6)) for _ in range(count)]
            pairs = (f"{' '.join(words)}\t{' '.join(WORDS[word] for word in reversed(words))}\n" for words in sentences)
            Path(f"{name}.tsv").write_text("".join(pairs), "utf8")
        Path("toy.yaml").write_text(RECIPE, "utf8")

    def recipe(self, *overrides: str) -> Recipe:
        """The toy's recipe after overrides; `model` is one of `MODELS`."""
        return reading.read(Path("toy.yaml"), [MODELS[self.model], *overrides])

    def train(self, folder: str, *overrides: str, restart: bool = False) -> int:
        """What `nmt train toy.yaml OVERRIDES --run FOLDER` does; returns its exit status."""
        self.logged = []
        recipe, console = self.recipe(*overrides), Console(quiet=True)
        return train(recipe, Path(folder), restart=restart, log=self.logged.append, console=console, quiet=True)

    def signalled(self, number: signal.Signals, after: int, folder: str, *overrides: str) -> int:
        """`train`, to which a signal comes while it makes that update."""
        with self._after_update(after, lambda: signal.raise_signal(number)):
            return self.train(folder, *overrides)

    def killed(self, after: int, folder: str, *overrides: str) -> None:
        """`train`, killed after that update."""

        def kill() -> None:
            raise KilledError

        with self._after_update(after, kill), pytest.raises(KilledError):
            self.train(folder, *overrides)

    @contextmanager
    def _after_update(self, after: int, act: Callable[[], None]) -> Iterator[None]:
        update = loop.Training.update

        def acting(training: loop.Training, batches: list[Batch]) -> None:
            update(training, batches)
            if training.progress.update == after:
                act()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop.Training, "update", acting)
            yield


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Toy:
    """The toy in a folder of its own; metrics are written every third update, so checkpoints hold totals."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "LOG_EVERY", 3)
    return Toy()
