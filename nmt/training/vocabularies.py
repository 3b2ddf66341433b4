"""The vocabularies of a run: those it takes from elsewhere, or learned ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nmt import files
from nmt.recipe.types import Recipe
from nmt.runs import SOURCE, TARGET, Run
from nmt.text import vocabulary
from nmt.text.corpus import Corpus
from nmt.text.vocabulary import Vocabulary

FORMAT = 1
"""Of vocabularies that are kept; another number learns them anew."""

Notice = Callable[[str], None]


def of(recipe: Recipe, corpus: Corpus, notice: Notice) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies that the recipe names, or learned ones."""
    given = recipe.vocabulary.from_run or recipe.training.init_from
    return taken(Path(given)) if given else learned(recipe, corpus, notice)


def taken(given: Path) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of a run, or a SentencePiece file for both languages."""
    if given.is_dir() or given.suffix != ".model":
        return Run(given).vocabularies
    joint = Vocabulary.from_file(given)
    return joint, joint


def learned(recipe: Recipe, corpus: Corpus, notice: Notice) -> tuple[Vocabulary, Vocabulary]:
    """Vocabularies learned from the training split. Those of a large corpus take minutes, and are kept in a prepared folder."""
    if corpus.shelf is None:
        return _learn(recipe, corpus, notice)
    wanted = recipe.vocabulary
    splits: Any = corpus.facts["splits"]
    asked = {"type": wanted.type, "size": wanted.size, "joint": wanted.joint, "sentencepiece": version("sentencepiece")}

    def fill(folder: Path) -> dict[str, Any]:
        for name, each in zip((SOURCE, TARGET), _learn(recipe, corpus, notice), strict=True):
            files.write_whole(folder / name, each.model)
        return {}

    folder = corpus.shelf.folder("vocabulary", {"format": FORMAT, "train": splits["train"]["sha256"], **asked}, fill)
    source = Vocabulary.from_file(folder.path / SOURCE)
    return source, source if wanted.joint else Vocabulary.from_file(folder.path / TARGET)


def _learn(recipe: Recipe, corpus: Corpus, notice: Notice) -> tuple[Vocabulary, Vocabulary]:
    """The size was meant for the corpus of the recipe: one that stands in may give fewer."""
    wanted, pairs = recipe.vocabulary, corpus.train
    notice(f"learning {'a joint vocabulary' if wanted.joint else 'two vocabularies'} of {wanted.size} pieces")

    def learn(*sides: Sequence[str]) -> Vocabulary:
        if (every := vocabulary.every(*sides)) > 1:
            notice(f"of {sum(map(len, sides)):,} lines one in {every} is learned from, beginning with the first")
        exact = corpus.facts["fallback"] is None or wanted.type != "unigram"
        return Vocabulary(vocabulary.train(*sides, type=wanted.type, size=wanted.size, exact=exact))

    if wanted.joint:
        joint = learn(pairs.source, pairs.target)
        return joint, joint
    return learn(pairs.source), learn(pairs.target)
