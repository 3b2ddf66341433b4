from __future__ import annotations

from nmt.corpus_checks.pairs import duplicates, overlaps
from nmt.data.pairs import Pairs

TRAIN = Pairs(["Ein Hund.", "Eine Katze.", "Ein Hund.", "Ein Hund."], ["A dog.", "A cat.", "A dog.", "One dog."])


def test_a_pair_is_a_duplicate_each_time_but_the_first() -> None:
    assert list(duplicates({"train": TRAIN})) == [("duplicates", "train", ["Ein Hund. ||| A dog."], 4)]


def test_a_sentence_of_either_side_overlaps_with_the_same_side_only() -> None:
    test = Pairs(["Ein Hund.", "Ein Tier.", "A dog.", ""], ["A hound.", "A cat.", "Ein Hund.", ""])
    same, near = overlaps({"train": TRAIN, "test": test})
    assert same == ("overlap", "test in train", ["Ein Hund. ||| A hound.", "Ein Tier. ||| A cat."], 4)
    assert near == ("near overlap", "test in train", [], 4)


def test_what_differs_in_case_and_punctuation_alone_is_near() -> None:
    test = Pairs(["ein HUND", "Ein Hund.", "...", "Ein Hundt"], ["x", "y", "z", "w"])
    _, near = overlaps({"train": TRAIN, "test": test})
    assert near == ("near overlap", "test in train", ["ein HUND ||| x"], 4)


def test_every_two_splits_are_compared() -> None:
    splits = {"train": TRAIN, "valid": Pairs(["a"], ["b"]), "test": Pairs(["c"], ["b"])}
    assert [(split, len(faulty)) for check, split, faulty, _ in overlaps(splits) if check == "overlap"] == [
        ("valid in train", 0),
        ("test in train", 0),
        ("test in valid", 1),
    ]
