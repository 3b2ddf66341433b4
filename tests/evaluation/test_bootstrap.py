from __future__ import annotations

import random

import numpy as np
import pytest
import sacrebleu

from nmt.evaluation import bootstrap, metrics

WORDS = [f"word{number}" for number in range(30)]


def sentences(count: int, longest: int = 14) -> list[str]:
    draw = random.Random(1)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, longest))) + "." for _ in range(count)]


def damaged(lines: list[str], share: float) -> list[str]:
    draw = random.Random(2)
    return [" ".join("wrong" if draw.random() < share else word for word in line.split()) for line in lines]


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 0.95])
@pytest.mark.parametrize("kept", [0.5, 1.0, 1.5])
def test_bleu_from_counts_is_that_of_sacrebleu_also_where_long_matches_are_missing_or_the_output_is_short_or_long(
    share: float, kept: float
) -> None:
    references = sentences(12)
    hypotheses = [" ".join((line.split() * 2)[: int(kept * len(line.split()))]) for line in damaged(references, share)]
    ours = bootstrap.corpus_bleu(bootstrap.counts(hypotheses, references, target="en"))
    assert ours == pytest.approx(sacrebleu.corpus_bleu(hypotheses, [references]).score, abs=1e-9)


@pytest.mark.parametrize("hypotheses", [["", ""], ["b", "c"], ["a", "a b c"], ["a b", "a b c"], ["a b c d x", ""]])
def test_nothing_said_nothing_right_and_nothing_long_enough_score_as_sacrebleu_scores_them(
    hypotheses: list[str],
) -> None:
    references = ["a b c d e", "a b c"]
    ours = bootstrap.corpus_bleu(bootstrap.counts(hypotheses, references, target="en"))
    assert ours == pytest.approx(sacrebleu.corpus_bleu(hypotheses, [references]).score, abs=1e-9)


def test_resampled_bleu_is_that_of_the_resampled_corpus() -> None:
    references = sentences(15, longest=6)
    hypotheses = damaged(references, 0.5)
    ours = bootstrap.bleu(bootstrap.resampled(bootstrap.counts(hypotheses, references, target="en")))
    assert ours.shape == (metrics.RESAMPLES,)
    for value, rows in list(zip(ours.tolist(), bootstrap.draws(15).tolist(), strict=True))[::25]:
        theirs = sacrebleu.corpus_bleu([hypotheses[row] for row in rows], [[references[row] for row in rows]])
        assert value == pytest.approx(theirs.score, abs=1e-9)


def test_equally_many_sentences_are_always_resampled_alike() -> None:
    assert np.array_equal(bootstrap.draws(7), bootstrap.draws(7))


def test_an_interval_leaves_out_a_fortieth_at_either_end() -> None:
    assert bootstrap.interval(reversed(range(1000))) == (25, 974)
    assert bootstrap.interval([3.0]) == (3.0, 3.0)
