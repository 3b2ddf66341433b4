"""The vocabularies of a run: learned from its training text, or taken from a run or a SentencePiece file."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from nmt import atomic
from nmt.atomic import JsonObject
from nmt.data import vocabulary
from nmt.data.corpus import Corpus
from nmt.data.vocabulary import Vocabulary
from nmt.errors import Log
from nmt.runs.run_folder import SOURCE, TARGET, Run


def load(given: Path) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of a run, or a SentencePiece file for both languages."""
    if given.is_dir() or given.suffix != ".model":
        return Run(given).vocabularies
    joint = Vocabulary.from_file(given)
    return joint, joint


def learn(corpus: Corpus, type: str, size: int, *, joint: bool, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """Vocabularies learned from the training split; those of a large corpus take minutes and are kept in its cache."""

    def learned() -> tuple[Vocabulary, Vocabulary]:
        return _learn(corpus, type, size, joint, log)

    if corpus.cache is None:
        return learned()
    settings = {"type": type, "size": size, "joint": joint, "sentencepiece": version("sentencepiece")}

    def fill(folder: Path) -> JsonObject:
        for name, each in zip((SOURCE, TARGET), learned(), strict=True):
            atomic.write_file(folder / name, each.model)
        return {}

    key = {**corpus.train_key, **settings}
    folder = corpus.cache.get("vocabulary", key, fill)
    source = Vocabulary.from_file(folder.path / SOURCE)
    return source, source if joint else Vocabulary.from_file(folder.path / TARGET)


def _learn(corpus: Corpus, type: str, size: int, joint: bool, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """The corpus that stands in for one that could not be reached may have too little text for the size."""
    log(f"learning {'a joint vocabulary' if joint else 'two vocabularies'} of {size} pieces")
    exact = corpus.metadata.fallback is None or type != "unigram"

    def learned(*sides: Sequence[str]) -> Vocabulary:
        if (every := vocabulary.line_step(*sides)) > 1:
            log(f"of {sum(map(len, sides)):,} lines one in {every} is learned from, beginning with the first")
        return Vocabulary(vocabulary.train(*sides, type=type, size=size, exact=exact, stand_ins=bool(corpus.stand_ins)))

    pairs = corpus.train
    if joint:
        both = learned(pairs.source, pairs.target)
        return both, both
    return learned(pairs.source), learned(pairs.target)
