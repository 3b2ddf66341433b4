from __future__ import annotations

from typing import Any

import pytest

from nmt.data import cleaning
from nmt.data.cleaning import Cleaning, report
from nmt.data.pairs import Pair, Pairs

RULES: dict[str, Any] = {"max_words": 12, "max_ratio": 2.0, "duplicates": "drop", "overlap": "drop"}


def cleaned(*pairs: tuple[str, str], **changed: object) -> tuple[list[str], dict[str, int]]:
    rules = Cleaning(Pairs(["im Test"], ["in the test"]), **(RULES | changed))
    kept = [pair.source for pair in rules.kept(Pair(*pair) for pair in pairs)]
    assert rules.read == len(pairs)
    return kept, {reason: count for reason, count in rules.left_out.items() if count}


def test_each_reason_leaves_out_its_own_pairs() -> None:
    pairs = [
        ("a", "b"),
        (" ", "b"),
        ("a", ""),
        ("a " * 13, "b " * 13),
        ("a", "b " * 8),
        ("a", "b"),
        ("a", "c"),
        ("im Test", "x"),
    ]
    assert cleaned(*pairs) == (["a", "a"], {"empty": 2, "long": 1, "ratio": 1, "duplicates": 1, "overlap": 1})


def test_rules_can_be_switched_off() -> None:
    pairs = [("a", "b"), ("a", "b"), ("a", "b " * 12), ("im Test", "x")]
    assert cleaned(*pairs, max_ratio=None, duplicates="keep", overlap="keep") == (["a", "a", "a", "im Test"], {})


def test_a_reference_of_the_test_set_is_left_out_where_that_is_asked_for() -> None:
    pairs = [("anders", "in the test"), ("im Test", "x"), ("in the test", "im Test")]
    assert cleaned(*pairs) == (["anders", "in the test"], {"overlap": 1})
    assert cleaned(*pairs, overlap="either") == (["in the test"], {"overlap": 2})


def test_the_length_ratio_leaves_short_sentences_room() -> None:
    assert cleaned(("a", "b " * 7))[1] == {}  # 7 = 2 x 1 + 5
    assert cleaned(("b " * 8, "a"))[1] == {"ratio": 1}


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_the_first_of_its_kind_is_kept_and_no_other(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a set of pairs finds them, however many are compared at once; the halves of some differ though together they
    read the same."""
    monkeypatch.setattr(cleaning, "BLOCK", block)
    pairs = [("a" * (1 + number % 7), "a" * (1 + number % 5)) for number in range(100)] + [
        ("ab", "c"),
        ("a", "bc"),
        ("ab", "c"),
    ]
    kept = list(Cleaning(None, **RULES).kept(Pair(*pair) for pair in pairs))
    assert [(pair.source, pair.target) for pair in kept] == list(dict.fromkeys(pairs))


def test_the_report_is_one_line_that_adds_up() -> None:
    rules = Cleaning(None, **RULES)
    kept = len(list(rules.kept([Pair("a", "b")] * 3)))
    assert report(rules.left_out, kept).startswith("training pairs: 1 of 3 kept; left out: 0 empty,")
    assert report(rules.left_out, kept).endswith("2 duplicates")
