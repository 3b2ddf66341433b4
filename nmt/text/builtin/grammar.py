"""Draws clauses: a frame, who and what fills it, adverbials as far as there is room, relative clauses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from nmt.text.builtin import adverbials, clauses, frames, nominals
from nmt.text.builtin.choice import Choice, DeadEndError
from nmt.text.builtin.clauses import BEFORE_VERB, MODALS, SLOT_DAY, Clause, Modal, Order, Part, Subject, Tense
from nmt.text.builtin.complements import Building, complement
from nmt.text.builtin.english_order import english
from nmt.text.builtin.german_forms import NOMINATIVE, RELATIVE
from nmt.text.builtin.german_order import german
from nmt.text.builtin.lexicon import Frame, lexicon
from nmt.text.builtin.phrases import ALL, MANY, SOME, THE, THIS, A, NounPhrase, Phrase, Pronoun, is_human, reflexive

ACTIONS: Final = {"": 0.72, "can": 0.06, "must": 0.07, "want": 0.06, "should": 0.03, "may": 0.03, "would": 0.03}
HEADS: Final = (THE, A, ALL, MANY, SOME, THIS)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a clause should be: its room in words, its tense, its subject if given (and as which pronoun it is said), the flags its verb needs.

    A theme is a thing to take up by a pronoun. A plain clause has neither modal verb nor adverbials, an affirmed one is not denied.
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
        people = tuple(noun for noun in frame.subjects if is_human(noun)) if len(frame.subjects) > 150 else frame.subjects
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
    durative = wish.tense is Tense.PRESENT and "d" in frame.verb.flags and not (modal or gladly or clause.negated or wish.plain)
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
    return inner + length(clause.subject.german) + 1 + bool(clause.modal or clause.tense in (Tense.PAST, Tense.FUTURE)) + clause.nicht


def adorn(choice: Choice, drawn: Drawn, wish: Wish) -> None:
    """Adds adverbials while there is room, and chooses what stands first."""
    clause, verb, flags = drawn.clause, drawn.frame.verb, drawn.frame.verb.flags
    added: list[Part] = []
    if clause.progressive:
        added += adverbials.going_on(choice)
    elif drawn.room > 0 and flags and choice.chance(0.85):
        added += _time(choice, clause, drawn.room)
    room = drawn.room - sum(length(part.german) for part in added)
    transitive = any(part.rank < clauses.PREPOSITIONAL and part.english for part in clause.parts)
    free = not any(part.rank in (clauses.GOAL, clauses.LOCATED) for part in clause.parts)
    if room > 0 and not clause.negated and choice.chance(0.3):
        added += [part for part in (adverbials.manner(choice, verb, clause.subject.person > 2, clauses.SLOT_MANNER if transitive else clauses.SLOT_FIRST),) if part]
    if room > 2 and "c" in flags and choice.chance(0.25):
        added.append(adverbials.company(choice, drawn.subject))
        room -= 3
    if room > 0 and "p" in flags and free and choice.chance(0.6):
        added.append(adverbials.somewhere(choice, room))
    clause.parts += added
    drawn.room = wish.words - measured(clause)
    if wish.main:
        front(choice, clause, added)


def _time(choice: Choice, clause: Clause, room: int) -> list[Part]:
    """When: suited to tense and modal verb."""
    if clause.negated and clause.modal:
        return []
    if clause.tense is Tense.PRESENT and clause.modal:
        return [adverbials.opening(choice, "today")] if choice.chance(0.5) else [adverbials.future_day(choice)]
    if clause.tense is Tense.PRESENT:
        if "t" in clause.verb.flags:
            return [adverbials.timetable(choice)]
        return [] if clause.negated else [adverbials.habit(choice)]
    if clause.tense is Tense.PAST and not clause.negated and not clause.modal and choice.chance(0.12):
        return [adverbials.middle(choice, "already")]
    day = adverbials.day(choice, clause.tense)
    on_the_hour = room > 4 and not clause.negated and choice.chance(0.35) and (" " not in day.german or day.german.startswith("am "))
    return [day, adverbials.clock(choice)] if on_the_hour else [day]


def front(choice: Choice, clause: Clause, added: list[Part]) -> None:
    """Moves something before the German verb: an adverbial, which English moves too, or a known object, which it does not."""
    if choice.chance(0.06) and not clause.progressive:
        sudden = clause.tense is Tense.PAST and not clause.negated and not clause.modal and choice.chance(0.5)
        clause.front = adverbials.opening(choice, "suddenly" if sudden else "opinion")
        return
    movable = [part for part in added if part.slot == SLOT_DAY or (part.slot == clauses.SLOT_PLACE and part.german != "hier")]
    if movable and choice.chance(0.45):
        clause.front = movable[0]
    elif choice.chance(0.06):
        objects = [part for part in clause.parts if part.rank in (clauses.DEFINITE, clauses.DATIVE_NOUN) and part.german.startswith(("den ", "dem ", "diesen ", "diesem "))]
        if objects and clause.subject.rank == clauses.SUBJECT:
            clause.front, clause.english_front = objects[0], False


def _relative_pronoun(head: NounPhrase) -> str:
    return "who" if is_human(head.noun) else "that"


def _about_subject(choice: Choice, head: NounPhrase, words: int, tense: Tense) -> Clause:
    """The head is the subject: der Mann, der liest."""
    frame = choice.pick(frames.of_subject(head.noun, tense, "", False))
    wish = Wish(words, tense, head)
    clause = new_clause(choice, frame, head, wish)
    building = Building(choice, clause, head, max(0, (words - 4) // 2))
    fill(building, frame)
    clause.lead = RELATIVE[head.gender][NOMINATIVE], _relative_pronoun(head)
    clause.subject = Subject("", "", head.person, head.person)
    adorn(choice, Drawn(clause, head, frame, words - measured(clause), building), wish)
    return clause


def _about_object(choice: Choice, head: NounPhrase, words: int, tense: Tense) -> Clause:
    """The head is what somebody does something to: das Buch, das er liest."""
    frame, gap = choice.pick(frames.of_object(head.noun, tense))
    role = frame.roles[gap]
    if not choice.admits(frame.verb.name, head.noun):
        raise DeadEndError
    place = lexicon().places.get(head.noun) if role.kind == "at" else None
    preposition, stranded = (place.location, place.english) if place else (role.german, role.english)
    phrase = nominals.person(choice, lexicon().classes["person"], 0)
    wish = Wish(words, tense, phrase, affirmed=True)
    clause = new_clause(choice, frame, phrase, wish)
    fill(Building(choice, clause, phrase, 0), frame, gap, stranded)
    clause.lead = f"{preposition} {RELATIVE[head.gender][2 if place else role.case]}".lstrip(), _relative_pronoun(head)
    if clause.progressive:
        clause.parts += adverbials.going_on(choice)
    elif words > 4 and tense is Tense.PAST:
        clause.parts.append(adverbials.past_day(choice))
    return clause


def relative(choice: Choice, head: NounPhrase, words: int) -> tuple[str, str]:
    """A relative clause about a noun phrase in both languages, the German one between commas."""
    tense = Tense.PAST if choice.chance(0.45) else Tense.PRESENT
    options = frames.of_object(head.noun, tense)
    about = _about_object if options and choice.chance(0.6) else _about_subject
    clause = about(choice, head, words, tense)
    return f" , {german(clause, Order.FINAL)} ,", f" {english(clause, Order.FINAL)}"


def may_head(head: NounPhrase) -> bool:
    """Whether a relative clause may follow: the noun is one of several."""
    return (head.determiner in HEADS or head.determiner.english_plural[:1].isdigit()) and head.noun.countable and not head.owner[0]


def expand(choice: Choice, drawn: Drawn, room: int) -> None:
    """Spends room on a relative clause, about the subject or about the last complement when nothing follows it."""
    clause = drawn.clause
    last = max((part.slot for part in clause.parts if part is not clause.front and part.slot > BEFORE_VERB), default=0)
    heads = [(place, head) for place, head in drawn.building.heads or () if may_head(head) and clause.parts[place].slot == last]
    if heads and clause.front is not clause.parts[heads[0][0]] and clause.parts[heads[0][0]].german:
        place, head = heads[0]
        german_text, english_text = relative(choice, head, room)
        part = clause.parts[place]
        clause.parts[place] = part._replace(english=part.english + english_text, extraposed=german_text)
    elif isinstance(said := drawn.building.subject, NounPhrase) and may_head(said) and clause.subject.rank == clauses.SUBJECT:
        german_text, english_text = relative(choice, said, min(room, 8))
        subject = clause.subject
        clause.subject = subject._replace(english=subject.english + english_text, extraposed=german_text)
