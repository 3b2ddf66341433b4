"""The corpus as a whole: its splits, lengths, words, and that it is the same everywhere."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter

import pytest

from nmt.data.builtin.combinations import split_of
from nmt.data.builtin.corpus import SPLITS, generated, pairs
from nmt.data.builtin.lexicon import lexicon
from nmt.errors import UserError

FINGERPRINT = """
import hashlib
from nmt.data.builtin.corpus import pairs
print(hashlib.sha256(repr([pairs(split, count=200) for split in ("train", "valid", "test")]).encode()).hexdigest())
"""


def words(text: str) -> list[str]:
    """Lower-cased words without punctuation around them."""
    return re.findall(r"[\w'.:-]*\w", text.lower())


@pytest.fixture(scope="module")
def train() -> list[tuple[str, str]]:
    return pairs("train")


@pytest.fixture(scope="module")
def vocabulary(train: list[tuple[str, str]]) -> list[Counter[str]]:
    return [Counter(word for pair in train for word in words(pair[side])) for side in (0, 1)]


def test_thirty_thousand_pairs_take_less_than_ten_seconds() -> None:
    generated.cache_clear()
    start = time.process_time()
    assert len(pairs("train")) == 30_000
    assert time.process_time() - start < 10


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_the_order_of_sets_changes_nothing(seed: str) -> None:
    here = hashlib.sha256(repr([pairs(split, count=200) for split in ("train", "valid", "test")]).encode()).hexdigest()
    there = subprocess.run(
        [sys.executable, "-c", FINGERPRINT],
        env=os.environ | {"PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert there.stdout.strip() == here


def test_a_shorter_corpus_begins_a_longer_one() -> None:
    assert pairs("train", count=50) == pairs("train", count=200)[:50]


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
def test_what_there_is_not_is_named_beside_what_there_is(split: str, source: str, target: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        pairs(split, source, target)


def test_no_pair_comes_twice_and_no_sentence_in_two_splits(train: list[tuple[str, str]]) -> None:
    splits = {split: pairs(split) for split in SPLITS}
    assert all(len(set(found)) == len(found) for found in splits.values())
    for side in (0, 1):
        seen = {pair[side] for pair in train}
        assert all(seen.isdisjoint(pair[side] for pair in splits[split]) for split in ("valid", "test", "natural"))


def test_every_test_sentence_holds_a_combination_that_training_never_has() -> None:
    trained = {combination for sentence in generated("train", 30_000) for combination in sentence.combinations}
    for split in ("valid", "test"):
        held_out = [
            [entry for entry in sentence.combinations if split_of(*entry) == split]
            for sentence in generated(split, 1_000)
        ]
        assert all(held_out)
        assert trained.isdisjoint(entry for found in held_out for entry in found)


def test_the_combinations_of_a_sentence_are_said_in_it() -> None:
    plurals = {noun.english: noun.english_plural for noun in lexicon().nouns}
    for sentence in generated("test", 1_000):
        said = f" {' '.join(words(sentence.english))} "
        for _, noun in sentence.combinations:
            assert (
                any(f" {form.lower()}{end} " in said for form in (noun, plurals[noun]) for end in ("", "'s"))
                or " it " in said
            ), (noun, sentence)


def test_every_word_of_the_lexicon_occurs_in_training(vocabulary: list[Counter[str]]) -> None:
    german, english = vocabulary
    for noun in lexicon().nouns:
        assert any(form.lower() in german for form in noun.forms[0] + noun.forms[1]), noun.german
        assert noun.english.lower().split()[-1] in english or noun.english_plural.split()[-1] in english, noun.english
    for verb in lexicon().verbs:
        forms = {*verb.present, *verb.preterite, *verb.participle.split(), verb.prefix + verb.infinitive}
        assert any(form in german for form in forms), verb.infinitive


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
