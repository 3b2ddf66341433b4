from __future__ import annotations

from nmt.documents.words import aligned_words, word_spans
from nmt.inference.translator import Translation
from tests.documents.aligned import aligned


def words(source: str, text: str, *pairs: tuple[str, str]) -> list[tuple[str, str]]:
    """Each word of the translation with the source word that it belongs to."""
    spans, target = word_spans(source), word_spans(text)
    found = aligned_words(aligned(source, text, pairs), spans, target)
    return [(source[slice(*spans[word])], text[slice(*place)]) for word, place in zip(found, target, strict=True)]


def test_words_are_aligned_as_their_pieces_and_the_rest_as_the_word_before() -> None:
    found = words("Ein Hund läuft", "A big dog runs", ("Ein", "A"), ("Hund", "dog"), ("läuft", "runs"))
    assert found == [("Ein", "A"), ("Ein", "big"), ("Hund", "dog"), ("läuft", "runs")]


def test_equal_names_numbers_and_marks_are_aligned_whatever_the_pieces_say() -> None:
    found = words("Um 12:30 kommt Anna, ja.", "Anna comes at 12:30, yes.", ("Um", "Anna"), ("Um", "."))
    assert {("Anna", "Anna"), ("12:30", "12:30"), (",", ","), (".", ".")} <= set(found)


def test_a_placeholder_or_an_address_is_one_word_and_aligned_with_itself() -> None:
    source, text = "a {x} b {y} %s1 c https://a.de/b?c=1.", "%s1 {y} https://a.de/b?c=1 {x}."
    found = words(source, text, ("a", "{y}"))
    assert {(each, each) for each in ("{x}", "{y}", "%s", "1", "https://a.de/b?c=1")} <= set(found)


def test_without_an_alignment_words_have_their_relative_position_between_equal_ones() -> None:
    source, text = "eins zwei. drei vier fünf sechs.", "one. two three."
    spans, target = word_spans(source), word_spans(text)
    assert aligned_words(Translation(source, text), spans, target) == [0, 2, 3, 5, 7]
    assert aligned_words(Translation("a", "b c d"), [(0, 1)], [(0, 1), (2, 3), (4, 5)]) == [0, 0, 0]
