"""The text that a recipe trains on: corpus, vocabularies, and their token ids."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nmt.data import corpus as corpora, hub
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusMetadata, CorpusRequest
from nmt.data.mixing import mixed
from nmt.data.stand_ins import with_stand_ins
from nmt.data.vocabulary import Vocabulary
from nmt.errors import Log, UserError
from nmt.recipe.types import Recipe
from nmt.runs.run_folder import Run
from nmt.training import vocabularies
from nmt.training.dataset import Dataset, encode


def load_dataset(recipe: Recipe, log: Log) -> Dataset:
    """Loads the corpus, learns or loads the vocabularies, and encodes."""
    corpus = _load(recipe, lambda request: corpora.load(request, log), log)
    return encode(corpus, *load_vocabularies(recipe, corpus, log), recipe.data.concatenation, log)


def load_vocabularies(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary]:
    """The vocabularies that the recipe names, or those learned from the corpus."""
    wanted = recipe.vocabulary
    given = wanted.from_run or recipe.training.init_from
    if given:
        found = vocabularies.load(Path(given))
        if recipe.data.placeholders and not all(each.has_stand_ins for each in found):
            raise UserError(
                f"data.placeholders: the vocabulary of {given} has no stand-ins; expected false, or one that "
                "was learned with data.placeholders=true"
            )
        return found
    return vocabularies.learn(corpus, wanted.type, wanted.size, joint=wanted.joint, log=log)


def reload_dataset(run: Run, log: Log) -> Dataset:
    """The dataset that the run began with; text that has changed since is an error."""
    before = run.metadata.corpus
    corpus = _load(run.recipe, lambda request: corpora.load_again(request, before, log), log)
    for name in before.splits:
        if _differs(corpus.metadata, before, name):
            raise UserError(
                f"data.{name}: not the text that {run.path} was begun with; bring it back, or begin anew with --restart"
            )
    return encode(corpus, *run.vocabularies, run.recipe.data.concatenation, log)


def load_more(run: Run, recipe: Recipe, log: Log) -> Dataset:
    """The dataset of a run with the other training text of a recipe, in the vocabularies of the run."""
    before = run.metadata.corpus
    corpus = _load(recipe, lambda request: corpora.load(corpora.pinned(request, before), log), log)
    for name in ("valid", "test"):
        if _differs(corpus.metadata, before, name):
            raise UserError(
                f"data.extra: the {name} split of {run.path} would be another one, so scores could not be compared; "
                "a validation set that is held out of training depends on it\n"
                "fine-tune instead: nmt finetune RUN data.train=FILES"
            )
    return encode(corpus, *run.vocabularies, recipe.data.concatenation, log)


def corpus_of(run: Run, log: Log) -> Corpus:
    """The corpus of a run, loaded again."""
    data = run.recipe.data
    if run.bundled and (data.corpus is None or hub.is_local(data.corpus)):
        raise UserError(
            f"{run.path}: a bundle cannot name files of this machine to be read, so its corpus cannot be mixed in; "
            "take the run folder"
        )
    return corpora.load_again(CorpusRequest(**data.model_dump()), run.metadata.corpus, log)


def _load(recipe: Recipe, load: Callable[[CorpusRequest], Corpus], log: Log) -> Corpus:
    """The corpus of a recipe, with the share of an earlier one and the stand-ins that it wants."""
    corpus = _mixed(recipe, load, log)
    return with_stand_ins(corpus, log) if recipe.data.placeholders else corpus


def _mixed(recipe: Recipe, load: Callable[[CorpusRequest], Corpus], log: Log) -> Corpus:
    corpus, wanted = load(CorpusRequest(**recipe.data.model_dump())), recipe.training
    if not wanted.mix:
        return corpus
    earlier = Run(Path(wanted.init_from or ""))
    for key in ("source", "target"):
        if (language := getattr(earlier.recipe.data, key)) != (own := getattr(recipe.data, key)):
            raise UserError(f"training.mix: {earlier.path} has data.{key} {language}, and this recipe {own}")
    both = mixed(corpus, corpus_of(earlier, log).train, wanted.mix)
    count = len(both.train) - len(corpus.train)
    log(f"mixed in {count:,} training pairs of {earlier.path}: {count / len(both.train):.0%} of {len(both.train):,}")
    return both


def _differs(now: CorpusMetadata, before: CorpusMetadata, name: str) -> bool:
    one, other = now.splits.get(name), before.splits.get(name)
    return (one and one.sha256) != (other and other.sha256)
