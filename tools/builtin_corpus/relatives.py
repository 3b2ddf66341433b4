"""Draws relative clauses, and hangs them on the noun phrases of a clause."""

from __future__ import annotations

from tools.builtin_corpus import adverbials, clauses, frames, nominals
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import BEFORE_VERB, Clause, Order, Subject, Tense
from tools.builtin_corpus.complements import Building
from tools.builtin_corpus.english_order import english
from tools.builtin_corpus.german_forms import NOMINATIVE, RELATIVE
from tools.builtin_corpus.german_order import german
from tools.builtin_corpus.grammar import HEADS, Drawn, Wish, adorn, fill, measured, new_clause
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import NounPhrase, is_human


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
    return (
        (head.determiner in HEADS or head.determiner.english_plural[:1].isdigit())
        and head.noun.countable
        and not head.owner[0]
    )


def expand(choice: Choice, drawn: Drawn, room: int) -> None:
    """Spends room on a relative clause, about the subject or about the last complement when nothing follows it."""
    clause = drawn.clause
    last = max((part.slot for part in clause.parts if part is not clause.front and part.slot > BEFORE_VERB), default=0)
    heads = [
        (place, head)
        for place, head in drawn.building.heads or ()
        if may_head(head) and clause.parts[place].slot == last
    ]
    if heads and clause.front is not clause.parts[heads[0][0]] and clause.parts[heads[0][0]].german:
        place, head = heads[0]
        german_text, english_text = relative(choice, head, room)
        part = clause.parts[place]
        clause.parts[place] = part._replace(english=part.english + english_text, extraposed=german_text)
    elif (
        isinstance(said := drawn.building.subject, NounPhrase)
        and may_head(said)
        and clause.subject.rank == clauses.SUBJECT
    ):
        german_text, english_text = relative(choice, said, min(room, 8))
        subject = clause.subject
        clause.subject = subject._replace(english=subject.english + english_text, extraposed=german_text)
