from __future__ import annotations

import pytest

from nmt.errors import UserError
from nmt.evaluation import metrics
from nmt.evaluation.lengths import by_length


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))


def test_buckets_count_to_the_whole_and_empty_ones_are_left_out() -> None:
    counts = [0, 1, 5, 6, 10, 11, 15, 16, 20, 21, 30, 51, 200]
    lines = [words(count) for count in counts]
    buckets = by_length(lines, lines, lines, target="en")
    assert [(bucket.label, bucket.sentences) for bucket in buckets] == [
        ("0", 1),
        ("1-5", 2),
        ("6-10", 2),
        ("11-15", 2),
        ("16-20", 2),
        ("21-30", 2),
        ("51+", 2),
    ]
    assert sum(bucket.sentences for bucket in buckets) == len(counts)


def test_a_bucket_is_scored_on_its_own_sentences() -> None:
    sources = [words(4), words(40), words(5), words(45)]
    references = [words(6), words(30), words(7), words(35)]
    hypotheses = [words(6), words(15), words(7), words(20)]
    short, long = by_length(sources, hypotheses, references, target="en")
    assert short.bleu.value == pytest.approx(100)
    assert long.bleu == metrics.score_bleu([hypotheses[1], hypotheses[3]], [references[1], references[3]], target="en")
    assert long.bleu.length_ratio == 35 / 65
    assert long.bleu.brevity_penalty < 1
    assert long.bleu.low is not None


@pytest.mark.parametrize(("count", "small"), [(99, True), (100, False)])
def test_buckets_under_a_hundred_sentences_are_marked(count: int, small: bool) -> None:
    lines = [words(8)] * count
    [bucket] = by_length(lines, lines, lines, target="en")
    assert (bucket.small, bucket.as_json()["small"]) == (small, small)


def test_sources_of_another_count_are_refused() -> None:
    with pytest.raises(UserError, match="1 sources, but 2 references"):
        by_length(["a"], ["a", "b"], ["a", "b"], target="en")
