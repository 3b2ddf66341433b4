"""The abstract clause: what is said, before either language puts it in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple

from tools.builtin_corpus.words import Verb


class Tense(Enum):
    """One tense of each language stands for one of the other.

    The German perfect is the English simple past, and so is the preterite, which only sein, haben, modal verbs and
    clauses with als and während have. A progressive has gerade or jetzt in German.
    """

    PRESENT = "present"
    PAST = "past"
    PRETERITE = "preterite"
    PLUPERFECT = "pluperfect"
    FUTURE = "future"


class Order(Enum):
    """Where the German verb stands; English knows statements, questions and the two infinite forms."""

    SECOND = "second"
    FIRST = "first"
    FINAL = "final"
    INFINITIVE = "infinitive"
    GERUND = "gerund"


class Modal(NamedTuple):
    """A modal verb: present and preterite by person; in English a finite verb and what follows it."""

    present: tuple[str, ...]
    preterite: tuple[str, ...]
    english: str
    past: str
    rest: str
    auxiliary: bool


class Part(NamedTuple):
    """A constituent: German with its rank in the middle field, English with its slot after the verb (negative: before
    it).

    `extraposed` is a German relative clause at its end, which may stand after the verb instead.
    """

    german: str
    english: str
    rank: int
    slot: int
    extraposed: str = ""


class Tail(NamedTuple):
    """What follows a clause: a subordinate clause, an infinitive, or a second predicate, with its commas."""

    german: str
    english: str


# Ranks of the German middle field, from left to right.
SUBJECT, ACCUSATIVE_PRONOUN, REFLEXIVE, DATIVE_PRONOUN, LATE_SUBJECT, DATIVE_NOUN = 0, 10, 11, 12, 15, 20
MIDDLE, DAY, CLOCK, GOING_ON, OFTEN, DEFINITE, ALREADY, NOT, GLADLY = 28, 30, 31, 32, 45, 50, 55, 60, 65
COMPANY, MANNER, MEANS, LOCATION, INDEFINITE, PREPOSITIONAL, LOCATED, PREDICATE, GOAL = (
    70,
    72,
    74,
    76,
    90,
    100,
    105,
    110,
    120,
)
# Slots of English: complements are numbered from 10 in their own order.
BEFORE_VERB, SLOT_FIRST, COMPLEMENT, SLOT_MANNER, SLOT_COMPANY, SLOT_PLACE, SLOT_CLOCK, SLOT_DAY = (
    -1,
    5,
    10,
    50,
    55,
    60,
    70,
    80,
)


class Subject(NamedTuple):
    """The subject in both languages, with the person of the verb (0 to 5) in each."""

    german: str
    english: str
    person: int
    english_person: int
    rank: int = SUBJECT
    extraposed: str = ""


@dataclass(slots=True)
class Clause:
    """A clause. `lead` opens it in both languages: a relative pronoun or a question word; `front` is the part before
    the German verb."""

    subject: Subject
    verb: Verb
    tense: Tense
    parts: list[Part]
    modal: Modal | None = None
    gladly: bool = False
    progressive: bool = False
    passive: bool = False
    negated: bool = False
    nicht: bool = False
    reflexive: str = ""
    front: Part | None = None
    english_front: bool = True
    lead: tuple[str, str] = ("", "")
    subject_asked: bool = False
    command: bool = False
    tails: list[Tail] = field(default_factory=list)


def _modal(present: str, preterite: str, english: str) -> Modal:
    verb, past, rest, auxiliary = english.split("/")
    from_past = tuple(preterite + ending for ending in ("", "st", "", "n", "t", "n"))
    return Modal(tuple(present.split()), from_past, verb, past, rest, auxiliary == "auxiliary")


MODALS: Final = {
    "can": _modal("kann kannst kann können könnt können", "konnte", "can/could//auxiliary"),
    "must": _modal("muss musst muss müssen müsst müssen", "musste", "have/had/to/"),
    "want": _modal("will willst will wollen wollt wollen", "wollte", "want/wanted/to/"),
    "should": _modal("soll sollst soll sollen sollt sollen", "sollte", "should/should//auxiliary"),
    "may": _modal("darf darfst darf dürfen dürft dürfen", "durfte", "be/was/allowed to/auxiliary"),
    "would": _modal("möchte möchtest möchte möchten möchtet möchten", "wollte", "would/would/like to/auxiliary"),
}
