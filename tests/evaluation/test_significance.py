from __future__ import annotations

import random

import pytest
import sacrebleu

from nmt.errors import UserError
from nmt.evaluation import metrics, significance

WORDS = [f"word{number}" for number in range(40)]


def references() -> list[str]:
    draw = random.Random(3)
    return [" ".join(draw.choices(WORDS, k=12)) for _ in range(120)]


def system(share: float, seed: int) -> list[str]:
    """A system that gets this share of words wrong."""
    draw = random.Random(seed)
    return [" ".join("wrong" if draw.random() < share else word for word in line.split()) for line in references()]


def test_identical_systems_do_not_differ_significantly() -> None:
    same = system(0.2, seed=1)
    [differences] = significance.paired_bootstrap([same, list(same)], references(), target="en")
    assert [(one.metric, one.difference, one.p_value, one.significant) for one in differences] == [
        (metric, 0.0, 1.0, False) for metric in ("BLEU", "chrF2", "TER")
    ]


def test_much_better_is_significant_and_equally_good_is_not() -> None:
    equal, better = significance.paired_bootstrap(
        [system(0.2, seed=1), system(0.2, seed=2), system(0.05, seed=3)], references(), target="en"
    )
    assert [one.significant for one in equal] == [False] * 3
    assert [one.significant for one in better] == [True] * 3
    assert better[0].low is not None
    assert 0 < better[0].low < better[0].difference
    assert better[2].difference < 0  # TER counts errors


def test_values_are_those_of_sacrebleu_and_signatures_name_the_resamples() -> None:
    first, second = system(0.2, seed=1), system(0.1, seed=2)
    [(bleu, chrf, ter)] = significance.paired_bootstrap([first, second], references(), target="en")
    assert bleu.value == pytest.approx(sacrebleu.corpus_bleu(second, [references()]).score)
    assert chrf.difference == pytest.approx(
        sacrebleu.corpus_chrf(second, [references()]).score - sacrebleu.corpus_chrf(first, [references()]).score
    )
    assert ter.value == pytest.approx(sacrebleu.corpus_ter(second, [references()]).score)
    assert all("bs:1000|seed:12345|" in one.signature for one in (bleu, chrf, ter))


def test_the_interval_of_the_difference_to_a_perfect_system_is_that_of_the_system_itself() -> None:
    """100 is 100 in every resample, so the difference to it varies as the system does: two ways to one interval."""
    first = system(0.2, seed=1)
    low, high = significance.bleu_interval(references(), first, references(), target="en")
    alone = metrics.score_bleu(first, references(), target="en")
    assert alone.low is not None
    assert alone.high is not None
    assert (high - low) / 2 == pytest.approx((alone.high - alone.low) / 2, abs=1e-4)  # sacrebleu adds up in float32


def test_fewer_sentences_tell_fewer_differences() -> None:
    many, few = references(), references()[:20]
    [differences] = significance.paired_bootstrap([system(0.2, 1), system(0.1, 2)], many, target="en")
    [of_few] = significance.paired_bootstrap([system(0.2, 1)[:20], system(0.1, 2)[:20]], few, target="en")
    assert differences[0].detectable is not None
    assert of_few[0].detectable is not None
    assert of_few[0].detectable > differences[0].detectable


def test_systems_of_other_lengths_and_single_systems_are_refused() -> None:
    with pytest.raises(UserError, match="119 hypotheses, but 120 references"):
        significance.paired_bootstrap([system(0.2, 1), system(0.1, 2)[:-1]], references(), target="en")
    with pytest.raises(UserError, match="at least 2 systems"):
        significance.paired_bootstrap([system(0.2, 1)], references(), target="en")
