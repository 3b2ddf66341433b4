"""What the keys of a recipe ask of each other: one function each, every one about keys of a single section."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from nmt.recipe.document import Key
from nmt.recipe.types import Recipe, Recurrent, Transformer

Disagreements: TypeAlias = Iterator[tuple[Key, str]]
"""Offending keys, each with what is expected of it, in words."""

_FILES = re.compile(r".*,.*|.*\.(tsv|jsonl|json|parquet)(\.gz)?", re.DOTALL)


def disagreements(recipe: Recipe) -> Disagreements:
    """All that fits each key alone but not the others."""
    for check in (
        _name,
        _languages,
        _files,
        _splits,
        _hub,
        _sampling,
        _bottleneck,
        _thought_vector,
        _bag,
        _heads,
        _limits,
    ):
        yield from check(recipe)


def _name(recipe: Recipe) -> Disagreements:
    if recipe.name is not None and not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", recipe.name):
        yield ("name",), "at most 100 of a-z A-Z 0-9 . _ - and no dot in front: set name in the recipe or as name=..."


def _languages(recipe: Recipe) -> Disagreements:
    if recipe.data.source == recipe.data.target:
        yield ("data", "target"), "another language than data.source"


def _files(recipe: Recipe) -> Disagreements:
    """Without a corpus, every split that is named names files, and that of training is named."""
    if recipe.data.corpus is not None:
        return
    for split, value in _named_splits(recipe):
        files = [value] if isinstance(value, str) else value
        if not files or not all(map(_FILES.fullmatch, files)):
            yield ("data", split), "SOURCE,TARGET or .tsv, .jsonl, .parquet files, as data.corpus is null"
    if recipe.data.train is None:
        yield ("data", "train"), "files to train on, or a data.corpus"


def _splits(recipe: Recipe) -> Disagreements:
    if recipe.data.corpus is None:
        return
    for split, value in _named_splits(recipe):
        if isinstance(value, list) or _FILES.fullmatch(value):
            yield ("data", split), "the name of a split of data.corpus; to use files set data.corpus=null"


def _named_splits(recipe: Recipe) -> list[tuple[str, str | list[str]]]:
    splits = [("train", recipe.data.train), ("valid", recipe.data.valid), ("test", recipe.data.test)]
    return [(split, value) for split, value in splits if value is not None]


def _hub(recipe: Recipe) -> Disagreements:
    if recipe.data.corpus not in (None, "builtin"):
        return
    for key, value in (("configuration", recipe.data.configuration), ("revision", recipe.data.revision)):
        if value is not None:
            yield ("data", key), "null, as data.corpus names no data set of the Hub"


def _sampling(recipe: Recipe) -> Disagreements:
    if recipe.vocabulary.sampling > 0 and recipe.vocabulary.type != "unigram":
        yield ("vocabulary", "sampling"), "0, as only vocabulary.type unigram can sample"


def _bottleneck(recipe: Recipe) -> Disagreements:
    if isinstance(recipe.model, Recurrent) and recipe.model.bottleneck is not None and recipe.model.attention != "none":
        yield ("model", "bottleneck"), "null, as only attention none has a thought vector"


def _thought_vector(recipe: Recipe) -> Disagreements:
    if not isinstance(recipe.model, Recurrent) or recipe.model.attention == "none":
        return
    if recipe.model.thought_vector != "every_step":
        yield ("model", "thought_vector"), "every_step, as only attention none has a thought vector"


def _bag(recipe: Recipe) -> Disagreements:
    """A bag of words has no recurrence to stack, and no states that attention could tell apart by place."""
    if not isinstance(recipe.model, Recurrent) or recipe.model.encoder.direction != "none":
        return
    if recipe.model.encoder.layers > 1:
        yield ("model", "encoder", "layers"), "1, as model.encoder.direction none is a bag of words"


def _heads(recipe: Recipe) -> Disagreements:
    if isinstance(recipe.model, Transformer) and recipe.model.width % recipe.model.heads:
        yield ("model", "heads"), f"a divisor of model.width, {recipe.model.width}"


def _limits(recipe: Recipe) -> Disagreements:
    if recipe.training.updates is None and recipe.training.epochs is None and recipe.training.minutes is None:
        yield ("training", "updates"), "a limit here, in training.epochs or in training.minutes"
