"""The vocabularies of a run: those it takes from elsewhere, or learned ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nmt import atomic
from nmt.data import vocabulary
from nmt.data.corpus import Corpus
from nmt.data.vocabulary import Vocabulary
from nmt.recipe.types import Recipe
from nmt.runs.run_folder import SOURCE, TARGET, Run

FORMAT = 1
"""Of vocabularies that are kept; another number learns them anew."""

Log = Callable[[str], None]


def of(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies that the recipe names, or learned ones."""
    given = recipe.vocabulary.from_run or recipe.training.init_from
    return taken(Path(given)) if given else learned(recipe, corpus, log)


def taken(given: Path) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of a run, or a SentencePiece file for both languages."""
    if given.is_dir() or given.suffix != ".model":
        return Run(given).vocabularies
    joint = Vocabulary.from_file(given)
    return joint, joint


def learned(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """Vocabularies learned from the training split. Those of a large corpus take minutes, and are kept in a prepared folder."""
    if corpus.cache is None:
        return _learn(recipe, corpus, log)
    wanted = recipe.vocabulary
    splits: Any = corpus.metadata["splits"]
    asked = {"type": wanted.type, "size": wanted.size, "joint": wanted.joint, "sentencepiece": version("sentencepiece")}

    def fill(folder: Path) -> dict[str, Any]:
        for name, each in zip((SOURCE, TARGET), _learn(recipe, corpus, log), strict=True):
            atomic.write_file(folder / name, each.model)
        return {}

    folder = corpus.cache.folder("vocabulary", {"format": FORMAT, "train": splits["train"]["sha256"], **asked}, fill)
    source = Vocabulary.from_file(folder.path / SOURCE)
    return source, source if wanted.joint else Vocabulary.from_file(folder.path / TARGET)


def _learn(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """The size was meant for the corpus of the recipe: one that stands in may give fewer."""
    wanted, pairs = recipe.vocabulary, corpus.train
    log(f"learning {'a joint vocabulary' if wanted.joint else 'two vocabularies'} of {wanted.size} pieces")

    def learn(*sides: Sequence[str]) -> Vocabulary:
        if (every := vocabulary.every(*sides)) > 1:
            log(f"of {sum(map(len, sides)):,} lines one in {every} is learned from, beginning with the first")
        exact = corpus.metadata["fallback"] is None or wanted.type != "unigram"
        return Vocabulary(vocabulary.train(*sides, type=wanted.type, size=wanted.size, exact=exact))

    if wanted.joint:
        joint = learn(pairs.source, pairs.target)
        return joint, joint
    return learn(pairs.source), learn(pairs.target)
