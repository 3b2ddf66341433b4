"""Finds the frames that suit: by subject, by object, by what a clause needs of its verb."""

from __future__ import annotations

from functools import cache
from typing import Final

from tools.builtin_corpus.clauses import Tense
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import is_human
from tools.builtin_corpus.words import Frame, Noun, Role, Verb

CLAUSAL: Final = frozenset({"dass", "ob", "zu", "ob-not", "w-not", "zu-them"})
GAPS: Final = frozenset({"acc", "dat", "prep", "at"})
COMMON: Final = {
    "haben": 5,
    "lesen": 3,
    "essen": 3,
    "gehen": 3,
    "kaufen": 3,
    "sehen": 3,
    "trinken": 2,
    "schreiben": 2,
    "arbeiten": 2,
    "wohnen": 2,
    "helfen": 2,
}
ODD: Final = frozenset({"please", "price", "duration", "name", "job"})


def is_event(verb: Verb) -> bool:
    """Whether the verb says what happens at once, and is not told in the present."""
    return "e" in verb.flags


def is_action(verb: Verb) -> bool:
    """Whether the verb says what somebody does, in any tense."""
    return "a" in verb.flags or "d" in verb.flags


def suits(verb: Verb, tense: Tense, need: str) -> bool:
    """Whether a verb can be in this tense and has the flags that the clause needs."""
    if any(flag not in verb.flags for flag in need):
        return False
    if tense is Tense.PRESENT:
        return not is_event(verb) or "t" in verb.flags
    return tense is Tense.PAST or is_event(verb) or is_action(verb)


def _copies(verb: Verb) -> int:
    return COMMON.get(verb.infinitive, 1) if not verb.prefix else 1


@cache
def personal(tense: Tense, need: str, tails: bool) -> tuple[Frame, ...]:
    """Frames of which anybody can be the subject; common verbs come more than once."""
    return tuple(frame for frame in _suiting(tense, need, tails) if frame.personal for _ in range(_copies(frame.verb)))


@cache
def _suiting(tense: Tense, need: str, tails: bool) -> tuple[Frame, ...]:
    found = [frame for verb in lexicon().verbs for frame in verb.frames if suits(verb, tense, need)]
    return tuple(frame for frame in found if tails or not any(role.kind in CLAUSAL for role in frame.roles))


@cache
def everything(tense: Tense, need: str, tails: bool) -> tuple[Frame, ...]:
    """Frames of every subject."""
    return personal(tense, need, tails) + tuple(
        frame for frame in _suiting(tense, need, tails) if not frame.personal for _ in range(2)
    )


@cache
def of_subject(noun: Noun, tense: Tense, need: str, tails: bool) -> tuple[Frame, ...]:
    """Frames of which this noun can be the subject."""
    return tuple(
        frame
        for frame in _suiting(tense, need, tails)
        if noun in frame.subjects and not any(role.kind == "please" for role in frame.roles)
    )


@cache
def of_object(noun: Noun, tense: Tense) -> tuple[tuple[Frame, int], ...]:
    """Frames that anybody can be the subject of and this noun an object of, with the place of the object."""
    found = [
        (frame, place)
        for frame in _suiting(tense, "", False)
        if frame.personal
        for place, role in enumerate(frame.roles)
        if role.kind in GAPS and noun in role.nouns
    ]
    return tuple((frame, place) for frame, place in found if not any(role.kind in ODD for role in frame.roles))


@cache
def taking(noun: Noun, tense: Tense) -> tuple[Frame, ...]:
    """Frames of which this noun can be the accusative object, and may be said as a pronoun: beside no English
    object."""
    return tuple(
        frame
        for frame, place in of_object(noun, tense)
        if frame.roles[place].kind == "acc" and not any(role.kind == "dat" for role in frame.roles)
    )


@cache
def of_content(tense: Tense) -> tuple[Frame, ...]:
    """Frames whose object is a clause."""
    return tuple(frame for frame in everything(tense, "", True) if any(role.kind in CLAUSAL for role in frame.roles))


@cache
def willing() -> tuple[Frame, ...]:
    """Frames of what anybody can be asked to do, or want to."""
    return tuple(
        frame for frame in personal(Tense.FUTURE, "a", False) if not any(role.kind in ODD for role in frame.roles)
    )


@cache
def done_to() -> tuple[Frame, ...]:
    """Frames that have a passive: an accusative object and nothing else."""
    found = [frame for verb in lexicon().verbs if "s" in verb.flags for frame in verb.frames]
    return tuple(frame for frame in found if [role.kind for role in frame.roles] == ["acc"])


@cache
def asked(tense: Tense, social: bool) -> tuple[tuple[Frame, int], ...]:
    """Frames with the place of an object that can be asked for: somebody, or something."""
    kinds = ("acc", "dat", "prep") if social else ("acc",)
    found = [
        (frame, place)
        for frame in personal(tense, "", False)
        for place, role in enumerate(frame.roles)
        if role.kind in kinds
    ]
    return tuple(
        (frame, place)
        for frame, place in found
        if is_social(frame.roles[place].nouns) == social and _names_nothing(frame.roles[place])
    )


def _names_nothing(role: Role) -> bool:
    return bool(role.nouns) and not {"city", "country"} & set(role.of.split(","))


@cache
def is_social(nouns: tuple[Noun, ...]) -> bool:
    """Whether a role takes people, so that a name or a pronoun will do."""
    return sum(is_human(noun) for noun in nouns) > 20
