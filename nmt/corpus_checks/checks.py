"""Checks of a recipe's corpus: what training sees after cleaning, and the splits that measure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain

from nmt.corpus_checks import languages, lengths, repeats, writing
from nmt.corpus_checks.report import LIMITS, CorpusReport, findings
from nmt.data import corpus as corpora
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.recipe.types import Recipe
from nmt.training.begin import load_vocabularies

SAMPLE = 200_000
"""Pairs of a split that are checked one by one; of more, every n-th is. Repeats are looked for among all."""

Log = Callable[[str], None]


def check_corpus(recipe: Recipe, limits: Mapping[str, float], log: Log) -> CorpusReport:
    """Loads and cleans the corpus as training does, and checks every split; ``limits`` replace those in `LIMITS`."""
    if unknown := sorted(limits.keys() - LIMITS.keys()):
        raise UserError(f"--limit {unknown[0]}: no such check; expected one of {', '.join(LIMITS)}")
    corpus = corpora.load(CorpusRequest(**recipe.data.model_dump()), log)
    splits = {"train": corpus.train, "valid": corpus.valid} | ({"test": corpus.test} if corpus.test else {})
    source, target = load_vocabularies(recipe, corpus, log)
    sample = {name: _sample(pairs) for name, pairs in splits.items()}
    log("reading " + ", ".join(f"{len(pairs):,} pairs of {name}" for name, pairs in sample.items()))
    encoded = lengths.encode(sample, source, target)
    found = chain(
        repeats.overlaps(splits),
        repeats.duplicates(splits),
        lengths.blanks(sample),
        lengths.ratios(sample),
        languages.untranslated(sample),
        languages.scripts(sample),
        languages.languages(sample),
        writing.defects(sample),
        lengths.unknown_characters(sample, encoded, source, target),
    )
    return CorpusReport(corpus.metadata, lengths.table(sample, encoded), findings(found, {**LIMITS, **limits}))


def _sample(pairs: Pairs) -> Pairs:
    every = -(-len(pairs) // SAMPLE)
    return pairs if every <= 1 else pairs.take(range(0, len(pairs), every))
