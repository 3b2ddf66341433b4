"""Draws clauses with sein, with es gibt, about the weather, and in the passive."""

from __future__ import annotations

from typing import Final

from nmt.text.builtin import adverbials, clauses, frames, nominals
from nmt.text.builtin.choice import Choice, DeadEndError
from nmt.text.builtin.clauses import MODALS, Clause, Part, Subject, Tense
from nmt.text.builtin.complements import Building, complement, intensified
from nmt.text.builtin.german_forms import ACCUSATIVE, NOMINATIVE
from nmt.text.builtin.grammar import subject_of
from nmt.text.builtin.lexicon import RAIN, SEIN, THERE_IS, Frame, Role, lexicon
from nmt.text.builtin.phrases import NO, THE, NounPhrase, Phrase

BEING: Final = Frame(SEIN, (), True, ())
DESCRIBED: Final = ("building", "vehicle", "clothes", "furniture", "device", "text", "letters", "show", "town", "room", "event", "image", "plant", "dish", "fruit", "animal",
                    "household", "task", "tool", "nature", "idea", "trip", "part", "container", "outdoor", "instrument", "jewel", "drink", "small", "sky", "fixture", "cutlery", "meal", "body", "part", "cloud", "body", "light", "climate", "weather", "mistake", "language", "reply", "sound")  # fmt: skip
CONTENTS: Final = {"town": ("building", "park"), "open": ("shop", "plant"), "room": ("furniture", "household"), "outdoor": ("plant", "animal"), "building": ("adult",)}


def _being(phrase: Phrase, tense: Tense) -> Clause:
    return Clause(subject_of(phrase), SEIN, tense, [])


def _day(choice: Choice, clause: Clause, room: int) -> None:
    """A little about when, in the past or today."""
    if clause.tense is Tense.PAST and room > 0 and choice.chance(0.4):
        clause.parts.append(adverbials.past_day(choice))
    elif clause.tense is Tense.PRESENT and room > 0 and choice.chance(0.25):
        if not clause.negated:
            clause.parts.append(adverbials.middle(choice, "often" if choice.chance(0.6) else "guess"))


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
    years = nominals.number(choice, 0.5)
    clause.parts.append(Part(f"{years.german} Jahre alt", f"{years.english_plural} years old", clauses.PREDICATE, clauses.COMPLEMENT))
    return clause


def _compared(choice: Choice, phrase: Phrase, tense: Tense, room: int) -> Clause:
    """Taller than, as tall as, for people."""
    clause = _being(phrase, tense)
    adjective = choice.pick([entry for kind in ("height", "age") for entry in lexicon().kinds[kind] if entry.german[1]])
    other: Phrase = nominals.name(choice)
    if choice.chance(0.6):
        other = nominals.noun_phrase(choice, choice.pick(lexicon().classes["kin"] + lexicon().classes["close"]), 0, role=nominals.KNOWN_THING, subject=phrase)
    if other == phrase:
        raise DeadEndError
    german, english = other.german(NOMINATIVE), other.english(True)
    if choice.chance(0.7):
        part = Part(f"{adjective.german[1]} als {german}", f"{adjective.english[1]} than {english}", clauses.PREDICATE, clauses.COMPLEMENT)
    else:
        part = Part(f"so {adjective.german[0]} wie {german}", f"as {adjective.english[0]} as {english}", clauses.PREDICATE, clauses.COMPLEMENT)
    clause.parts.append(part)
    return clause


PERSONAL: Final = {_mood: 0.34, _described: 0.18, _job: 0.14, _somewhere: 0.16, _age: 0.08, _compared: 0.1}


def of_person(choice: Choice, words: int, tense: Tense, phrase: Phrase | None = None) -> tuple[Clause, Phrase]:
    """Somebody is something, somewhere or somehow."""
    who = phrase or nominals.person(choice, lexicon().classes["person"], words - 3)
    kind = choice.weighted(PERSONAL)
    return kind(choice, who, tense, words - 3), who


def of_thing(choice: Choice, words: int, tense: Tense, head: NounPhrase | None = None, phrase: Phrase | None = None) -> tuple[Clause, Phrase]:
    """A thing is beautiful, or more so than another."""
    if head is None:
        noun = choice.pick(lexicon().classes[choice.pick(DESCRIBED)])
        head = nominals.noun_phrase(choice, noun, words - 4, role=nominals.KNOWN_THING)
    said: Phrase = phrase or head
    adjective = choice.adjective(head.noun)
    if adjective is None or any(adjective.english[0] == other.english.split()[-1] for other in head.adjectives) or adjective.german[0] in ("elektrisch", "golden"):
        raise DeadEndError
    clause = _being(said, tense)
    german, english = intensified(choice, adjective)
    if phrase is None and adjective.german[1] and words > 7 and choice.chance(0.15):
        rival = NounPhrase(choice.pick([noun for noun in adjective.nouns if noun.classes & head.noun.classes]), False, THE)
        if rival.noun.countable and rival.noun is not head.noun and choice.admits(adjective.english[0], rival.noun):
            german, english = f"{adjective.german[1]} als {rival.german(NOMINATIVE)}", f"{adjective.english[1]} than {rival.english(True)}"
    clause.negated = clause.nicht = choice.chance(0.15)
    clause.parts.append(Part(german, english, clauses.PREDICATE, clauses.COMPLEMENT))
    _day(choice, clause, words - 5)
    return clause, said


def there_is(choice: Choice, words: int, tense: Tense) -> Clause:
    """Es gibt: something somewhere, the place first in half of the German sentences."""
    kind = choice.pick(tuple(CONTENTS))
    place = adverbials.location(choice, choice.pick([noun for noun in lexicon().classes[kind] if noun in lexicon().places]), words - 7)
    noun = choice.pick(lexicon().classes[choice.pick(CONTENTS[kind])])
    phrase = nominals.noun_phrase(choice, noun, words - 6, role=nominals.OBJECT)
    while phrase.definite or phrase.determiner.english_plural == "all":
        phrase = nominals.noun_phrase(choice, noun, words - 6, role=nominals.OBJECT)
    if choice.chance(0.12):
        phrase = NounPhrase(noun, phrase.plural, NO)
    tense = Tense.PRETERITE if tense is Tense.PAST else Tense.PRESENT
    clause = Clause(Subject("es", "there", 2, phrase.person), THERE_IS, tense, [])
    clause.parts = [Part(phrase.german(ACCUSATIVE), phrase.english(True), clauses.INDEFINITE, clauses.COMPLEMENT), place]
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
        part = adverbials.day(choice, tense) if tense is not Tense.PRESENT else adverbials.opening(choice, "now")
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
        clause.parts.append(adverbials.day(choice, tense) if tense is not Tense.PRESENT or modal else adverbials.habit(choice))
        if modal:
            clause.parts = [adverbials.future_day(choice)]
    return clause
