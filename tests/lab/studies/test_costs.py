from __future__ import annotations

import json
import random
from statistics import fmean, stdev

import pytest
import sacrebleu

from nmt.errors import UserError
from nmt.evaluation import bootstrap
from nmt.lab.studies import concatenated, costs
from nmt.lab.studies.costs import Sides

WORDS = [f"word{number}" for number in range(40)]
DRAW = random.Random(5)
REFERENCES = [" ".join(DRAW.choices(WORDS, k=8)) for _ in range(96)]


def damaged(share: float, seed: int) -> list[str]:
    """The outputs of a system that gets this share of the words wrong, sentence by sentence."""
    draw = random.Random(seed)
    return [" ".join("wrong" if draw.random() < share else word for word in line.split()) for line in REFERENCES]


def counts(outputs: list[str], size: int) -> bootstrap.Counts:
    return bootstrap.counts(outputs, concatenated.join(REFERENCES, size), target="en")


def forgetful(size: int, share: float, seed: int = 1) -> Sides:
    """A system that gets some words right, and says only this share of the words of concatenated sentences."""
    one_by_one = concatenated.join(damaged(0.1, seed), size)
    together = [" ".join(line.split()[: round(share * len(line.split()))]) for line in one_by_one]
    return Sides(counts(one_by_one, size), counts(together, size))


def test_the_cost_is_the_bleu_one_by_one_less_that_concatenated() -> None:
    single, together, references = (
        concatenated.join(lines, 3) for lines in (damaged(0.1, 1), damaged(0.3, 2), REFERENCES)
    )
    cost = costs.cost(counts(single, 3), counts(together, 3))
    theirs = [sacrebleu.corpus_bleu(lines, [references]).score for lines in (single, together)]
    assert (cost.one_by_one, cost.concatenated) == pytest.approx(theirs)
    assert cost.value == pytest.approx(theirs[0] - theirs[1])
    assert cost.kept == pytest.approx(theirs[1] / theirs[0])
    assert 0 < cost.low < cost.value < cost.high
    assert cost.items == 32


def test_concatenation_costs_nothing_where_both_sides_are_equal() -> None:
    cost = costs.cost(*forgetful(4, 1.0))
    assert (cost.value, cost.low, cost.high, cost.kept) == (0.0, 0.0, 0.0, 1.0)
    nothing = counts([""] * 24, 4)
    assert costs.cost(nothing, nothing).kept is None


def test_between_identical_systems_there_is_no_effect() -> None:
    system = {seed: forgetful(4, 0.6, seed) for seed in (1, 2)}
    effect = costs.effect(system, dict(system))
    assert [(seed.value, seed.low, seed.high, seed.p_value) for seed in effect.seeds] == [(0.0, 0.0, 0.0, 1.0)] * 2
    assert effect.over_seeds == costs.Spread(count=2, mean=0.0, smallest=0.0, largest=0.0, deviation=0.0)


def test_against_a_system_without_cost_the_effect_is_the_cost_itself() -> None:
    system, other = forgetful(4, 0.6), forgetful(4, 1.0, seed=2)
    [seed] = costs.effect({7: system}, {7: other}).seeds
    cost = costs.cost(*system)
    assert (seed.seed, seed.value, seed.low, seed.high) == (7, cost.value, cost.low, cost.high)
    assert seed.p_value == 1 / 1001


def test_an_effect_seen_from_the_other_system_has_the_other_sign_and_the_same_p() -> None:
    one, other = ({1: Sides(counts(damaged(0.1, 1), 1), counts(damaged(0.2, seed), 1))} for seed in (2, 3))
    [there], [back] = costs.effect(one, other).seeds, costs.effect(other, one).seeds
    assert back.value == -there.value
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == there.p_value > 0.01


def test_the_spread_over_seeds_is_that_of_the_effects() -> None:
    of, against = ({seed: forgetful(4, share, seed) for seed in (1, 2, 3)} for share in (0.6, 0.9))
    effect = costs.effect(of, against)
    values = [seed.value for seed in effect.seeds]
    assert len(set(values)) == 3
    expected = costs.Spread(
        count=3, mean=fmean(values), smallest=min(values), largest=max(values), deviation=stdev(values)
    )
    assert effect.over_seeds == expected
    assert costs.spread([4.0]).deviation is None
    assert json.loads(json.dumps(effect.as_json()))["over_seeds"]["mean"] == fmean(values)


