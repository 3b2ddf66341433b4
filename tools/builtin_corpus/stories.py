"""Draws clauses that refer to the one before: its subject as a pronoun, its object as a theme."""

from __future__ import annotations

from typing import Final, NamedTuple

from tools.builtin_corpus import copulas
from tools.builtin_corpus.choice import Choice
from tools.builtin_corpus.clauses import Clause, Tense
from tools.builtin_corpus.grammar import Wish, draw, measured
from tools.builtin_corpus.phrases import NounPhrase, Phrase, Pronoun, is_human
from tools.builtin_corpus.relatives import expand


class Story(NamedTuple):
    """A clause so far, who it is about and what may be taken up again."""

    clause: Clause
    subject: Phrase | None
    theme: NounPhrase | None
    tense: Tense


class Again(NamedTuple):
    """A subject that was named before, and the pronoun that stands for it; both empty for a new one."""

    subject: Phrase | None = None
    said: Pronoun | None = None


NEW: Final = Again()


def again(choice: Choice, story: Story) -> Again:
    """The subject of the story once more, or somebody new."""
    said = story.subject.pronoun() if story.subject is not None and choice.chance(0.62) else None
    return Again(story.subject, said) if said else NEW


def is_somebody(phrase: Phrase | None) -> bool:
    """Whether a subject acts by will: a person, named or not."""
    return phrase is not None and (not isinstance(phrase, NounPhrase) or is_human(phrase.noun))


def simple(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW) -> Story:
    """One clause of any kind."""
    kind = choice.random.random()
    if about.subject is None and main:
        if kind < 0.03:
            return Story(copulas.weather(choice, words, tense), None, None, tense)
        if kind < 0.055 and words > 4 and tense is not Tense.FUTURE:
            return Story(copulas.there_is(choice, words, tense), None, None, tense)
        if kind < 0.09:
            return Story(copulas.passive(choice, words, tense), None, None, tense)
    if kind > 0.87 and tense is not Tense.FUTURE:
        return copula(choice, words, tense, about)
    return verbal(choice, words, tense, main, about)


def copula(choice: Choice, words: int, tense: Tense, about: Again = NEW) -> Story:
    """Somebody or something is so."""
    subject = about.subject
    if subject is None and choice.chance(0.5):
        clause, phrase = copulas.of_thing(choice, words, tense)
    elif isinstance(subject, NounPhrase) and not is_human(subject.noun):
        clause, phrase = copulas.of_thing(choice, words, tense, subject, about.said)
    else:
        clause, phrase = copulas.of_person(choice, words, tense, about.said)
    return Story(clause, subject or phrase, None, tense)


def verbal(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW) -> Story:
    """Somebody or something does something."""
    drawn = draw(choice, Wish(min(words, 12), tense, *about, main=main))
    room = words - measured(drawn.clause)
    if room > 4 and choice.chance(0.5):
        expand(choice, drawn, min(room, 10))
    return Story(drawn.clause, drawn.subject, drawn.theme, tense)
