"""The built-in corpus that the package ships: its splits, lengths and words."""

from __future__ import annotations

import re
from collections import Counter
from itertools import starmap

import pytest

from nmt.data.builtin import SPLITS, pairs
from nmt.data.pairs import Pair, Pairs
from nmt.errors import UserError


def words(text: str) -> list[str]:
    """Lower-cased words without punctuation around them."""
    return re.findall(r"[\w'.:-]*\w", text.lower())


@pytest.fixture(scope="module")
def train() -> list[tuple[str, str]]:
    return pairs("train")


@pytest.fixture(scope="module")
def vocabulary(train: list[tuple[str, str]]) -> list[Counter[str]]:
    return [Counter(word for pair in train for word in words(pair[side])) for side in (0, 1)]


@pytest.mark.parametrize(
    ("split", "sha256"),
    [
        ("train", "5100b417f361de8a95890fd00ba063bf6a6ed0186a5c85357992bd6d11ae6d39"),
        ("valid", "e6056f56ccea6fd82f99bcf19833309fc6f1e63624b771c88243feee1ba160a4"),
        ("test", "ff5e416255b48e7529cd59c9ccd7fc70773f62283e6dd7d6076912a28d3b0e7b"),
        ("natural", "749b936b43613fd9f7bc3729e883f1dcc7c6f72a2e14bd771ba84a902efeee2c"),
    ],
)
def test_the_corpus_is_the_one_that_runs_have_recorded(split: str, sha256: str) -> None:
    assert Pairs.collect(starmap(Pair, pairs(split))).sha256 == sha256


def test_a_count_takes_the_first_pairs() -> None:
    assert pairs("train", count=50) == pairs("train")[:50]


def test_the_languages_can_be_exchanged() -> None:
    assert pairs("test", "en", "de", count=20) == [(english, german) for german, english in pairs("test", count=20)]


@pytest.mark.parametrize(
    ("split", "source", "target", "message"),
    [
        ("train", "fr", "en", r"data\.source: .*'fr'; it has de, en"),
        ("train", "de", "fr", r"data\.target: .*'fr'; it has de, en"),
        ("train", "de", "de", r"data\.target: expected another language than data\.source"),
        ("dev", "de", "en", r"'dev'; it has train, valid, test, natural"),
    ],
)
def test_an_unknown_split_or_language_is_named_with_those_that_exist(
    split: str, source: str, target: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        pairs(split, source, target)


def test_no_pair_comes_twice_and_no_sentence_in_two_splits(train: list[tuple[str, str]]) -> None:
    splits = {split: pairs(split) for split in SPLITS}
    assert all(len(set(found)) == len(found) for found in splits.values())
    for side in (0, 1):
        seen = {pair[side] for pair in train}
        assert all(seen.isdisjoint(pair[side] for pair in splits[split]) for split in ("valid", "test", "natural"))


def test_nearly_every_form_of_the_test_split_occurs_in_training(vocabulary: list[Counter[str]]) -> None:
    for side in (0, 1):
        found = [word for pair in pairs("test") for word in words(pair[side])]
        assert sum(word not in vocabulary[side] for word in found) <= 0.003 * len(found)


def test_lengths_are_spread_from_three_to_sixty_words(train: list[tuple[str, str]]) -> None:
    lengths = sorted(pair[0].count(" ") + 1 for pair in train)
    assert lengths[0] == 3
    assert 50 <= max(len(text.split()) for pair in train for text in pair) <= 60
    assert 9 <= lengths[len(lengths) // 2] <= 12
    assert 0.04 <= sum(length > 30 for length in lengths) / len(lengths) <= 0.07


def test_long_sentences_are_clauses_and_no_lists(train: list[tuple[str, str]]) -> None:
    long = [pair[1] for pair in train if pair[1].count(" ") >= 30]
    joints = re.compile(
        r"\b(because|although|if|when|while|before|after|that|who|whether|but|so|to|and|or|as soon as)\b"
    )
    assert all(len(joints.findall(text)) >= 2 for text in long)


def test_the_natural_set_is_large_and_has_long_sentences() -> None:
    lengths = [pair[0].count(" ") + 1 for pair in pairs("natural")]
    assert len(lengths) >= 220
    assert min(lengths) >= 3
    assert sum(length > 20 for length in lengths) >= 40
    assert max(lengths) <= 40


def test_the_words_of_the_natural_set_are_learned(vocabulary: list[Counter[str]]) -> None:
    found = [(word, side) for pair in pairs("natural") for side in (0, 1) for word in words(pair[side])]
    assert sum(word not in vocabulary[side] for word, side in found) <= 0.002 * len(found)