def test_other_seeds_and_other_sizes_are_not_compared() -> None:
    system = forgetful(4, 0.6)
    with pytest.raises(UserError, match=r"same seeds of both systems, found \[1, 2\] and \[1\]"):
        costs.effect({1: system, 2: system}, {1: system})
    with pytest.raises(UserError, match="outputs were scored against different references"):
        costs.cost(forgetful(2, 1.0).one_by_one, system.concatenated)
    with pytest.raises(UserError, match="outputs were scored against different references"):
        costs.effect({1: system}, {1: forgetful(2, 1.0)})


@pytest.mark.parametrize(
    ("sizes", "kept", "value", "label"),
    [
        ((1, 2, 3, 4), (1.0, 0.9, 0.6, 0.2), 3.25, "3.2"),  # 0.1 of the 0.4 that are lost from 3 to 4
        ((1, 2, 4), (1.0, 0.75, 0.5), 4.0, "4.0"),
        ((1, 2, 4), (0.3, 0.25, 0.2), 1 + 2 / 3, "1.7"),  # k = 1 is 1 whatever was measured
        ((2, 4, 6), (0.8, 0.4, 0.9), 3.5, "3.5"),  # the first time counts
        ((2, 4, 8), (0.9, 0.8, 0.7), None, "> 8"),
        ((2, 4, 8), (0.4, 0.3, 0.2), 2.0, "< 2"),
        ((8, 2, 4), (0.2, 0.9, 0.8), 6.0, "6.0"),  # in any order
    ],
)
def test_k50_is_where_the_share_kept_first_falls_to_half(
    sizes: tuple[int, ...], kept: tuple[float, ...], value: float | None, label: str
) -> None:
    found = costs.k50(sizes, kept)
    assert found.value == (None if value is None else pytest.approx(value))
    assert found.label == label


def test_the_interval_of_k50_is_over_blocks_that_every_size_divides() -> None:
    system = {1: forgetful(1, 1.0), 2: forgetful(2, 0.8), 4: forgetful(4, 0.5)}
    capacity = costs.capacity(system)
    assert capacity.blocks == 24
    assert capacity.kept == (1.0, costs.cost(*system[2]).kept, costs.cost(*system[4]).kept)
    assert capacity.k50 is not None
    assert capacity.k50.value is not None
    assert capacity.low is not None
    assert capacity.low.value is not None
    assert capacity.high is not None
    assert capacity.high.value is not None
    assert 2 < capacity.low.value < capacity.k50.value < capacity.high.value < 4
    assert json.loads(json.dumps(capacity.as_json()))["k50"]["label"] == capacity.k50.label


def test_an_interval_may_lie_beyond_what_was_measured() -> None:
    capacity = costs.capacity({2: forgetful(2, 1.0), 4: forgetful(4, 1.0)})
    assert [bound.label for bound in (capacity.k50, capacity.low, capacity.high) if bound] == ["> 4"] * 3
    capacity = costs.capacity({2: forgetful(2, 0.2), 4: forgetful(4, 0.2)})
    assert [bound.label for bound in (capacity.k50, capacity.low, capacity.high) if bound] == ["< 2"] * 3


def test_few_blocks_give_no_interval_and_a_score_of_0_one_by_one_no_k50() -> None:
    few = costs.capacity({1: forgetful(1, 1.0), 8: forgetful(8, 0.3)})
    assert (few.blocks, few.low, few.high) == (12, None, None)
    assert few.k50 is not None
    nothing = counts([""] * 48, 2)
    mute = costs.capacity({2: Sides(nothing, nothing)})
    assert (mute.kept, mute.k50, mute.low, mute.high) == ((None,), None, None, None)


def test_sizes_with_other_sentences_give_no_k50() -> None:
    shorter = Sides(*(side[:-3] for side in forgetful(4, 0.5)))
    with pytest.raises(UserError, match="k = 2, 4 hold different numbers of sentences"):
        costs.capacity({2: forgetful(2, 0.8), 4: shorter})
