"""The checkup of a recipe's corpus: what training would see after cleaning, and what measures it, looked at from every side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from nmt.corpus_checks import languages, lengths, pieces, repeats, writing
from nmt.corpus_checks.finding import LIMITS, Finding, judged
from nmt.data import corpus as corpora
from nmt.data.metadata import CorpusMetadata, CorpusRequest
from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.recipe.types import Recipe
from nmt.training.begin import load_vocabularies

MOST = 200_000
"""Pairs of a split that are read sentence by sentence; of more, every n-th is. Repeats are looked for among all."""

Log = Callable[[str], None]


@dataclass(frozen=True)
class Checkup:
    """Everything that was found, and what it was found in."""

    metadata: CorpusMetadata
    lengths: list[dict[str, float | str]]
    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """The findings beyond their limits."""
        return [finding for finding in self.findings if finding.problem]

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        findings = [finding.as_json() for finding in self.findings]
        return {
            "corpus": self.metadata.as_json(),
            "lengths": self.lengths,
            "findings": findings,
            "problems": len(self.problems),
        }


def examine(recipe: Recipe, limits: Mapping[str, float], log: Log) -> Checkup:
    """Loads and cleans the corpus as training would, and looks at every split; ``limits`` take the place of those in `LIMITS`."""
    if odd := sorted(limits.keys() - LIMITS.keys()):
        raise UserError(f"--limit {odd[0]}: no such check; expected one of {', '.join(LIMITS)}")
    corpus = corpora.load(CorpusRequest(**recipe.data.model_dump()), log)
    splits = {"train": corpus.train, "valid": corpus.valid} | ({"test": corpus.test} if corpus.test else {})
    source, target = load_vocabularies(recipe, corpus, log)
    some = {name: _some(pairs) for name, pairs in splits.items()}
    log("reading " + ", ".join(f"{len(pairs):,} pairs of {name}" for name, pairs in some.items()))
    encoded = pieces.encode(some, source, target)
    found = chain(
        repeats.overlaps(splits),
        repeats.duplicates(splits),
        lengths.blanks(some),
        lengths.ratios(some),
        languages.untranslated(some),
        languages.scripts(some),
        languages.languages(some),
        writing.faults(some),
        pieces.unknown(some, encoded, source, target),
    )
    return Checkup(corpus.metadata, pieces.lengths(some, encoded), judged(found, {**LIMITS, **limits}))


def _some(pairs: Pairs) -> Pairs:
    every = -(-len(pairs) // MOST)
    return pairs if every <= 1 else pairs.take(range(0, len(pairs), every))
