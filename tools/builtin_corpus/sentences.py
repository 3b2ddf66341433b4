"""Draws sentences in both languages: clauses joined up to a length."""

from __future__ import annotations

import re
from typing import Final

from tools.builtin_corpus import adverbials, frames, nominals, questions
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import Clause, Order, Subject, Tail, Tense
from tools.builtin_corpus.complements import Building
from tools.builtin_corpus.english_order import english
from tools.builtin_corpus.german_order import german
from tools.builtin_corpus.grammar import Wish, draw, fill, measured, new_clause, subject_of
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import Phrase
from tools.builtin_corpus.stories import NEW, Again, Story, again, is_somebody, simple, verbal
from tools.builtin_corpus.subordination import CONJUNCTIONS, dependent, subordinate, undate

NOBODY: Final = Subject("", "", 2, 2)
TENSES: Final = {Tense.PRESENT: 0.44, Tense.PAST: 0.42, Tense.FUTURE: 0.14}


def _content(choice: Choice, words: int, tense: Tense) -> Story:
    """A clause with another as its object: dass, ob, zu."""
    frame = choice.pick(frames.of_content(tense))
    kind = next(role.kind for role in frame.roles if role.kind in frames.CLAUSAL)
    subject = nominals.person(choice, lexicon().classes["person"], words - 8)
    clause = new_clause(choice, frame, subject, Wish(4, tense, subject, affirmed=True))
    clause.progressive, clause.modal, clause.gladly = False, None, False
    clause.negated = kind.endswith("-not")
    building = Building(choice, clause, subject, 1)
    fill(building, frame)
    story = Story(clause, subject, None, tense)
    clause.tails.append(_object_clause(choice, story, building, kind.removesuffix("-not"), words - measured(clause)))
    return story


def _object_clause(choice: Choice, story: Story, building: Building, kind: str, words: int) -> Tail:
    if kind.startswith("zu"):
        controller = story.subject if kind == "zu" else building.heads[-1][1] if building.heads else None
        return infinitive(choice, controller, words)
    tense = (
        Tense.PAST
        if story.tense is Tense.PAST
        else Tense.PRESENT
        if story.tense is Tense.FUTURE
        else choice.weighted(TENSES)
    )
    if kind == "w":
        lead = choice.pick((("warum", "why"), ("wann", "when"), ("wo", "where")))
        need = "p" if lead[0] == "wo" else ""
        clause = draw(choice, Wish(words, tense, *again(choice, story), need, plain=True, affirmed=True)).clause
        clause.lead = lead
        return Tail(f", {german(clause, Order.FINAL)} ,", english(clause, Order.FINAL))
    inner = grown(choice, words - 1, tense, main=False, about=again(choice, story))
    lead = ("dass", "that") if kind == "dass" else ("ob", "whether")
    return Tail(f", {lead[0]} {german(inner.clause, Order.FINAL)} ,", f"{lead[1]} {english(inner.clause, Order.FINAL)}")


