"""English word order: an abstract clause as a string."""

from __future__ import annotations

from typing import Final, NamedTuple

from tools.builtin_corpus.clauses import BEFORE_VERB, Clause, Order, Tense
from tools.builtin_corpus.english_forms import finite
from tools.builtin_corpus.german_forms import joined

SEPARABLE: Final = ("on", "off", "up", "along")
PRONOUNS: Final = frozenset({"me", "you", "him", "her", "it", "us", "them"})


class _Outer(NamedTuple):
    """The first verb of a chain with its past, whether it needs no do-support, and what follows it."""

    base: str
    past: str
    auxiliary: bool
    rest: str


def _chain(clause: Clause) -> _Outer:
    verb = clause.verb
    base, participle, ing = (verb.english, verb.english_participle, verb.ing)
    if clause.passive:
        base, participle, ing = f"be {participle}", f"been {participle}", f"being {participle}"
    if clause.modal:
        modal = clause.modal
        return _Outer(modal.english, modal.past, modal.auxiliary, f"{modal.rest} {base}".lstrip())
    if clause.gladly:
        return _Outer("like", "liked", False, f"to {base}")
    if clause.tense is Tense.FUTURE:
        return _Outer("will", "would", True, base)
    if clause.tense is Tense.PLUPERFECT:
        return _Outer("have", "had", True, participle)
    if clause.progressive:
        return _Outer("be", "was", True, ing)
    return (
        _Outer("be", "was", True, verb.english_participle)
        if clause.passive
        else _Outer(base, verb.past, base == "be", "")
    )


def _inflected(outer: _Outer, person: int, in_past: bool) -> str:
    if outer.base in ("can", "will", "should", "would"):
        return outer.past if in_past else outer.base
    return finite(outer.base, outer.past, person, in_past)


def _predicate(clause: Clause, inverted: bool) -> tuple[str, str]:
    """The finite verb that goes before an inverted subject, and the other verbs, with `not` and the adverbs of the
    middle."""
    outer, person = _chain(clause), clause.subject.english_person
    in_past = clause.tense in (Tense.PAST, Tense.PRETERITE, Tense.PLUPERFECT)
    middle = joined(part.english for part in clause.parts if part.slot == BEFORE_VERB)
    if outer.auxiliary:
        first = _inflected(outer, person, in_past)
        if first == "can" and clause.negated and not inverted:
            return "", joined(["cannot", middle, outer.rest])
        rest = joined(["not" if clause.negated else "", middle, outer.rest])
    elif clause.negated or inverted:
        first = finite("do", "did", person, in_past)
        rest = joined(["not" if clause.negated else "", middle, outer.base, outer.rest])
    else:
        return "", joined([middle, _inflected(outer, person, in_past), outer.rest])
    return (first, rest) if inverted else ("", joined([first, rest]))


def _infinite(clause: Clause, order: Order) -> str:
    verb = clause.verb
    form = f"to {verb.english}" if order is Order.INFINITIVE else verb.ing
    return joined(["not" if clause.negated else "", form])


def _after_verb(clause: Clause, order: Order) -> str:
    fronted = clause.front if clause.english_front and order in (Order.SECOND,) else None
    parts = sorted(
        (part for part in clause.parts if part.slot > BEFORE_VERB and part is not fronted), key=lambda part: part.slot
    )
    words = [part.english for part in parts]
    particle = clause.verb.particle
    if particle in SEPARABLE and words and words[0] in PRONOUNS:
        words.insert(1, particle)
    else:
        words.insert(0, particle)
    return joined(words)


def english(clause: Clause, order: Order, subject: bool = True) -> str:
    """The clause as a statement (second, final), a question (first) or an infinite form; without its subject where it
    was said before."""
    tails = [tail.english for tail in clause.tails]
    after = _after_verb(clause, order)
    if order in (Order.INFINITIVE, Order.GERUND):
        return joined([_infinite(clause, order), after, *tails])
    if clause.command:
        return joined([clause.lead[1], "do not" if clause.negated else "", clause.verb.english, after, *tails])
    inverted = order is Order.FIRST and not clause.subject_asked
    first, rest = _predicate(clause, inverted)
    front = clause.front.english if clause.front and clause.english_front and order is Order.SECOND else ""
    said = clause.subject.english if subject else ""
    return joined([clause.lead[1], front, first, said, rest, after, *tails])
