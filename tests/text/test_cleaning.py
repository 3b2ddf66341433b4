from __future__ import annotations

from nmt.text.cleaning import clean, report
from nmt.text.pairs import Pairs

RULES = {"max_words": 12, "max_ratio": 2.0, "duplicates": "drop", "overlap": "drop"}


def cleaned(*pairs: tuple[str, str], **changed: object) -> tuple[list[str], dict[str, int]]:
    both = Pairs([source for source, _ in pairs], [target for _, target in pairs])
    kept, left_out = clean(both, Pairs(["im Test"], ["in the test"]), **(RULES | changed))  # type: ignore[arg-type]  # as recipes give them
    return kept.source, {reason: count for reason, count in left_out.items() if count}


def test_each_reason_leaves_out_its_own_pairs() -> None:
    pairs = [("a", "b"), (" ", "b"), ("a", ""), ("a " * 13, "b " * 13), ("a", "b " * 8), ("a", "b"), ("a", "c"), ("im Test", "x")]
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


def test_the_report_is_one_line_that_adds_up() -> None:
    _, left_out = clean(Pairs(["a"] * 3, ["b"] * 3), None, **RULES)  # type: ignore[arg-type]  # as recipes give them
    assert report(left_out, 1).startswith("training pairs: 1 of 3 kept; left out: 0 empty,")
    assert report(left_out, 1).endswith("2 duplicates")
