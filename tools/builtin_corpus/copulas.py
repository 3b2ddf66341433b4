"""Draws clauses with sein, with es gibt, about the weather, and in the passive."""

from __future__ import annotations

from typing import Final

from tools.builtin_corpus import adverbials, clauses, frames, nominals
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import MODALS, Clause, Part, Subject, Tense
from tools.builtin_corpus.complements import Building, complement, intensified
from tools.builtin_corpus.german_forms import ACCUSATIVE, NOMINATIVE
from tools.builtin_corpus.grammar import subject_of
from tools.builtin_corpus.lexicon import RAIN, SEIN, THERE_IS, lexicon
from tools.builtin_corpus.phrases import THE, NounPhrase, Phrase
from tools.builtin_corpus.words import Adjective, Noun, Role

BEFORE_NOUNS: Final = ("elektrisch", "golden")
"""Adjectives that are no predicates."""
CONTENTS: Final = {
    "town": ("building", "park"),
    "open": ("shop", "plant"),
    "room": ("furniture", "household"),
    "outdoor": ("plant", "animal"),
    "building": ("adult",),
}


def _being(phrase: Phrase, tense: Tense) -> Clause:
    return Clause(subject_of(phrase), SEIN, tense, [])


def _day(choice: Choice, clause: Clause, room: int) -> None:
    """A little about when, in the past or today."""
    if clause.tense is Tense.PAST and room > 0 and choice.chance(0.4):
        clause.parts.append(adverbials.past_day(choice))
    elif clause.tense is Tense.PRESENT and room > 0 and not clause.negated and choice.chance(0.25):
        clause.parts.append(adverbials.fixed(choice, "often" if choice.chance(0.6) else "guess"))


