"""Checks of a corpus: training after cleaning, validation and test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain

from nmt.corpus_checks import pairs as of_pairs, places, text
from nmt.corpus_checks.report import LIMITS, CorpusReport, findings
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.data.vocabulary import Vocabulary
from nmt.errors import Log
from nmt.text import detection

SAMPLE = 200_000
"""Pairs of a split that are checked one by one; of more, every n-th is. Repeats are looked for among all."""


def check_corpus(
    corpus: Corpus,
    request: CorpusRequest,
    vocabularies: tuple[Vocabulary, Vocabulary] | None,
    limits: Mapping[str, float],
    log: Log,
) -> CorpusReport:
    """Checks every split of a corpus, which is what was requested; ``limits`` replace those in `LIMITS`.

    Without vocabularies nothing is said of tokens; without the extra `lid` languages are compared with the other side
    alone.
    """
    splits = {"train": corpus.train, "valid": corpus.valid} | ({"test": corpus.test} if corpus.test else {})
    sample = {name: _sample(pairs) for name, pairs in splits.items()}
    log("reading " + ", ".join(f"{len(pairs):,} pairs of {name}" for name, pairs in sample.items()))
    encoded = of_pairs.encode(sample, *vocabularies) if vocabularies else {}
    found = chain(
        of_pairs.overlaps(splits),
        of_pairs.duplicates(splits),
        of_pairs.blanks(sample),
        of_pairs.ratios(sample),
        of_pairs.untranslated(sample),
        text.scripts(sample),
        text.languages(sample),
        text.other_languages(sample, request.source, request.target) if detection.available() else (),
        text.defects(sample),
        of_pairs.unknown_characters(sample, encoded, *vocabularies) if vocabularies else (),
    )
    if not detection.available():
        log("languages are not identified; for that: pip install 'nmt-recipes[lid]'")
    table = of_pairs.table(sample, encoded)
    return CorpusReport(corpus.metadata, table, findings(found, {**LIMITS, **limits}, partial(places.find, request)))


def _sample(pairs: Pairs) -> Pairs:
    every = -(-len(pairs) // SAMPLE)
    return pairs if every <= 1 else pairs.take(range(0, len(pairs), every))
