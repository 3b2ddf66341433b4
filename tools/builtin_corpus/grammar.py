"""Draws clauses: a frame, who and what fills it, adverbials as far as there is room, relative clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tools.builtin_corpus import adverbials, clauses, frames, nominals
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import MODALS, SLOT_DAY, Clause, Modal, Part, Subject, Tense
from tools.builtin_corpus.complements import Building, complement
from tools.builtin_corpus.german_forms import NOMINATIVE
from tools.builtin_corpus.phrases import ALL, MANY, SOME, THE, THIS, A, NounPhrase, Phrase, Pronoun, is_human, reflexive
from tools.builtin_corpus.words import Frame

ACTIONS: Final = {"": 0.72, "can": 0.06, "must": 0.07, "want": 0.06, "should": 0.03, "may": 0.03, "would": 0.03}
HEADS: Final = (THE, A, ALL, MANY, SOME, THIS)
"""Determiners of what may be taken up again, or told more of."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a clause should be: its room in words, its tense, its subject if given (and as which pronoun it is said),
    the flags its verb needs.

    A theme is a thing to take up by a pronoun. A plain clause has neither modal verb nor adverbials, an affirmed one is
    not denied.
    """

    words: int
    tense: Tense
    subject: Phrase | None = None
    said: Pronoun | None = None
    need: str = ""
    theme: NounPhrase | None = None
    main: bool = False
    plain: bool = False
    affirmed: bool = False


@dataclass(slots=True)
class Drawn:
    """A clause with who it is about, what its object is, and the frame it follows."""

    clause: Clause
    subject: Phrase
    frame: Frame
    room: int
    building: Building

    @property
    def theme(self) -> NounPhrase | None:
        """A thing that a later clause may take up by a pronoun."""
        for _, head in self.building.heads or ():
            if not is_human(head.noun) and head.noun.countable and head.determiner in HEADS:
                return head
        return None


def length(text: str) -> int:
    """Words in a text, of which commas are none."""
    return text.count(" ") - text.count(" ,") + 1 if text else 0


def subject_of(phrase: Phrase) -> Subject:
    """A phrase as the subject of a clause."""
    english_person = phrase.english_person if isinstance(phrase, NounPhrase) else phrase.person
    return Subject(phrase.german(NOMINATIVE), phrase.english(False), phrase.person, english_person)


def _frame(choice: Choice, wish: Wish) -> Frame:
    phrase = wish.subject
    if wish.theme:
        return choice.pick(frames.taking(wish.theme.noun, wish.tense))
    if phrase is None:
        return choice.pick(frames.everything(wish.tense, wish.need, False))
    if isinstance(phrase, NounPhrase):
        return choice.pick(frames.of_subject(phrase.noun, wish.tense, wish.need, False))
    return choice.pick(frames.personal(wish.tense, wish.need, False))


def _subject(choice: Choice, frame: Frame, words: int) -> Phrase:
    if frame.personal and (len(frame.subjects) > 100 or choice.chance(0.8)):
        people = (
            tuple(noun for noun in frame.subjects if is_human(noun)) if len(frame.subjects) > 150 else frame.subjects
        )
        return nominals.person(choice, people, words - 4)
    return nominals.noun_phrase(choice, choice.pick(frame.subjects), words - 4, role=nominals.SUBJECT)


def _modal(choice: Choice, frame: Frame, phrase: Phrase, wish: Wish) -> tuple[Modal | None, bool]:
    """A modal verb, or gern, where somebody acts by will."""
    beast = isinstance(phrase, NounPhrase) and not is_human(phrase.noun)
    if beast or "a" not in frame.verb.flags or wish.plain or wish.tense not in (Tense.PRESENT, Tense.PAST):
        return None, False
    if wish.tense is Tense.PRESENT and "g" in frame.verb.flags and choice.chance(0.1):
        return None, True
    drawn = choice.weighted(ACTIONS)
    unfit = wish.tense is Tense.PAST and drawn in ("should", "would")
    return (None if unfit else MODALS.get(drawn)), False


def new_clause(choice: Choice, frame: Frame, phrase: Phrase, wish: Wish) -> Clause:
    """A clause without complements: subject, verb, tense, modal verb and whether it is denied."""
    modal, gladly = _modal(choice, frame, phrase, wish)
    clause = Clause(subject_of(phrase), frame.verb, wish.tense, [], modal, gladly)
    clause.negated = not wish.affirmed and not gladly and choice.chance(0.13)
    durative = (
        wish.tense is Tense.PRESENT
        and "d" in frame.verb.flags
        and not (modal or gladly or clause.negated or wish.plain)
    )
    clause.progressive = durative and choice.chance(0.35)
    return clause


def fill(building: Building, frame: Frame, gap: int | None = None, stranded: str = "") -> None:
    """Adds the complements of a frame, but for a gap, and settles kein or nicht."""
    clause = building.clause
    for place, role in enumerate(frame.roles):
        complement(building, role, stranded if place == gap else None)
    if frame.verb.reflexive:
        clause.reflexive = reflexive(building.subject)
    if clause.gladly:
        clause.parts.append(Part("gern", "", clauses.GLADLY, 0))
    clause.nicht = clause.negated and not building.denied


def draw(choice: Choice, wish: Wish) -> Drawn:
    """A clause that fits the wish, with adverbials as far as there is room."""
    frame = _frame(choice, wish)
    phrase = wish.said or wish.subject or _subject(choice, frame, wish.words)
    clause = new_clause(choice, frame, phrase, wish)
    building = Building(choice, clause, phrase, max(0, (wish.words - 4) // 2))
    if wish.theme:
        building.theme = wish.theme.pronoun()
        if not choice.admits(frame.verb.name, wish.theme.noun):
            raise DeadEndError
    fill(building, frame)
    drawn = Drawn(clause, wish.subject or phrase, frame, 0, building)
    drawn.room = wish.words - measured(clause)
    if not wish.plain:
        adorn(choice, drawn, wish)
    return drawn


def measured(clause: Clause) -> int:
    """The length of a clause, roughly: its German words."""
    inner = sum(length(part.german) + length(part.extraposed) for part in clause.parts)
    return (
        inner
        + length(clause.subject.german)
        + 1
        + bool(clause.modal or clause.tense in (Tense.PAST, Tense.FUTURE))
        + clause.nicht
    )


def adorn(choice: Choice, drawn: Drawn, wish: Wish) -> None:
    """Adds adverbials while there is room, and chooses what stands first."""
    clause, flags = drawn.clause, drawn.frame.verb.flags
    added: list[Part] = []
    if clause.progressive:
        added += adverbials.going_on(choice)
    elif drawn.room > 0 and flags and choice.chance(0.85):
        added += _time(choice, clause, drawn.room)
    added += _circumstances(choice, drawn, drawn.room - sum(length(part.german) for part in added))
    clause.parts += added
    if wish.main:
        front(choice, clause, added)


def _circumstances(choice: Choice, drawn: Drawn, room: int) -> list[Part]:
    """How, with whom and where, as far as the verb and the room allow."""
    clause, verb = drawn.clause, drawn.frame.verb
    ranks = [part.rank for part in clause.parts if part.english]
    slot = clauses.SLOT_MANNER if any(rank < clauses.PREPOSITIONAL for rank in ranks) else clauses.SLOT_FIRST
    manner = (
        adverbials.manner(choice, verb, clause.subject.person > 2, slot)
        if room > 0 and not clause.negated and choice.chance(0.3)
        else None
    )
    found = [manner] if manner else []
    if room > 2 and "c" in verb.flags and choice.chance(0.25):
        found.append(adverbials.company(choice, drawn.subject))
        room -= 3
    if (
        room > 0
        and "p" in verb.flags
        and clauses.GOAL not in ranks
        and clauses.LOCATED not in ranks
        and choice.chance(0.6)
    ):
        found.append(adverbials.somewhere(choice, room))
    return found


def _time(choice: Choice, clause: Clause, room: int) -> list[Part]:
    """When: suited to tense and modal verb."""
    if clause.negated and clause.modal:
        return []
    if clause.tense is Tense.PRESENT and clause.modal:
        return [adverbials.fixed(choice, "today")] if choice.chance(0.5) else [adverbials.future_day(choice)]
    if clause.tense is Tense.PRESENT:
        if "t" in clause.verb.flags:
            return [adverbials.timetable(choice)]
        return [] if clause.negated else [adverbials.habit(choice)]
    if clause.tense is Tense.PAST and not clause.negated and not clause.modal and choice.chance(0.12):
        return [adverbials.fixed(choice, "already")]
    day = adverbials.day(choice, clause.tense)
    on_the_hour = (
        room > 4
        and not clause.negated
        and choice.chance(0.35)
        and (" " not in day.german or day.german.startswith("am "))
    )
    return [day, adverbials.clock(choice)] if on_the_hour else [day]


def front(choice: Choice, clause: Clause, added: list[Part]) -> None:
    """Moves something before the German verb: an adverbial, which English moves too, or a known object, which it does
    not."""
    if choice.chance(0.06) and not clause.progressive:
        sudden = clause.tense is Tense.PAST and not (clause.negated or clause.modal or added) and choice.chance(0.7)
        clause.front = adverbials.fixed(choice, "suddenly" if sudden else "opinion")
        return
    movable = [
        part for part in added if part.slot == SLOT_DAY or (part.slot == clauses.SLOT_PLACE and part.german != "hier")
    ]
    if movable and choice.chance(0.45):
        clause.front = movable[0]
    elif clause.subject.rank == clauses.SUBJECT and choice.chance(0.06):
        clause.front = next((part for part in clause.parts if _is_marked(part)), None)
        clause.english_front = False


def _is_marked(part: Part) -> bool:
    """Whether an object shows by its form alone that it is none of the subject: den, dem."""
    return part.rank in (clauses.DEFINITE, clauses.DATIVE_NOUN) and part.german.startswith(
        ("den ", "dem ", "diesen ", "diesem ")
    )
