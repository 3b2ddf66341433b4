from __future__ import annotations

import numpy as np

from nmt.lab.experiments.clauses import (
    HELD_OUT,
    NOUNS,
    TESTING,
    TRAINING,
    VERBS,
    VOCABULARY,
    WORDS,
    Clause,
    Phrase,
    draw_clause,
    minimal_pairs,
)
from nmt.lab.experiments.learning import FIRST

THE, DOG, CAT, CHASED, BIG = FIRST, FIRST + 1, FIRST + 2, FIRST + 1 + NOUNS, FIRST + 1 + NOUNS + VERBS
CLAUSE = Clause(Phrase(0, 0), 0, Phrase(1, None))


def test_a_clause_reads_subject_verb_object_and_is_translated_verb_last() -> None:
    assert CLAUSE.source() == [THE, BIG, DOG, CHASED, THE, CAT]
    assert CLAUSE.target() == [WORDS + word for word in (DOG, BIG, CAT, CHASED)]


def test_a_swapped_clause_has_the_same_words_and_another_translation() -> None:
    for clause, swapped in minimal_pairs(100):
        assert sorted(clause.source()) == sorted(swapped.source())
        assert clause.source() != swapped.source()
        assert clause.target() != swapped.target()
        assert swapped.swapped() == clause


def test_no_pair_of_nouns_of_the_test_stands_in_training_in_either_order() -> None:
    trained, tested = ({frozenset(pair) for pair in pairs.tolist()} for pairs in (TRAINING, TESTING))
    assert not trained & tested
    assert len(tested) == HELD_OUT
    assert len(trained) + len(tested) == NOUNS * (NOUNS - 1) // 2
    assert {frozenset((one.subject.noun, one.object.noun)) for one, _ in minimal_pairs(100)} <= tested


def test_minimal_pairs_are_different_and_the_same_every_time() -> None:
    pairs = minimal_pairs(100)
    assert len({frozenset(pair) for pair in pairs}) == 100
    assert pairs == minimal_pairs(100)


def test_drawn_clauses_use_every_word_of_both_languages_but_an_article_in_the_target() -> None:
    generator = np.random.default_rng(0)
    clauses = [draw_clause(generator, TRAINING) for _ in range(2000)]
    assert {word for clause in clauses for word in clause.source()} == set(range(THE, FIRST + WORDS))
    assert {word for clause in clauses for word in clause.target()} == set(range(FIRST + WORDS + 1, VOCABULARY))
