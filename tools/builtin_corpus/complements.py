"""Draws what a verb takes beside its subject, as constituents of a clause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tools.builtin_corpus import adverbials, clauses, nominals
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import Clause, Part, Subject
from tools.builtin_corpus.english_forms import article
from tools.builtin_corpus.frames import is_social
from tools.builtin_corpus.german_forms import ACCUSATIVE, DATIVE, NOMINATIVE, contracted
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import (
    ICH,
    IHR,
    NOT_A,
    NOT_ANY,
    PIANO,
    PLURAL,
    WIR,
    Name,
    NounPhrase,
    Pair,
    Phrase,
    Pronoun,
)
from tools.builtin_corpus.words import Adjective, Role

INTENSIFIERS: Final = {("", ""): 0.72, ("sehr", "very"): 0.16, ("ziemlich", "quite"): 0.06, ("zu", "too"): 0.06}


@dataclass(slots=True)
class Building:
    """A clause under construction: what its complements need to know of it, and the phrases that a relative clause may
    follow."""

    choice: Choice
    clause: Clause
    subject: Phrase
    words: int
    theme: Pronoun | None = None
    denied: bool = False
    heads: list[tuple[int, NounPhrase]] | None = None

    @property
    def slot(self) -> int:
        """Where in English the next complement goes."""
        return clauses.COMPLEMENT + len(self.clause.parts)

    def add(self, part: Part, head: Phrase | None = None) -> None:
        """One more constituent."""
        if isinstance(head, NounPhrase):
            self.heads = [*(self.heads or []), (len(self.clause.parts), head)]
        self.clause.parts.append(part)

    def phrase(self, role: Role, negatable: bool) -> Phrase:
        """A phrase for a role: somebody by pronoun or name, or a noun with its company."""
        choice = self.choice
        if is_social(role.nouns) and choice.chance(0.3):
            return nominals.name(choice) if choice.chance(0.4) else _other(choice, self.subject)
        noun = choice.noun(self.clause.verb.name, role.nouns)
        if isinstance(self.subject, NounPhrase) and noun.english == self.subject.noun.english:
            raise DeadEndError
        known = role.kind == "prep" and not noun.countable and not noun.classes.isdisjoint(("labor", "event"))
        kind = (
            nominals.KNOWN_THING if known else nominals.DENIED if negatable and self.clause.negated else nominals.OBJECT
        )
        phrase = nominals.noun_phrase(choice, noun, self.words, role=kind, subject=self.subject)
        if phrase.determiner is NOT_A or phrase.determiner is NOT_ANY:
            self.denied = True
        return phrase


def _other(choice: Choice, subject: Phrase) -> Pronoun:
    """A pronoun for somebody who is not among the subject."""
    indices = {index: index for index in range(PLURAL + 1) if index != 4}
    taken = subject.pronoun()
    if taken:
        speaking = (
            {ICH, WIR}
            if taken.german_index in (ICH, WIR)
            else {1, IHR}
            if taken.german_index in (1, IHR)
            else {taken.german_index}
        )
        indices = {index: index for index in indices if index not in speaking}
    index = choice.pick(tuple(indices))
    return Pronoun(index, index)


def _accusative(building: Building, role: Role) -> None:
    phrase: Phrase = building.theme or building.phrase(role, True)
    rank = (
        clauses.ACCUSATIVE_PRONOUN
        if isinstance(phrase, Pronoun)
        else clauses.DEFINITE
        if phrase.definite
        else clauses.INDEFINITE
    )
    building.add(Part(phrase.german(ACCUSATIVE), phrase.english(True), rank, building.slot), phrase)


def _dative(building: Building, role: Role) -> None:
    phrase = building.phrase(role, False)
    rank = clauses.DATIVE_PRONOUN if isinstance(phrase, Pronoun) else clauses.DATIVE_NOUN
    english = f"{role.english} {phrase.english(True)}".lstrip()
    building.add(Part(phrase.german(DATIVE), english, rank, building.slot), phrase)


def _prepositional(building: Building, role: Role) -> None:
    cities = [kind for kind in ("city", "country") if kind in role.of.split(",")]
    if cities and (not role.nouns or building.choice.chance(0.6)):
        german, english = building.choice.pick(lexicon().names[building.choice.pick(cities)])
        building.add(Part(f"{role.german} {german}", f"{role.english} {english}", clauses.GOAL, building.slot))
        return
    phrase = building.phrase(role, False)
    german = contracted(role.german, phrase.german(role.case))
    english = f"{role.english} {phrase.english(True)}".lstrip()
    rank = clauses.PREPOSITIONAL if role.english else clauses.INDEFINITE
    building.add(Part(german, english, rank, building.slot), phrase)


def _towns(building: Building, role: Role) -> tuple[str, str] | None:
    kinds = [kind for kind in ("city", "country") if kind in role.of.split(",")]
    if not kinds or (role.nouns and building.choice.chance(0.55)):
        return None
    return building.choice.pick(lexicon().names[building.choice.pick(kinds)])


def _goal(building: Building, role: Role) -> None:
    town = _towns(building, role)
    if town:
        building.add(Part(f"nach {town[0]}", f"to {town[1]}", clauses.GOAL, building.slot))
        return
    places = tuple(noun for noun in role.nouns if noun in lexicon().places)
    noun = building.choice.noun(building.clause.verb.name, places)
    building.add(adverbials.goal(building.choice, noun, building.words, building.slot))


def _at(building: Building, role: Role) -> None:
    town = _towns(building, role)
    if town:
        building.add(Part(f"in {town[0]}", f"in {town[1]}", clauses.LOCATED, building.slot))
        return
    places = tuple(noun for noun in role.nouns if noun in lexicon().places)
    noun = building.choice.noun(building.clause.verb.name, places)
    building.add(adverbials.location(building.choice, noun, building.words, clauses.LOCATED, building.slot))


def _home(building: Building, role: Role) -> None:
    building.add(Part("nach Hause", "home", clauses.GOAL, building.slot))


def _by(building: Building, role: Role) -> None:
    noun = building.choice.noun(building.clause.verb.name, role.nouns)
    article_form = "der" if noun.gender == "f" else "dem"
    building.add(
        Part(f"mit {article_form} {noun.forms[0][DATIVE]}", f"by {noun.english}", clauses.MEANS, clauses.SLOT_COMPANY)
    )


def _piano(building: Building, role: Role) -> None:
    phrase = NounPhrase(building.choice.noun(building.clause.verb.name, role.nouns), False, PIANO)
    building.add(Part(phrase.german(ACCUSATIVE), phrase.english(True), clauses.INDEFINITE, building.slot))


def _price(building: Building, role: Role) -> None:
    amount = nominals.number(building.choice, 0.6)
    building.add(Part(f"{amount.german} Euro", f"{amount.english_plural} euros", clauses.INDEFINITE, building.slot))


def _duration(building: Building, role: Role) -> None:
    german, english = adverbials.duration(building.choice)
    building.add(Part(german, english, clauses.INDEFINITE, building.slot))


def _name(building: Building, role: Role) -> None:
    phrase = building.subject
    sex = phrase.noun.sex if isinstance(phrase, NounPhrase) else None
    if isinstance(phrase, (Name, Pair)) or phrase.person > 2:
        raise DeadEndError
    if isinstance(phrase, Pronoun):
        sex = {2: "male", 3: "female"}.get(phrase.german_index)
    name = building.choice.pick(lexicon().names[(sex or building.choice.pick(("male", "female"))) + " given"])
    building.add(Part(*name, clauses.PREDICATE, building.slot))


def _job(building: Building, role: Role) -> None:
    """A profession: German says it without article, in the sex of the subject."""
    phrase = building.subject.pronoun()
    sex = "female" if phrase and phrase.german_index == 3 else "male"
    plural = building.subject.english_person > 2 or (phrase is not None and phrase.german_index == IHR)
    noun = building.choice.pick(
        [noun for noun in lexicon().classes["job"] if noun.sex == sex and "close" not in noun.classes]
    )
    english = noun.english_plural if plural else article(noun.english)
    building.add(Part(noun.forms[plural][NOMINATIVE], english, clauses.PREDICATE, building.slot))


def intensified(choice: Choice, adjective: Adjective) -> tuple[str, str]:
    """An adjective as a predicate, sometimes with very, quite or too before it."""
    german, english = choice.weighted(INTENSIFIERS) if adjective.german[1] else ("", "")
    return f"{german} {adjective.german[0]}".lstrip(), f"{english} {adjective.english[0]}".lstrip()


def _predicate(building: Building, role: Role) -> None:
    german, english = intensified(building.choice, building.choice.pick(lexicon().kinds[role.of]))
    building.add(Part(german, english, clauses.PREDICATE, building.slot))


def _please(building: Building, role: Role) -> None:
    """Gefallen: what is liked is the German subject, who likes it the English one."""
    choice, clause, person = building.choice, building.clause, building.subject
    classes = lexicon().classes
    noun = choice.noun(
        "like",
        classes["clothes"]
        + classes["building"]
        + classes["image"]
        + classes["town"]
        + classes["show"]
        + classes["home"]
        + classes["song"],
    )
    thing = nominals.noun_phrase(choice, noun, building.words, role=nominals.KNOWN_THING, subject=person)
    rank = clauses.DATIVE_PRONOUN if isinstance(person, Pronoun) else clauses.DATIVE_NOUN
    clause.subject = Subject(
        thing.german(NOMINATIVE), person.english(False), thing.person, person.english_person, clauses.LATE_SUBJECT
    )
    clause.parts += [Part(person.german(DATIVE), "", rank, 0), Part("", thing.english(True), 0, building.slot)]


ROLES: Final[dict[str, Callable[[Building, Role], None]]] = {
    "acc": _accusative,
    "dat": _dative,
    "prep": _prepositional,
    "goal": _goal,
    "at": _at,
    "home": _home,
    "by": _by,
    "piano": _piano,
    "price": _price,
    "duration": _duration,
    "name": _name,
    "job": _job,
    "pred": _predicate,
    "please": _please,
}


def complement(building: Building, role: Role, stranded: str | None = None) -> None:
    """Adds what a role asks for; of a gap, which a relative or question word fills, only the English preposition stays
    behind."""
    if stranded is not None:
        building.add(Part("", stranded, clauses.PREPOSITIONAL, building.slot))
    elif role.kind in ROLES:
        ROLES[role.kind](building, role)