def infinitive(choice: Choice, controller: Phrase | None, words: int, opening: tuple[str, str] = ("", "")) -> Tail:
    """To do something, in order to do it, without doing it."""
    if controller is None:
        raise DeadEndError
    frame = choice.pick(frames.willing())
    clause = Clause(subject_of(controller), frame.verb, Tense.PRESENT, [])
    building = Building(choice, clause, controller, max(0, (words - 5) // 2))
    fill(building, frame)
    if words > 7 and "p" in frame.verb.flags and choice.chance(0.5):
        clause.parts.append(adverbials.somewhere(choice, words - 6))
    order = Order.GERUND if opening[0] in ("ohne", "anstatt") else Order.INFINITIVE
    text = f"{opening[0]} {german(clause, order)}".lstrip()
    return Tail(f", {text} ,", f"{opening[1]} {english(clause, order)}".lstrip())


def _purpose(choice: Choice, story: Story, words: int) -> Tail:
    opening = choice.weighted({("um", "in order"): 0.7, ("ohne", "without"): 0.18, ("anstatt", "instead of"): 0.12})
    return infinitive(choice, story.subject, words, opening)


def grown(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW, said: str = "") -> Story:
    """A clause that has about this many words with all that depends on it, but not by the conjunction that was said
    before."""
    if words < 10:
        return simple(choice, words, tense, main, about)
    kind = choice.random.random()
    if kind < 0.22 and about.subject is None:
        return _content(choice, words, tense)
    first = int(words * (0.4 + 0.25 * choice.random.random())) if words > 14 or kind < 0.7 else words
    story = simple(choice, max(first, 5), tense, main, about)
    rest = words - measured(story.clause)
    if rest < 5:
        return story
    if kind < 0.32 and is_somebody(story.subject) and "a" in story.clause.verb.flags and not story.clause.passive:
        story.clause.tails.append(_purpose(choice, story, rest))
    elif kind < 0.88:
        conjunction, (clause, *_) = subordinate(choice, story, rest - 1, said)
        comma = ", " if conjunction.german == "obwohl" else ""
        tail = Tail(
            f", {conjunction.german} {german(clause, Order.FINAL)} ,",
            f"{comma}{conjunction.english} {english(clause, Order.FINAL)}",
        )
        story.clause.tails.append(tail)
    return story


def _fronted(choice: Choice, words: int, tense: Tense) -> tuple[str, str]:
    """A subordinate clause first: Weil es regnet, bleibt er zu Hause."""
    first = max(4, int(words * (0.3 + 0.2 * choice.random.random())))
    conjunction = choice.weighted(CONJUNCTIONS[tense])
    before = Story(Clause(NOBODY, lexicon().verbs[0], tense, []), None, None, tense)
    inner = dependent(choice, before, conjunction, first)
    clause = inner.clause
    story = grown(
        choice, words - measured(clause) - 1, tense, main=False, about=again(choice, inner), said=conjunction.german
    )
    if conjunction.german in ("als", "nachdem", "während"):
        undate(story.clause)
    opening = (
        f"{conjunction.german} {german(clause, Order.FINAL)} ,",
        f"{conjunction.english} {english(clause, Order.FINAL)} ,",
    )
    return f"{opening[0]} {german(story.clause, Order.FIRST)}", f"{opening[1]} {english(story.clause, Order.SECOND)}"


JOINTS: Final = {
    ("und", ", and", False): 0.38,
    (", aber", ", but", False): 0.34,
    (", deshalb", ", so", True): 0.1,
    ("und dann", ", and then", True): 0.08,
    ("oder", ", or", False): 0.04,
    (", trotzdem", ", but nevertheless", True): 0.06,
}


def _joined(choice: Choice, words: int, tense: Tense) -> tuple[str, str]:
    """Two sentences in one."""
    first = max(4, int(words * (0.35 + 0.3 * choice.random.random())))
    left = grown(choice, first, tense, main=True)
    joint, english_joint, inverted = choice.weighted(JOINTS)
    said = german(left.clause, Order.SECOND), english(left.clause, Order.SECOND)
    rest = max(4, words - said[0].count(" ") - 2)
    if english_joint == ", and then":
        drawn = draw(choice, Wish(min(rest, 12), tense, *again(choice, left), "a", plain=True, affirmed=True))
        story = Story(drawn.clause, drawn.subject, drawn.theme, tense)
        right = german(story.clause, Order.FIRST), english(story.clause, Order.SECOND)
    elif rest > 22 and not inverted:
        right = statement(choice, rest, tense)
    else:
        story = grown(choice, rest, tense, main=not inverted, about=again(choice, left))
        right = german(story.clause, Order.FIRST if inverted else Order.SECOND), english(story.clause, Order.SECOND)
    return f"{said[0]} {joint} {right[0]}", f"{said[1]} {english_joint} {right[1]}"


def _chained(choice: Choice, words: int, tense: Tense) -> tuple[str, str]:
    """One subject, two predicates, the second perhaps about the same thing: Sie backt einen Kuchen und isst ihn."""
    story = verbal(choice, max(5, words // 2), tense, False)
    first = story.clause
    if (
        first.modal
        or first.gladly
        or first.negated
        or first.progressive
        or first.subject.rank
        or not is_somebody(story.subject)
    ):
        raise DeadEndError
    theme = story.theme if choice.chance(0.5) else None
    room = min(words - measured(first), 10)
    second = draw(choice, Wish(room, tense, story.subject, plain=theme is not None, theme=theme, affirmed=True)).clause
    if second.subject.rank:
        raise DeadEndError
    second.modal = None
    german_tail, english_tail = german(second, Order.FIRST, subject=False), english(second, Order.SECOND, subject=False)
    return f"{german(first, Order.SECOND)} und {german_tail}", f"{english(first, Order.SECOND)} and {english_tail}"


def statement(choice: Choice, words: int, tense: Tense | None = None) -> tuple[str, str]:
    """A statement of about this many words."""
    tense = tense or choice.weighted(TENSES)
    kind = choice.random.random()
    if words > 20 and kind < 0.75:
        return _joined(choice, words, tense)
    if words > 9 and kind < 0.16:
        return _fronted(choice, words, tense)
    if words > 9 and kind < 0.28:
        return _joined(choice, words, tense)
    if words > 8 and kind < 0.36:
        return _chained(choice, words, tense)
    story = grown(choice, words, tense, main=True)
    return german(story.clause, Order.SECOND), english(story.clause, Order.SECOND)


def finished(text: str, mark: str) -> str:
    """A sentence as it is written: commas attached and never doubled, a capital, the mark."""
    text = re.sub(r"(?: ?,)+", ",", text).rstrip(",")
    return text[0].upper() + text[1:] + mark


def sentence(choice: Choice, words: int) -> tuple[str, str]:
    """A pair of about this many words."""
    kind = choice.random.random()
    if kind < 0.13 and words < 14:
        said, mark = questions.question(choice, words), "?"
    elif kind < 0.165 and words < 11:
        said, mark = questions.request(choice, words), "!"
    else:
        said, mark = statement(choice, words), "."
    return finished(said[0], mark), finished(said[1], "." if mark == "!" else mark)