def _mood(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    clause = _being(phrase, tense)
    clause.negated = clause.nicht = choice.chance(0.15)
    complement(Building(choice, clause, phrase, 0), Role("pred", of="mood"))
    _day(choice, clause, room)
    return clause


def _described(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    """What kind of person: strict, famous, married."""
    adjective = choice.adjective(phrase.noun) if isinstance(phrase, NounPhrase) and not phrase.adjectives else None
    if adjective is None:
        return _mood(choice, phrase, tense, room)
    clause = _being(phrase, tense)
    clause.negated = clause.nicht = choice.chance(0.15)
    clause.parts.append(Part(*intensified(choice, adjective), clauses.PREDICATE, clauses.COMPLEMENT))
    return clause


def _job(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    clause = _being(phrase, tense)
    if isinstance(phrase, NounPhrase) and "job" in phrase.noun.classes:
        raise DeadEndError
    complement(Building(choice, clause, phrase, 0), Role("job"))
    return clause


def _somewhere(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    clause = _being(phrase, tense)
    part = adverbials.somewhere(choice, room)
    clause.negated = clause.nicht = choice.chance(0.12)
    if tense is Tense.PAST and choice.chance(0.6):
        clause.parts.append(adverbials.past_day(choice))
    clause.parts.append(part._replace(rank=clauses.PREDICATE, slot=clauses.COMPLEMENT))
    return clause


def _age(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    clause = _being(phrase, tense)
    years = nominals.number(choice, 1.0)
    clause.parts.append(
        Part(f"{years.german} Jahre alt", f"{years.english_plural} years old", clauses.PREDICATE, clauses.COMPLEMENT)
    )
    return clause


def _compared(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    """Taller than, as tall as, for people."""
    clause = _being(phrase, tense)
    adjective = choice.pick([entry for kind in ("height", "age") for entry in lexicon().kinds[kind] if entry.german[1]])
    other: Phrase = nominals.name(choice)
    if choice.chance(0.6):
        known = choice.pick(lexicon().classes["kin"] + lexicon().classes["close"])
        other = nominals.noun_phrase(choice, known, 0, role=nominals.KNOWN_THING, subject=phrase)
    if other == phrase:
        raise DeadEndError
    german, english = other.german(NOMINATIVE), other.english(True)
    if choice.chance(0.7):
        part = Part(
            f"{adjective.german[1]} als {german}",
            f"{adjective.english[1]} than {english}",
            clauses.PREDICATE,
            clauses.COMPLEMENT,
        )
    else:
        part = Part(
            f"so {adjective.german[0]} wie {german}",
            f"as {adjective.english[0]} as {english}",
            clauses.PREDICATE,
            clauses.COMPLEMENT,
        )
    clause.parts.append(part)
    return clause


PERSONAL: Final = {_mood: 0.34, _described: 0.18, _job: 0.14, _somewhere: 0.16, _age: 0.08, _compared: 0.1}


def of_person(choice: Choice, words: int, tense: Tense, phrase: Phrase | None = None) -> tuple[Clause, Phrase]:
    """Somebody is something, somewhere or somehow."""
    who = phrase or nominals.person(choice, lexicon().classes["person"], words - 3)
    kind = choice.weighted(PERSONAL)
    return kind(choice, who, tense, words - 3), who


def of_thing(
    choice: Choice, words: int, tense: Tense, head: NounPhrase | None = None, phrase: Phrase | None = None
) -> tuple[Clause, Phrase]:
    """A thing is beautiful, or more so than another; it may be named before and said as a pronoun here."""
    if head is None:
        noun = choice.pick(lexicon().classes["described"])
        head = nominals.noun_phrase(choice, noun, words - 4, role=nominals.KNOWN_THING)
    adjective = choice.adjective(head.noun)
    if (
        adjective is None
        or adjective.german[0] in BEFORE_NOUNS
        or any(adjective.english[0] in other.english for other in head.adjectives)
    ):
        raise DeadEndError
    clause = _being(phrase or head, tense)
    clause.negated = clause.nicht = choice.chance(0.15)
    rival = _rival(choice, adjective, head.noun) if phrase is None and words > 7 else None
    clause.parts.append(_degree(choice, adjective, rival))
    _day(choice, clause, words - 5)
    return clause, phrase or head


def _rival(choice: Choice, adjective: Adjective, noun: Noun) -> Noun | None:
    """Another thing of the same class to compare with, now and then."""
    if not adjective.german[1] or not choice.chance(0.15):
        return None
    rival = choice.pick([other for other in adjective.nouns if other.classes & noun.classes and other.countable])
    return rival if rival is not noun and choice.admits(adjective.english[0], rival) else None


def _degree(choice: Choice, adjective: Adjective, rival: Noun | None) -> Part:
    german, english = intensified(choice, adjective)
    if rival:
        other = NounPhrase(rival, False, THE)
        german, english = (
            f"{adjective.german[1]} als {other.german(NOMINATIVE)}",
            f"{adjective.english[1]} than {other.english(True)}",
        )
    return Part(german, english, clauses.PREDICATE, clauses.COMPLEMENT)


def there_is(choice: Choice, words: int, tense: Tense) -> Clause:
    """Es gibt: something somewhere, the place first in half of the German sentences."""
    kind = choice.pick(tuple(CONTENTS))
    place = adverbials.location(
        choice, choice.pick([noun for noun in lexicon().classes[kind] if noun in lexicon().places]), words - 7
    )
    noun = choice.pick(lexicon().classes[choice.pick(CONTENTS[kind])])
    phrase = nominals.noun_phrase(
        choice, noun, words - 6, role=nominals.NO_THING if choice.chance(0.12) else nominals.NEW_THING
    )
    clause = Clause(
        Subject("es", "there", 2, phrase.person),
        THERE_IS,
        Tense.PRETERITE if tense is Tense.PAST else Tense.PRESENT,
        [],
    )
    clause.parts = [
        Part(phrase.german(ACCUSATIVE), phrase.english(True), clauses.INDEFINITE, clauses.COMPLEMENT),
        place,
    ]
    if choice.chance(0.5):
        clause.front, clause.english_front = place, False
    return clause


def weather(choice: Choice, words: int, tense: Tense, progressive: bool = True) -> Clause:
    """It is cold; it is raining. German says it without gerade."""
    it = Subject("es", "it", 2, 2)
    if choice.chance(0.5):
        clause = Clause(it, choice.pick(RAIN), tense, [], progressive=progressive and tense is Tense.PRESENT)
    else:
        german, english = intensified(choice, choice.pick(lexicon().kinds["weather"]))
        clause = Clause(it, SEIN, tense, [Part(german, english, clauses.PREDICATE, clauses.COMPLEMENT)])
    if words > 3:
        part = adverbials.day(choice, tense) if tense is not Tense.PRESENT else adverbials.fixed(choice, "now")
        clause.parts.append(part)
        clause.front = part if choice.chance(0.4) else None
    if words > 5:
        town = choice.pick(lexicon().names["city"])
        clause.parts.append(Part(f"in {town[0]}", f"in {town[1]}", clauses.LOCATION, clauses.SLOT_PLACE))
    return clause


def passive(choice: Choice, words: int, tense: Tense) -> Clause:
    """What is done to a thing, by nobody who is named."""
    frame = choice.pick(frames.done_to())
    noun = choice.noun(frame.verb.name, frame.roles[0].nouns)
    phrase = nominals.noun_phrase(choice, noun, words - 4, role=nominals.SUBJECT)
    modal = MODALS["must"] if tense is Tense.PRESENT and choice.chance(0.5) else None
    clause = Clause(subject_of(phrase), frame.verb, tense, [], modal, passive=True)
    clause.negated = clause.nicht = choice.chance(0.12)
    if words > 4:
        clause.parts.append(_when(choice, tense, modal is not None))
    return clause


def _when(choice: Choice, tense: Tense, modal: bool) -> Part:
    if modal:
        return adverbials.future_day(choice)
    return adverbials.habit(choice) if tense is Tense.PRESENT else adverbials.day(choice, tense)
