"""The runs that checks of serving serve: those of the command line, or tiny runs that are trained first."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import nmt
from nmt.atomic import JsonObject
from nmt.data.builtin import pairs
from nmt.runs.run_folder import Run
from nmt.text.passage import Passage
from tools.checks import toy

MOST = 2000
"""Most different sentences that are translated beforehand."""


class Known(NamedTuple):
    """A sentence and its known translation."""

    sentence: str
    translation: str


class ServedRun:
    """A run, and requests to a server of it."""

    def __init__(self, path: Path) -> None:
        self.path, self.run = path.resolve(), Run(path)

    def request(self, text: Any, **more: Any) -> JsonObject:
        """The body of a request to translate."""
        data = self.run.recipe.data
        return {"q": text, "source": data.source, "target": data.target, **more}

    def sentences(self, count: int) -> list[str]:
        """At most ``count`` sentences that a server does not split: German, or English if the run reads it."""
        languages = ("en", "de") if self.run.recipe.data.source == "en" else ("de", "en")
        found = (source for source, _ in pairs("train", *languages, count=count))
        return [each for each in dict.fromkeys(found) if Passage.of_sentences(each).sentences == [each]]

    def known(self, count: int) -> list[Known]:
        """Sentences with unique translations, so that swapped answers are detected; repeated up to ``count``."""
        found = [
            Known(each.source, each.text)
            for each in nmt.load(self.path, keep_weights=False).translate(self.sentences(min(2 * count, MOST)))
        ]
        times = Counter(each.translation for each in found)
        unique = [each for each in found if times[each.translation] == 1]
        assert len(unique) > 1, f"{self.path}: all translations are equal"
        return list(islice(cycle(unique), count))


@contextmanager
def served_runs(runs: Sequence[Path]) -> Iterator[list[ServedRun]]:
    """The runs of the command line, or a tiny run."""
    if runs:
        yield [ServedRun(path) for path in runs]
        return
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        toy.write_corpus(Path(name))
        yield [_trained(Path(name), "attention")]


def _trained(corpus: Path, family: str) -> ServedRun:
    trained = toy.Toy(corpus, family, "fp32")
    run = trained.folder / family.replace(" ", "-")  # models are served by the names of their folders
    assert trained.train(run=run) == 0, trained.stderr_lines
    return ServedRun(run)
