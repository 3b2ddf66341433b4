"""The corpus as a whole: its splits, lengths, words, and that it is the same everywhere."""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from nmt.data import builtin
from nmt.data.builtin import SPLITS
from tools.builtin_corpus import __main__
from tools.builtin_corpus.combinations import split_of
from tools.builtin_corpus.corpus import generated, pairs
from tools.builtin_corpus.lexicon import lexicon

FINGERPRINT = """
import hashlib
from {module} import pairs
print(hashlib.sha256(repr([pairs(split)[:200] for split in ("valid", "test", "natural")]).encode()).hexdigest())
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


@pytest.mark.parametrize("split", SPLITS)
def test_the_package_ships_what_is_generated(split: str) -> None:
    assert builtin.pairs(split) == pairs(split)


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_the_order_of_sets_changes_nothing(seed: str) -> None:
    shipped, made = (
        subprocess.run(
            [sys.executable, "-c", FINGERPRINT.format(module=module)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for module in ("nmt.data.builtin", "tools.builtin_corpus.corpus")
    )
    assert made == shipped


def test_the_file_has_the_same_bytes_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "SPLITS", ("test", "natural"))
    for name in ("one", "other"):
        monkeypatch.setattr(__main__, "FILE", tmp_path / name)
        __main__.main()
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    assert lzma.decompress((tmp_path / "one").read_bytes()).startswith(b"test\t")


def test_a_shorter_corpus_begins_a_longer_one() -> None:
    assert generated("train", 50) == generated("train", 200)[:50]


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
