from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from nmt.data.pairs import Pairs
from nmt.errors import UserError
from nmt.lab.studies import lexicon
from nmt.lab.studies.lexicon import NULL, Lexicon, learn, split

TOY = Pairs(["das Haus", "das Buch", "ein Buch"], ["the house", "the book", "a book"])
MIXED = Pairs(
    ["Ein Hund läuft .", "Ein Hund und ein Hund", "", "Der Hund schläft", "nichts", "Die Katze, sie schläft."],
    ["A dog runs .", "A dog and a dog", "Nobody speaks", "The dog sleeps", "", "The cat sleeps."],
)
NOTED = Lexicon(
    {"die": {}, "Der": {"The": 0.9}, "Mann": {"man": 0.8, "husband": 0.2}, "sieht": {"sees": 1.0}, ",": {}, "¡": {}}
)


def by_hand(pairs: Pairs, iterations: int) -> dict[tuple[str, str], float]:
    """Model 1 as the paper has it, one link at a time; keys are (source word, target word)."""
    texts = [[[word for _, word in split(text)] for text in side] for side in (pairs.source, pairs.target)]
    known: dict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts: dict[tuple[str, str], float] = defaultdict(float)
        totals: dict[str, float] = defaultdict(float)
        for source, target in zip(*texts, strict=True):
            for word in target:
                whole = sum(known[before, word] for before in (NULL, *source))
                for before in (NULL, *source):
                    counts[before, word] += known[before, word] / whole
                    totals[before] += known[before, word] / whole
        known = {(before, word): count / totals[before] for (before, word), count in counts.items()}
    return known


def entries(found: Lexicon) -> dict[tuple[str, str], float]:
    return {(word, translation): value for word, row in found.table.items() for translation, value in row.items()}


def test_the_first_iteration_is_the_one_done_on_paper() -> None:
    # Every word of two has three places it may come from, so every link counts a third.
    table = learn(TOY, iterations=1, least=0).table
    assert table["das"] == pytest.approx({"the": 1 / 2, "house": 1 / 4, "book": 1 / 4})
    assert table["Haus"] == pytest.approx({"the": 1 / 2, "house": 1 / 2})
    assert table[NULL] == pytest.approx({"the": 1 / 3, "book": 1 / 3, "house": 1 / 6, "a": 1 / 6})


def test_the_textbook_corpus_is_told_apart_though_no_sentence_does_so() -> None:
    table = learn(TOY, iterations=30, least=0).table
    assert {word: next(iter(row)) for word, row in table.items() if word} == {
        "das": "the",
        "Haus": "house",
        "Buch": "book",
        "ein": "a",
    }
    assert all(
        row[best] > 0.9
        for row, best in ((table["das"], "the"), (table["Haus"], "house"), (table["Buch"], "book"), (table["ein"], "a"))
    )


@pytest.mark.parametrize("iterations", [1, 5])
@pytest.mark.parametrize("block", [1, 2, 1000])
def test_arrays_say_what_a_loop_over_the_links_says(
    monkeypatch: pytest.MonkeyPatch, iterations: int, block: int
) -> None:
    monkeypatch.setattr(lexicon, "BLOCK", block)
    found, expected = entries(learn(MIXED, iterations=iterations, least=0)), by_hand(MIXED, iterations)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-8)  # kept to nine decimals


def test_the_probabilities_of_every_source_word_sum_to_one() -> None:
    table = learn(MIXED, least=0).table
    assert NULL in table
    assert [sum(row.values()) for row in table.values()] == pytest.approx([1] * len(table))


def test_no_iteration_makes_the_corpus_less_likely() -> None:
    likelihoods = learn(MIXED, iterations=20).log_likelihoods
    assert len(likelihoods) == 20
    assert all(before < after for before, after in pairwise(likelihoods))


def test_entries_below_the_least_are_pruned_and_the_others_come_best_first() -> None:
    whole, pruned = learn(MIXED, least=0).table, learn(MIXED, least=0.3).table
    assert pruned == {word: {to: value for to, value in row.items() if value >= 0.3} for word, row in whole.items()}
    assert entries(Lexicon(pruned)) != entries(Lexicon(whole))
    assert all(list(row.values()) == sorted(row.values(), reverse=True) for row in whole.values())


def test_of_equal_entries_the_one_seen_first_is_best() -> None:
    # Nothing tells the words of either side apart, and "zebra" is the later one in the alphabet.
    assert learn(Pairs(["x y z"], ["zebra ant bee"])).translate("z y x") == "zebra zebra zebra"


def test_the_order_of_a_sum_does_not_decide_which_entry_is_best() -> None:
    # As floats 1/2 + 1/3 + 1/6, what "first" is counted, is less than 1/2 + 1/6 + 1/3, what "second" is.
    sources = ["x", "x a", "x a b c d", "x", "x a b c d", "x a"]
    row = learn(Pairs(sources, ["first"] * 3 + ["second"] * 3), iterations=1).table["x"]
    assert list(row.items()) == [("first", 0.5), ("second", 0.5)]


def test_words_are_translated_one_by_one_in_the_order_of_the_source() -> None:
    assert NOTED.translate("Mann sieht Der") == "man sees The"
    assert learn(TOY, iterations=30).translate("Buch ein Haus das") == "book a house the"


def test_a_word_without_entries_is_dropped_and_an_unknown_one_stays() -> None:
    assert NOTED.translate("Der Mann sieht die Giraffe") == "The man sees Giraffe"
    assert NOTED.translate("die") == ""


def test_upper_and_lower_case_are_different_words() -> None:
    assert NOTED.translate("der mann") == "der mann"


@pytest.mark.parametrize("line", ["", " ", "\t\u3000"])
def test_a_blank_line_stays_blank(line: str) -> None:
    assert NOTED.translate(line) == ""


@pytest.mark.parametrize(
    "text",
    ["Na ja, (so) geht's!", 'Er sagt: "Nein."', "„Gut“ 3,5 m²…", "¿Qué?", "l'homme d'État", "T-Shirt/Hose", "हिन्दी।"],
)
def test_spaces_and_marks_stay_where_the_source_has_them(text: str) -> None:
    assert Lexicon({}).translate(text) == text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Der Mann, die sieht", "The man sees"),
        ("(die Mann sieht die).", "(man sees)."),
        ("¡Mann!", "man!"),
        ("Mann , sieht !", "man sees!"),
    ],
)
def test_no_space_is_left_beside_what_is_dropped_and_none_before_a_closing_mark(source: str, expected: str) -> None:
    assert NOTED.translate(source) == expected


def test_marks_are_split_off_at_the_ends_of_words_alone() -> None:
    assert split("(das T-Shirt, l'eau...)  3.5 %") == [
        (True, "("),
        (False, "das"),
        (True, "T-Shirt"),
        (False, ","),
        (True, "l'eau"),
        *[(False, ".")] * 3,
        (False, ")"),
        (True, "3.5"),
        (True, "%"),
    ]


def test_vowel_signs_are_no_marks() -> None:
    assert split("हिन्दी।") == [(True, "हिन्दी"), (False, "।")]


def test_pairs_without_a_target_word_are_refused() -> None:
    with pytest.raises(UserError, match="words on the target side"):
        learn(Pairs(["ein Haus"], [" "]))
