from __future__ import annotations

from collections import Counter

from nmt.data import concatenation
from nmt.data.pairs import Pairs


def test_random_groups_hold_every_row_once_and_every_size_about_as_often() -> None:
    groups = concatenation.random_groups(9000, 4, [1, 0])
    assert sorted(row for group in groups for row in group.tolist()) == list(range(9000))
    sizes = Counter(map(len, groups))
    # some 3,600 groups: each size comes 900 times give or take 26, and 6 times that is never seen by chance
    assert set(sizes) == {1, 2, 3, 4}
    assert all(abs(count - len(groups) / 4) < 160 for count in sizes.values())


def test_random_groups_are_a_function_of_the_seed_alone() -> None:
    one, same, other = (
        ["-".join(map(str, group)) for group in concatenation.random_groups(50, 3, seed)]
        for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert one == same != other


def test_sentences_of_a_group_are_separated_by_one_space_and_blank_ones_add_none() -> None:
    pairs = concatenation.concatenate(Pairs(["a ", " ", "c"], ["A", "B", "C"]), [range(2), range(3), [2, 0]])
    assert pairs.source == ["a", "a c", "c a"]
    assert pairs.target == ["A B", "A B C", "C A"]


def test_groups_grow_from_single_sentences_to_the_largest_and_stay_there() -> None:
    assert [concatenation.largest_group(epoch, 8, 4) for epoch in range(6)] == [1, 2, 4, 6, 8, 8]
    assert [concatenation.largest_group(epoch, 8, 0) for epoch in range(2)] == [8, 8]
