"""Word order: clauses built by hand, said in every order of both languages."""

from __future__ import annotations

import pytest

from tools.builtin_corpus import clauses
from tools.builtin_corpus.clauses import MODALS, Clause, Order, Part, Subject, Tail, Tense
from tools.builtin_corpus.english_order import english
from tools.builtin_corpus.german_order import german
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import Pronoun, reflexive
from tools.builtin_corpus.sentences import finished

HE = Subject("er", "he", 2, 2)
WINDOW = Part("das Fenster", "the window", clauses.DEFINITE, clauses.COMPLEMENT)
YESTERDAY = Part("gestern", "yesterday", clauses.DAY, clauses.SLOT_DAY)
IT = Part("es", "it", clauses.ACCUSATIVE_PRONOUN, clauses.COMPLEMENT)


def clause(verb: str, tense: Tense, *parts: Part, subject: Subject = HE) -> Clause:
    found = next(entry for entry in lexicon().verbs if entry.prefix + entry.infinitive == verb)
    return Clause(subject, found, tense, list(parts))


@pytest.mark.parametrize(
    ("tense", "order", "in_german", "in_english"),
    [
        (Tense.PRESENT, Order.SECOND, "er macht das Fenster auf", "he opens the window"),
        (Tense.PRESENT, Order.FIRST, "macht er das Fenster auf", "does he open the window"),
        (Tense.PRESENT, Order.FINAL, "er das Fenster aufmacht", "he opens the window"),
        (Tense.PAST, Order.SECOND, "er hat das Fenster aufgemacht", "he opened the window"),
        (Tense.PAST, Order.FIRST, "hat er das Fenster aufgemacht", "did he open the window"),
        (Tense.PAST, Order.FINAL, "er das Fenster aufgemacht hat", "he opened the window"),
        (Tense.PRETERITE, Order.FINAL, "er das Fenster aufmachte", "he opened the window"),
        (Tense.PLUPERFECT, Order.FINAL, "er das Fenster aufgemacht hatte", "he had opened the window"),
        (Tense.FUTURE, Order.SECOND, "er wird das Fenster aufmachen", "he will open the window"),
        (Tense.PRESENT, Order.INFINITIVE, "das Fenster aufzumachen", "to open the window"),
        (Tense.PRESENT, Order.GERUND, "das Fenster aufzumachen", "opening the window"),
    ],
)
def test_a_separable_verb_stands_where_its_order_puts_it(
    tense: Tense, order: Order, in_german: str, in_english: str
) -> None:
    said = clause("aufmachen", tense, WINDOW)
    assert (german(said, order), english(said, order)) == (in_german, in_english)


def test_a_fronted_adverbial_keeps_the_german_verb_second() -> None:
    said = clause("aufmachen", Tense.PAST, WINDOW, YESTERDAY)
    said.front = YESTERDAY
    assert german(said, Order.SECOND) == "gestern hat er das Fenster aufgemacht"
    assert english(said, Order.SECOND) == "yesterday he opened the window"


def test_a_fronted_german_object_stays_behind_the_english_verb() -> None:
    dog = Part("den Hund", "the dog", clauses.DEFINITE, clauses.COMPLEMENT)
    said = clause("sehen", Tense.PRESENT, dog)
    said.front, said.english_front = dog, False
    assert german(said, Order.SECOND) == "den Hund sieht er"
    assert english(said, Order.SECOND) == "he sees the dog"


def test_nicht_follows_known_objects_and_comes_before_the_goal() -> None:
    goal = Part("nach Hause", "home", clauses.GOAL, clauses.COMPLEMENT)
    said = clause("gehen", Tense.PAST, goal, YESTERDAY)
    said.negated = said.nicht = True
    assert german(said, Order.SECOND) == "er ist gestern nicht nach Hause gegangen"
    assert english(said, Order.SECOND) == "he did not go home yesterday"
    seen = clause("aufmachen", Tense.PRESENT, WINDOW)
    seen.negated = seen.nicht = True
    assert german(seen, Order.SECOND) == "er macht das Fenster nicht auf"


@pytest.mark.parametrize(
    ("modal", "in_german", "in_english"),
    [
        ("can", "er kann nicht schlafen", "he cannot sleep"),
        ("must", "er muss nicht schlafen", "he does not have to sleep"),
        ("want", "er will nicht schlafen", "he does not want to sleep"),
        ("may", "er darf nicht schlafen", "he is not allowed to sleep"),
        ("would", "er möchte nicht schlafen", "he would not like to sleep"),
    ],
)
def test_a_modal_verb_sends_the_infinitive_to_the_end(modal: str, in_german: str, in_english: str) -> None:
    said = clause("schlafen", Tense.PRESENT)
    said.modal, said.negated, said.nicht = MODALS[modal], True, True
    assert (german(said, Order.SECOND), english(said, Order.SECOND)) == (in_german, in_english)


def test_a_passive_has_werden_where_english_has_be() -> None:
    said = clause("aufmachen", Tense.PAST, subject=Subject("die Tür", "the door", 2, 2))
    said.passive = True
    assert (german(said, Order.SECOND), english(said, Order.SECOND)) == (
        "die Tür wurde aufgemacht",
        "the door was opened",
    )


def test_an_english_particle_follows_a_pronoun() -> None:
    assert english(clause("anmachen", Tense.PRESENT, IT), Order.SECOND) == "he turns it on"
    assert english(clause("anmachen", Tense.PRESENT, WINDOW), Order.SECOND) == "he turns on the window"


def test_a_relative_clause_on_the_last_object_waits_for_the_verb() -> None:
    book = Part("das Buch", "the book that he has", clauses.DEFINITE, clauses.COMPLEMENT, " , das er hat ,")
    assert (
        finished(german(clause("lesen", Tense.PAST, book), Order.SECOND), ".") == "Er hat das Buch gelesen, das er hat."
    )
    assert finished(german(clause("lesen", Tense.PRESENT, book), Order.SECOND), ".") == "Er liest das Buch, das er hat."


def test_commas_are_neither_doubled_nor_left_at_the_end() -> None:
    said = clause("schlafen", Tense.PRESENT)
    said.tails = [Tail(", weil er müde ist ,", "because he is tired"), Tail(", aber sie arbeitet", ", but she works")]
    assert finished(german(said, Order.SECOND), ".") == "Er schläft, weil er müde ist, aber sie arbeitet."
    assert finished(english(said, Order.SECOND), ".") == "He sleeps because he is tired, but she works."


@pytest.mark.parametrize(
    ("index", "expected"), [(0, "mich"), (1, "dich"), (2, "sich"), (5, "uns"), (6, "euch"), (7, "sich")]
)
def test_a_reflexive_pronoun_agrees_with_the_subject(index: int, expected: str) -> None:
    assert reflexive(Pronoun(index, index)) == expected


def test_a_reflexive_pronoun_comes_before_a_noun_after_the_verb() -> None:
    said = clause("waschen", Tense.PRESENT, YESTERDAY, subject=Subject("der Mann", "the man", 2, 2))
    said.reflexive, said.front = "sich", YESTERDAY
    assert german(said, Order.SECOND) == "gestern wäscht sich der Mann"
