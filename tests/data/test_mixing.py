from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from nmt.data.cache import Cache
from nmt.data.corpus import Corpus
from nmt.data.metadata import CorpusMetadata, SplitRecord
from nmt.data.mixing import mixed
from nmt.data.pairs import Pairs
from nmt.errors import UserError


def numbered(word: str, count: int) -> Pairs:
    texts = [f"{word} {number}" for number in range(count)]
    return Pairs(texts, [text.upper() for text in texts])


def corpus(train: int = 70) -> Corpus:
    splits = {"train": numbered("new", train), "valid": numbered("valid", 4), "test": numbered("test", 4)}
    records = {name: SplitRecord(pairs=len(pairs), sha256=pairs.sha256) for name, pairs in splits.items()}
    return Corpus(splits["train"], splits["valid"], splits["test"], CorpusMetadata(fallback=None, splits=records))


@pytest.mark.parametrize(("share", "count"), [(0.3, 30), (0.5, 70), (0.01, 1)])
def test_pairs_of_the_earlier_corpus_are_that_share_of_all(share: float, count: int) -> None:
    both = mixed(corpus(), numbered("old", 500), share)
    assert len(both.train) == 70 + count
    assert list(both.train.source[:70]) == list(corpus().train.source)
    drawn = list(zip(both.train.source[70:], both.train.target[70:], strict=True))
    assert len(set(drawn)) == count
    assert all(source.startswith("old ") and target == source.upper() for source, target in drawn)


def test_they_are_drawn_from_all_of_it_and_every_time_alike() -> None:
    one, other = (mixed(corpus(), numbered("old", 500), 0.3) for _ in range(2))
    assert one.train.sha256 == other.train.sha256 == one.metadata.splits["train"].sha256
    rows = [int(source.split()[1]) for source in one.train.source[70:]]
    assert min(rows) < 100 < 400 < max(rows)


def test_an_earlier_corpus_that_is_too_small_is_taken_whole() -> None:
    assert len(mixed(corpus(), numbered("old", 5), 0.5).train) == 75


def test_what_is_validated_or_tested_is_not_trained_on() -> None:
    """The new test set may hold sentences of the old training split."""
    both = mixed(corpus(), Pairs(["test 1", "valid 2", "old 1"], ["a", "b", "c"]), 0.5)
    assert list(both.train.source[70:]) == ["old 1"]


def test_text_that_is_too_large_for_memory_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"training\.mix: .* raise data\.in_memory to mix"):
        mixed(replace(corpus(), cache=Cache(tmp_path, print)), numbered("old", 5), 0.5)
