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


def test_p_counts_resamples_that_are_as_far_from_what_was_observed_as_that_is_from_zero() -> None:
    resampled = np.array([2.0, 1.0, 3.0, 0.0, 4.5])
    assert bootstrap.p_value(2.0, resampled) == (1 + 2) / (1 + 5)
    assert bootstrap.p_value(-2.0, -resampled) == (1 + 2) / (1 + 5)
    assert bootstrap.p_value(0.0, resampled) == 1.0


@pytest.mark.parametrize("metric", list(metrics.METRICS))
def test_the_resamples_of_a_metric_are_those_behind_the_interval_of_sacrebleu(metric: str) -> None:
    references = sentences(40)
    hypotheses = damaged(references, 0.3)
    score = metrics.score(hypotheses, references, target="en").metrics[metric]
    found = bootstrap.resampled_scores(metric, hypotheses, references, target="en")
    low, high = bootstrap.interval(found.tolist())
    assert score.low is not None
    assert score.high is not None
    assert (found.mean(), (high - low) / 2) == pytest.approx(
        ((score.low + score.high) / 2, (score.high - score.low) / 2)
    )


def test_holm_multiplies_the_smallest_p_by_their_number_the_next_by_one_less_and_keeps_the_order() -> None:
    assert bootstrap.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert bootstrap.holm([0.9, 0.8]) == [1.0, 1.0]
    assert bootstrap.holm([]) == []


def test_holm_rejects_a_true_hypothesis_in_at_most_one_family_of_twenty() -> None:
    """With 6 uniform p-values a family, uncorrected tests reject in 26 % of families; 1,000 families give a standard
    error of 0.7 %, so 7 % is three of them above the promise."""
    draw = np.random.default_rng(1)
    families = draw.random((1000, 6)).tolist()
    assert sum(min(bootstrap.holm(family)) < 0.05 for family in families) < 70
    assert sum(min(family) < 0.05 for family in families) > 200


@pytest.mark.slow
def test_one_in_twenty_pairs_of_equal_systems_has_a_p_value_below_a_twentieth() -> None:
    """Of 300 pairs 15 are expected, with a standard deviation of 3.8; the bounds are three of them away."""
    draw = np.random.default_rng(7)
    words, found = [f"w{number}" for number in range(200)], []
    for _ in range(300):
        references = [" ".join(draw.choice(words, size=draw.integers(5, 20))) for _ in range(200)]
        difficulty = draw.uniform(0.1, 0.7, size=200)
        one, other = (
            bootstrap.counts(
                [
                    " ".join("x" if draw.random() < share else word for word in line.split())
                    for line, share in zip(references, difficulty, strict=True)
                ],
                references,
                target="en",
            )
            for _ in range(2)
        )
        resampled = bootstrap.bleu(bootstrap.resampled(one)) - bootstrap.bleu(bootstrap.resampled(other))
        found.append(bootstrap.p_value(bootstrap.corpus_bleu(one) - bootstrap.corpus_bleu(other), resampled))
    assert 4 <= sum(each < 0.05 for each in found) <= 26
