"""What the checks of serving serve: the runs they are given, or tiny models that they train themselves."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import nmt
from nmt.data.builtin import pairs
from nmt.runs.run_folder import Run
from nmt.serving.documents import Passage
from tools.checks import toy

MOST = 2000
"""Different sentences that are translated beforehand."""


class Known(NamedTuple):
    """A sentence, and its translation by the command."""

    sentence: str
    translation: str


class Subject:
    """A run, and what is asked of it."""

    def __init__(self, path: Path) -> None:
        self.path, self.run = path.resolve(), Run(path)

    def asking(self, text: Any, **more: Any) -> dict[str, Any]:
        """The body of a request to translate."""
        data = self.run.recipe.data
        return {"q": text, "source": data.source, "target": data.target, **more}

    def sentences(self, count: int) -> list[str]:
        """At most so many different sentences of the built-in corpus, none of which a server would take for two; in German, unless the run reads
        English."""
        languages = ("en", "de") if self.run.recipe.data.source == "en" else ("de", "en")
        found = (source for source, _ in pairs("train", *languages, count=count))
        return [each for each in dict.fromkeys(found) if Passage(each).sentences == [each]]

    def known(self, count: int) -> list[Known]:
        """So many sentences with a translation that none of the others has, so that answers that change places are seen; repeated if need be."""
        found = [
            Known(each.source, each.text)
            for each in nmt.load(self.path, keep_weights=False).translate(self.sentences(min(2 * count, MOST)))
        ]
        times = Counter(each.translation for each in found)
        unique = [each for each in found if times[each.translation] == 1]
        assert len(unique) > 1, f"{self.path}: translates everything alike"
        return list(islice(cycle(unique), count))


@contextmanager
def subjects(runs: Sequence[Path], families: Sequence[str] = ("attention",)) -> Iterator[list[Subject]]:
    """The runs that are given; without any, a toy of each family."""
    if runs:
        yield [Subject(path) for path in runs]
        return
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        toy.write_corpus(Path(name))
        yield [_trained(Path(name), family) for family in families]


def _trained(corpus: Path, family: str) -> Subject:
    trained = toy.Toy(corpus, family, "fp32")
    run = trained.folder / family.replace(" ", "-")  # models are served by the names of their folders
    assert trained.train(run=run) == 0, trained.said
    return Subject(run)
