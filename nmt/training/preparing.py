"""The text of a run as its model reads it: corpus loaded, vocabulary learned, both sides encoded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from nmt.faults import InputFault
from nmt.recipe.types import Recipe
from nmt.runs import Run
from nmt.text import corpus as corpora, packs, vocabulary as vocabularies
from nmt.text.corpus import Corpus
from nmt.text.pairs import Pairs
from nmt.text.vocabulary import Vocabulary
from nmt.training.batches import Batches, Draw, Encoded

Notice = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """The text of a run as its model reads it."""

    corpus: Corpus
    source: Vocabulary
    target: Vocabulary
    train: tuple[Encoded, Encoded]
    valid: tuple[Encoded, Encoded]

    @property
    def joint(self) -> bool:
        """Whether both languages share one vocabulary."""
        return self.source is self.target


def prepare(recipe: Recipe, notice: Notice) -> Prepared:
    """Loads the corpus, learns or takes the vocabulary, and encodes."""
    corpus = corpora.load(notice=notice, **recipe.data.model_dump())
    return encode(corpus, *vocabularies_of(recipe, corpus, notice), recipe.data.pack)


def vocabularies_of(recipe: Recipe, corpus: Corpus, notice: Notice) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies that the recipe names, or learned ones."""
    given = recipe.vocabulary.from_run or recipe.training.init_from
    return taken(Path(given)) if given else learn(recipe, corpus, notice)


def taken(given: Path) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies of a run, or a SentencePiece file for both languages."""
    if given.is_dir() or given.suffix != ".model":
        return Run(given).vocabularies
    joint = Vocabulary.from_file(given)
    return joint, joint


def learn(recipe: Recipe, corpus: Corpus, notice: Notice) -> tuple[Vocabulary, Vocabulary]:
    """A vocabulary learned from the training split. The size was meant for the corpus of the recipe: one that stands in may give fewer."""
    wanted, pairs = recipe.vocabulary, corpus.train
    notice(f"learning {'a joint vocabulary' if wanted.joint else 'two vocabularies'} of {wanted.size} pieces")

    def of(lines: list[str]) -> Vocabulary:
        exact = corpus.facts["fallback"] is None or wanted.type != "unigram"
        return Vocabulary(vocabularies.train(lines, type=wanted.type, size=wanted.size, exact=exact))

    if wanted.joint:
        joint = of([*pairs.source, *pairs.target])
        return joint, joint
    return of(pairs.source), of(pairs.target)


def encode(corpus: Corpus, source: Vocabulary, target: Vocabulary, pack: int) -> Prepared:
    """Both splits in pieces. Validation is packed here, once, as text; training in `Batches`, anew in every epoch."""
    if pack > 1:
        valid = corpus.valid
        corpus = replace(corpus, valid=packs.join(valid, packs.drawn(len(valid), pack, [0, 0, pack])))

    def sides(pairs: Pairs) -> tuple[Encoded, Encoded]:
        return Encoded(list(map(source.encode, pairs.source))), Encoded(list(map(target.encode, pairs.target)))

    return Prepared(corpus, source, target, sides(corpus.train), sides(corpus.valid))


def prepare_again(run: Run, notice: Notice) -> Prepared:
    """The same text as when the run began, or a refusal."""
    facts = run.facts["corpus"]
    corpus = corpora.load(notice=notice, **corpora.pinned(run.recipe.data.model_dump(), facts))
    for name, before in facts["splits"].items():
        now = corpus.facts["splits"].get(name, {})  # type: ignore[attr-defined]  # facts are plain JSON values
        if now.get("sha256") != before["sha256"]:
            raise InputFault(f"data.{name}: not the text that {run.path} was begun with; bring it back, or begin anew with --restart")
    return encode(corpus, *run.vocabularies, run.recipe.data.pack)


def batches(recipe: Recipe, prepared: Prepared) -> Batches:
    """The batches to train on, drawn afresh in every epoch where the recipe samples subwords."""
    alpha, wanted, pairs = recipe.vocabulary.sampling, recipe.training, prepared.corpus.train
    sample = (_draw(prepared.source, pairs.source, alpha), _draw(prepared.target, pairs.target, alpha)) if alpha else None
    return Batches(
        *prepared.train,
        seed=wanted.seed,
        batch_tokens=wanted.batch_tokens,
        pack=recipe.data.pack,
        growth=wanted.pack_growth,
        sample=sample,
    )


def _draw(vocabulary: Vocabulary, sentences: list[str], alpha: float) -> Draw:
    """Draws a segmentation of a sentence, by row; its best segmentations are looked up once and kept."""
    known: dict[int, list[tuple[list[int], float]]] = {}

    def draw(row: int, generator: random.Random) -> list[int]:
        if row not in known:
            known[row] = vocabulary.segmentations(sentences[row])
        return vocabularies.drawn(known[row], alpha, generator)

    return draw
