"""Scores of many resamples of a test set at once, from counts per sentence; p-values from resamples.

For a number of sentences the resamples are always the same, so that systems are compared on the same ones (paired
bootstrap: Koehn 2004, W04-3250).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nmt.evaluation import metrics

Counts: TypeAlias = "NDArray[np.int64]"
Values: TypeAlias = "NDArray[np.float64]"


def counts(hypotheses: Sequence[str], references: Sequence[str], *, target: str) -> Counts:
    """Counts ``(sentence, 10)``: both lengths, matched n-grams and all n-grams of 1 to 4 tokens."""
    metrics.check(hypotheses, references)
    metric = metrics.METRICS["bleu"](target)
    found = [
        metric.corpus_score([hypothesis], [[reference]])
        for hypothesis, reference in zip(hypotheses, references, strict=True)
    ]
    return np.array([[one.sys_len, one.ref_len, *one.counts, *one.totals] for one in found], dtype=np.int64)


def bleu(sums: Counts) -> Values:
    """BLEU of summed counts, ``(..., 10) -> (...)``, with the exponential smoothing of sacrebleu.

    The first order without a match counts as half a match, the second as a quarter, and so on. Without any match, or
    without an n-gram of some order, BLEU is 0.
    """
    hypothesis, reference = sums[..., 0], sums[..., 1]
    matched, total = sums[..., 2:6], sums[..., 6:]
    smoothed = np.where(matched, matched, 0.5 ** np.cumsum(matched == 0, axis=-1))
    precision = smoothed / np.maximum(total, 1)
    brevity = np.exp(np.minimum(0, 1 - reference / np.maximum(hypothesis, 1)))
    score: Values = np.where(matched.any(-1) & total.all(-1), 100 * brevity * np.exp(np.log(precision).mean(-1)), 0.0)
    return score


def corpus_bleu(counted: Counts) -> float:
    """BLEU of all sentences, equal to that of sacrebleu."""
    return float(bleu(counted.sum(0)))


def resampled(counted: Counts) -> Counts:
    """Summed counts of each resample of the sentences: ``(sentence, 10) -> (resample, 10)``."""
    return np.stack([counted[rows].sum(0) for rows in draws(len(counted))])


def resampled_scores(metric: str, hypotheses: Sequence[str], references: Sequence[str], *, target: str) -> Values:
    """One metric of `metrics.METRICS` on each resample of the sentences, ``(resample,)``."""
    metrics.check(hypotheses, references)
    scorer = metrics.METRICS[metric](target)
    counted = np.array(scorer._extract_corpus_statistics(hypotheses, [references]), dtype=np.float32)
    return np.array([scorer._compute_score_from_stats(counted[rows].sum(0)).score for rows in draws(len(counted))])


def draws(sentences: int) -> NDArray[np.int64]:
    """The sentences of each resample, ``(resample, sentence)``; a function of the number of sentences."""
    return np.random.default_rng(metrics.SEED).choice(sentences, size=(metrics.RESAMPLES, sentences), replace=True)


def interval(values: Iterable[float]) -> tuple[float, float]:
    """The 2.5 and 97.5 percentiles."""
    ordered = sorted(values)
    outside = len(ordered) // 40
    return ordered[outside], ordered[-outside - 1]


def p_value(observed: float, resampled: Values) -> float:
    """Two-sided: (1 + #{|resampled - observed| >= |observed|}) / (1 + resamples).

    Resamples vary about the observation as observations vary about the truth; shifted by the observation they are
    samples under a true difference of 0. The 1 counts the observation, so p is never 0 (Davison and Hinkley 1997,
    chapter 4).
    """
    return (1 + int(np.count_nonzero(np.abs(resampled - observed) >= abs(observed)))) / (1 + len(resampled))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979): the k-th smallest of m times m + 1 - k, never decreasing."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected, largest = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
