from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
import torch

from nmt.data import batches as module
from nmt.data.batches import Batch, Batches, TokenIds, collate, pad
from nmt.data.vocabulary import BOS, EOS, PAD

BUDGET = 120
PAIRS = 300


def corpus(pairs: int = PAIRS, longest: int = 30, seed: int = 0) -> tuple[TokenIds, TokenIds]:
    """Pairs that can be told apart: the first piece of both sides is the row."""
    generator = random.Random(seed)
    sides = [[[100 + row] + [9] * generator.randrange(longest) for row in range(pairs)] for _ in range(2)]
    return TokenIds(sides[0]), TokenIds(sides[1])


def batches(seed: int = 1, **changes: int) -> Batches:
    return Batches(*corpus(), seed=seed, batch_tokens=changes.get("batch_tokens", BUDGET))


def epoch_of(given: Batches, epoch: int = 0) -> list[Batch]:
    return [given.batch(epoch, number) for number in range(given.count(epoch))]


def rows(batch: Batch) -> list[int]:
    return (batch.source[:, 0] - 100).tolist()


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def test_every_pair_is_there_once_in_every_epoch() -> None:
    given = batches()
    for epoch in (0, 1, 7):
        assert Counter(row for batch in epoch_of(given, epoch) for row in rows(batch)) == Counter(range(PAIRS))


def test_source_and_target_stay_together() -> None:
    assert all(torch.equal(batch.source[:, 0], batch.expected[:, 0]) for batch in epoch_of(batches()))


def test_a_batch_is_a_function_of_seed_epoch_and_number_alone() -> None:
    used = batches()
    places = [(epoch, number) for epoch in (3, 0, 2) for number in range(used.count(epoch))]
    random.Random(0).shuffle(places)
    for epoch, number in places[:40]:
        random.seed(number)  # what others draw makes no difference
        torch.manual_seed(number)
        assert same(used.batch(epoch, number), batches().batch(epoch, number))


@pytest.mark.parametrize(("seed", "epoch"), [(2, 0), (1, 1)])
def test_another_seed_and_another_epoch_give_another_order(seed: int, epoch: int) -> None:
    assert [rows(batch) for batch in epoch_of(batches(seed), epoch)] != [
        rows(batch) for batch in epoch_of(batches(1), 0)
    ]


def test_batches_do_not_come_in_order_of_length() -> None:
    widths = [batch.source.shape[1] for batch in epoch_of(batches())]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


def test_a_batch_fills_its_budget_of_tokens_on_the_longer_side() -> None:
    sizes = [max(batch.source.numel(), batch.previous.numel()) for batch in epoch_of(batches())]
    assert max(sizes) <= BUDGET
    assert sum(sizes) / len(sizes) > 0.75 * BUDGET  # what is left over is less than one of the rows


@pytest.mark.parametrize(("longer", "kept"), [(39, True), (40, False), (2**21, False)])
@pytest.mark.parametrize("side", [0, 1])
def test_a_pair_that_exceeds_the_budget_alone_is_left_out_and_counted(longer: int, kept: bool, side: int) -> None:
    """With the end of the sentence, 39 tokens are 40 positions."""
    sides = [[*(each[row] for row in range(20)), [100 + 20]] for each in corpus(20, 10)]
    sides[side][20] += [9] * (longer - 1)
    given = Batches(TokenIds(sides[0]), TokenIds(sides[1]), seed=1, batch_tokens=40)
    expected = range(21 if kept else 20)
    assert Counter(row for batch in epoch_of(given) for row in rows(batch)) == Counter(expected)
    assert (given.left_out(0), len(given.lengths(0)[0])) == (21 - len(expected), len(expected))
    assert max(each.max() for each in given.lengths(0)) < 40


def test_windows_cover_every_pair_of_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW", 70)
    assert sorted(row for batch in epoch_of(batches()) for row in rows(batch)) == list(range(PAIRS))


def test_at_the_lengths_of_real_sentences_padding_is_rare() -> None:
    generator = random.Random(0)
    lengths = [max(1, round(generator.gauss(15, 5))) for _ in range(5000)]
    source = TokenIds([[9] * length for length in lengths])
    target = TokenIds([[9] * max(1, round(length * generator.uniform(0.8, 1.25))) for length in lengths])
    found = epoch_of(Batches(source, target, seed=1, batch_tokens=2000))
    real = sum(int(batch.source_mask.sum()) + int(batch.target_mask.sum()) for batch in found)
    assert real > 0.9 * sum(batch.source.numel() + batch.expected.numel() for batch in found)


def test_a_batch_shifts_the_target_by_one_and_ends_the_source() -> None:
    batch = collate([[10, 11], [12]], [[20], [21, 22, 23]])
    assert batch.source.tolist() == [[10, 11, EOS], [12, EOS, PAD]]
    assert batch.previous.tolist() == [[BOS, 20, PAD, PAD], [BOS, 21, 22, 23]]
    assert batch.expected.tolist() == [[20, EOS, PAD, PAD], [21, 22, 23, EOS]]
    assert batch.source_mask.tolist() == [[True, True, True], [True, True, False]]
    assert batch.target_mask.tolist() == [[True, True, False, False], [True, True, True, True]]


