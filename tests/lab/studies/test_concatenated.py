from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

import pytest
import sacrebleu
from hypothesis import given, settings, strategies as st

from nmt.errors import UserError
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies import concatenated

PARTS = ["A man sleeps.", "Two dogs run across the grass.", "A woman sings.", "Three men wait in the rain."]
LINES = st.lists(st.sampled_from("abc"), max_size=6).map(" ".join)


def test_a_concatenated_test_set_holds_the_same_sentences_under_a_name_with_its_size() -> None:
    together = concatenated.concatenate(TestSet("test", ["a", "b", "c", "d", "e"], [*PARTS, "End."]), 2)
    assert together.name == "test.concatenated2"
    assert together.source == ["a b", "c d", "e"]
    assert together.references == [f"{PARTS[0]} {PARTS[1]}", f"{PARTS[2]} {PARTS[3]}", "End."]


@pytest.mark.parametrize("size", [0, 3])
def test_more_sentences_at_a_time_than_there_are_cannot_be_concatenated(size: int) -> None:
    with pytest.raises(UserError, match=f"test: 2 sentences cannot be concatenated {size} at a time"):
        concatenated.concatenate(TestSet("test", ["a", "b"], ["A", "B"]), size)


def test_outputs_are_joined_as_references_are() -> None:
    assert concatenated.join(PARTS, 3) == concatenated.concatenate(TestSet("test", PARTS, PARTS), 3).references


def test_a_perfect_output_is_cut_into_the_reference() -> None:
    assert concatenated.cut(" ".join(PARTS), PARTS) == PARTS


def test_an_output_that_stops_early_or_starts_late_leaves_the_other_sentences_empty() -> None:
    assert concatenated.cut(" ".join(PARTS[:2]), PARTS) == [*PARTS[:2], "", ""]
    assert concatenated.cut(" ".join(PARTS[2:]), PARTS) == ["", "", *PARTS[2:]]
    assert concatenated.cut("", PARTS) == [""] * 4


def test_full_stops_do_not_decide() -> None:
    assert concatenated.cut("A man. sleeps Two dogs. run. across the grass", PARTS[:2]) == [
        "A man. sleeps",
        "Two dogs. run. across the grass",
    ]


def test_a_wrong_word_stays_in_its_place_and_words_added_between_sentences_are_shared_out() -> None:
    assert concatenated.cut("A cat sleeps. Four dogs run across the grass.", PARTS[:2]) == [
        "A cat sleeps.",
        "Four dogs run across the grass.",
    ]
    assert concatenated.cut(f"{PARTS[0]} well now {PARTS[1]}", PARTS[:2]) == [f"{PARTS[0]} well", f"now {PARTS[1]}"]


@settings(max_examples=60, deadline=None)
@given(LINES, st.lists(LINES, min_size=1, max_size=4))
def test_cutting_keeps_every_word_in_order(hypothesis: str, parts: list[str]) -> None:
    found = concatenated.cut(hypothesis, parts)
    assert len(found) == len(parts)
    assert " ".join(found).split() == hypothesis.split()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("ab"), max_size=4), st.lists(st.sampled_from("ab"), max_size=4), st.data())
def test_the_cut_is_in_the_middle_of_the_cuts_of_all_cheapest_alignments(
    hypothesis: list[str], reference: list[str], data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(reference)))
    found = concatenated.cut(" ".join(hypothesis), [" ".join(reference[:end]), " ".join(reference[end:])])
    every = list(alignments(len(reference), len(hypothesis)))
    costs = [cost(path, reference, hypothesis) for path in every]
    places = [
        column
        for path, paid in zip(every, costs, strict=True)
        if paid == min(costs)
        for row, column in path
        if row == end
    ]
    assert len(found[0].split()) == (min(places) + max(places)) // 2


def alignments(rows: int, columns: int) -> Iterator[list[tuple[int, int]]]:
    """All paths from (0, 0): the words of reference and hypothesis that are behind at each point."""
    if rows == columns == 0:
        yield [(0, 0)]
    for row, column in ((rows - 1, columns), (rows, columns - 1), (rows - 1, columns - 1)):
        if row >= 0 and column >= 0:
            yield from ([*path, (rows, columns)] for path in alignments(row, column))


def cost(path: list[tuple[int, int]], reference: list[str], hypothesis: list[str]) -> int:
    moves = [(row - above, column - left) for (above, left), (row, column) in pairwise(path)]
    gaps = [len(list(run)) for move, run in groupby(moves) if move != (1, 1)]
    wrong = sum(
        reference[row] != hypothesis[column] for (row, column), move in zip(path, moves, strict=False) if move == (1, 1)
    )
    return concatenated.REPLACE * wrong + sum(concatenated.OPEN + concatenated.SKIP * length for length in gaps)


def test_quality_by_position_is_the_chrf_of_the_sentences_there() -> None:
    references = [*PARTS, "A man waits.", "Two men run."]
    hypotheses = [" ".join(references[:2]), " ".join(["A woman sings.", "Two dogs run."]), references[4]]
    first, second = concatenated.by_position(hypotheses, references, 2, target="en")
    assert (first.position, first.sentences, second.position, second.sentences) == (1, 3, 2, 3)
    assert first.chrf.value == pytest.approx(100.0)
    cut = [references[1], concatenated.cut(hypotheses[1], references[2:4])[1], ""]
    assert second.chrf.value == pytest.approx(sacrebleu.corpus_chrf(cut, [references[1::2]]).score)
    assert second.as_json()["chrf"]["signature"].startswith("nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no")


def test_the_last_concatenation_counts_only_at_its_positions() -> None:
    found = concatenated.by_position(concatenated.join(PARTS, 3), PARTS, 3, target="en")
    assert [(place.sentences, place.chrf.value) for place in found] == [(2, 100.0), (1, 100.0), (1, 100.0)]


def test_outputs_for_another_size_are_refused() -> None:
    with pytest.raises(UserError, match="4 outputs, but 4 references, 2 at a time, make 2"):
        concatenated.by_position(PARTS, PARTS, 2, target="en")


def test_consecutive_groups_hold_every_row_once_in_order() -> None:
    assert [list(group) for group in concatenated.consecutive_groups(7, 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [list(group) for group in concatenated.consecutive_groups(2, 8)] == [[0, 1]]
