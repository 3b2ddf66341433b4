from __future__ import annotations

from collections import Counter

from nmt.data import concatenation
from nmt.data.pairs import Pairs


def test_fixed_packs_hold_every_row_once_in_order() -> None:
    assert [list(pack) for pack in concatenation.fixed(7, 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [list(pack) for pack in concatenation.fixed(2, 8)] == [[0, 1]]


def test_drawn_packs_hold_every_row_once_and_every_size_about_as_often() -> None:
    drawn = concatenation.drawn(9000, 4, [1, 0])
    assert sorted(row for pack in drawn for row in pack.tolist()) == list(range(9000))
    sizes = Counter(map(len, drawn))
    # some 3,600 packs: each size comes 900 times give or take 26, and 6 times that is never seen by chance
    assert set(sizes) == {1, 2, 3, 4}
    assert all(abs(count - len(drawn) / 4) < 160 for count in sizes.values())


def test_drawn_packs_are_a_function_of_the_seed_alone() -> None:
    one, same, other = (
        ["-".join(map(str, pack)) for pack in concatenation.drawn(50, 3, seed)] for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert one == same != other


def test_sentences_of_a_pack_are_joined_by_one_space_and_blank_ones_add_none() -> None:
    pairs = concatenation.join(Pairs(["a ", " ", "c"], ["A", "B", "C"]), [range(2), range(3), [2, 0]])
    assert pairs.source == ["a", "a c", "c a"]
    assert pairs.target == ["A B", "A B C", "C A"]


def test_packs_grow_from_single_sentences_to_the_largest_and_stay_there() -> None:
    assert [concatenation.most(epoch, 8, 4) for epoch in range(6)] == [1, 2, 4, 6, 8, 8]
    assert [concatenation.most(epoch, 8, 0) for epoch in range(2)] == [8, 8]