def test_an_empty_sentence_is_eos_alone() -> None:
    assert collate([[]], [[]]).source.tolist() == [[EOS]]


def test_stored_sentences_equal_the_given_ones() -> None:
    sentences = [[1, 2], [], [70000], [3]]
    stored = TokenIds(sentences)
    assert [stored[row] for row in range(len(stored))] == sentences


def test_padded_ids_can_be_embedded() -> None:
    tokens, mask = pad([[5], [6, 7]])
    assert (tokens.dtype, mask.dtype) == (torch.int64, torch.bool)


def draw(row: int, generator: random.Random) -> Sequence[int]:
    return [100 + row, *generator.choices(range(10, 90), k=3)]


def test_what_is_drawn_for_a_sentence_depends_on_seed_epoch_batch_row_and_side_alone() -> None:
    source, target = corpus()
    one, other = (Batches(source, target, seed=1, batch_tokens=BUDGET, sample=(draw, draw)) for _ in range(2))
    assert same(one.batch(0, 3), other.batch(0, 3))
    one.batch(1, 2)
    assert same(one.batch(0, 3), other.batch(0, 3))


def test_what_is_drawn_for_a_sentence_does_not_depend_on_how_much_its_neighbours_draw() -> None:
    def greedy(row: int, generator: random.Random) -> Sequence[int]:
        if row % 2:
            generator.random()
        return draw(row, generator)

    source, target = corpus()
    plain, mixed = (
        Batches(source, target, seed=1, batch_tokens=BUDGET, sample=(each, draw)).batch(0, 0) for each in (draw, greedy)
    )
    even = torch.tensor([row % 2 == 0 for row in rows(plain)])
    assert 0 < even.sum() < len(even)
    assert torch.equal(mixed.source[even], plain.source[even])
    assert not torch.equal(mixed.source[~even], plain.source[~even])
    assert torch.equal(mixed.expected, plain.expected)


def test_another_epoch_and_the_other_side_draw_other_segmentations() -> None:
    source, target = corpus()
    given = Batches(source, target, seed=1, batch_tokens=BUDGET, sample=(draw, draw))
    drawn = [{row[0]: row for batch in epoch_of(given, epoch) for row in batch.source.tolist()} for epoch in (0, 1)]
    assert (
        sum(drawn[0][row] == drawn[1][row] for row in drawn[0]) < PAIRS / 100
    )  # three of 80 pieces coincide once in 512,000
    batch = given.batch(0, 0)
    assert not torch.equal(batch.source[:, :4], batch.expected[:, :4])


def test_concatenated_sentences_hold_every_pair_once_in_every_epoch_with_both_sides_in_the_same_order() -> None:
    given = Batches(*corpus(), seed=1, batch_tokens=400, most_sentences=4)
    for epoch in (0, 1):
        pairs = [
            (source[source >= 100].tolist(), target[target >= 100].tolist())
            for batch in epoch_of(given, epoch)
            for source, target in examples(batch)
        ]
        assert all(source == target for source, target in pairs)
        assert sorted(row - 100 for source, _ in pairs for row in source) == list(range(PAIRS))
        assert {len(source) for source, _ in pairs} == {1, 2, 3, 4}


def examples(batch: Batch) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(zip(batch.source, batch.expected, strict=True))


def test_sentences_are_grouped_anew_in_every_epoch() -> None:
    given = Batches(*corpus(), seed=1, batch_tokens=10**6, most_sentences=4)
    first, again, second = (sorted(map(tuple, given.batch(epoch, 0).source.tolist())) for epoch in (0, 0, 1))
    assert first == again != second


def test_groups_grow_over_the_first_epochs_and_hold_every_pair_throughout() -> None:
    grown, growing = (
        Batches(*corpus(), seed=1, batch_tokens=10**6, most_sentences=4, growth=growth) for growth in (0, 3)
    )
    longest = [
        max(len(growing._rows(example)) for example in range(len(growing.lengths(epoch)[0]))) for epoch in range(4)
    ]
    assert longest == [1, 2, 3, 4]
    assert all(growing.lengths(epoch)[0].sum() == grown.lengths(epoch)[0].sum() for epoch in range(4))


def test_the_lengths_of_an_epoch_are_those_of_its_groups_of_sentences() -> None:
    given = Batches(*corpus(), seed=1, batch_tokens=10**6, most_sentences=4)
    batch = given.batch(2, 0)
    assert sorted(given.lengths(2)[0] + 1) == sorted(batch.source_mask.sum(1).tolist())
    assert sorted(given.lengths(2)[1] + 1) == sorted(batch.target_mask.sum(1).tolist())
