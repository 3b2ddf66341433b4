"""Draws sentences: clauses joined by conjunctions until the length is reached."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from nmt.text.builtin import adverbials, copulas, frames, nominals, questions
from nmt.text.builtin.choice import Choice, DeadEndError
from nmt.text.builtin.clauses import MODALS, SLOT_CLOCK, SLOT_DAY, Clause, Order, Subject, Tail, Tense
from nmt.text.builtin.complements import Building
from nmt.text.builtin.english_order import english
from nmt.text.builtin.german_order import german
from nmt.text.builtin.grammar import Wish, draw, expand, fill, measured, new_clause, subject_of
from nmt.text.builtin.lexicon import lexicon
from nmt.text.builtin.phrases import NounPhrase, Phrase, Pronoun, is_human

NOBODY: Final = Subject("", "", 2, 2)
TENSES: Final = {Tense.PRESENT: 0.44, Tense.PAST: 0.42, Tense.FUTURE: 0.14}


class Conjunction(NamedTuple):
    """A subordinating conjunction, the tense of its clause, whether that goes on (and is a progressive in English), and its weight."""

    german: str
    english: str
    tense: Tense
    progressive: bool
    weight: float


PRESENT: Final = (
    Conjunction("weil", "because", Tense.PRESENT, False, 0.3),
    Conjunction("weil", "because", Tense.PAST, False, 0.08),
    Conjunction("obwohl", "although", Tense.PRESENT, False, 0.17),
    Conjunction("wenn", "if", Tense.PRESENT, False, 0.2),
    Conjunction("während", "while", Tense.PRESENT, True, 0.1),
    Conjunction("bevor", "before", Tense.PRESENT, False, 0.08),
    Conjunction("damit", "so that", Tense.PRESENT, False, 0.07),
)
PAST: Final = (
    Conjunction("weil", "because", Tense.PAST, False, 0.36),
    Conjunction("obwohl", "although", Tense.PAST, False, 0.18),
    Conjunction("als", "when", Tense.PRETERITE, False, 0.16),
    Conjunction("nachdem", "after", Tense.PLUPERFECT, False, 0.12),
    Conjunction("während", "while", Tense.PRETERITE, True, 0.1),
    Conjunction("bevor", "before", Tense.PAST, False, 0.08),
)
FUTURE: Final = (
    Conjunction("weil", "because", Tense.PRESENT, False, 0.3),
    Conjunction("wenn", "if", Tense.PRESENT, False, 0.34),
    Conjunction("sobald", "as soon as", Tense.PRESENT, False, 0.14),
    Conjunction("bevor", "before", Tense.PRESENT, False, 0.12),
    Conjunction("damit", "so that", Tense.PRESENT, False, 0.1),
)
CONJUNCTIONS: Final = {
    tense: {entry: entry.weight for entry in entries} for tense, entries in ((Tense.PRESENT, PRESENT), (Tense.PAST, PAST), (Tense.FUTURE, FUTURE))
}


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


def _again(choice: Choice, story: Story) -> Again:
    """The subject of the story once more, or somebody new."""
    said = story.subject.pronoun() if story.subject is not None and choice.chance(0.62) else None
    return Again(story.subject, said) if said else NEW


def _simple(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW) -> Story:
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
        return _copula(choice, words, tense, about)
    return _verbal(choice, words, tense, main, about)


def _copula(choice: Choice, words: int, tense: Tense, about: Again = NEW) -> Story:
    subject = about.subject
    if subject is None and choice.chance(0.5):
        clause, phrase = copulas.of_thing(choice, words, tense)
    elif isinstance(subject, NounPhrase) and not is_human(subject.noun):
        clause, phrase = copulas.of_thing(choice, words, tense, subject, about.said)
    else:
        clause, phrase = copulas.of_person(choice, words, tense, about.said)
    return Story(clause, subject or phrase, None, tense)


def _verbal(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW) -> Story:
    drawn = draw(choice, Wish(min(words, 12), tense, *about, main=main))
    room = words - measured(drawn.clause)
    if room > 4 and choice.chance(0.5):
        expand(choice, drawn, min(room, 10))
    return Story(drawn.clause, drawn.subject, drawn.theme, tense)


def _about_theme(choice: Choice, story: Story, words: int, tense: Tense) -> Story | None:
    """The thing of the story once more: weil sie billig war, because it was cheap."""
    if story.theme is None or not choice.chance(0.45):
        return None
    taken = story.theme.pronoun()
    if tense in (Tense.PRETERITE, Tense.PLUPERFECT) or taken is None or story.theme.plural:
        return None
    return Story(copulas.of_thing(choice, words, tense, story.theme, taken)[0], story.theme, None, tense)


def _dependent(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    """The clause after a conjunction. It happens when the main clause does, so in the past it has no time of its own."""
    dependent = _undated(choice, story, conjunction, words)
    if dependent.tense is not Tense.PRESENT:
        clause = dependent.clause
        clause.parts = [part for part in clause.parts if part.slot not in (SLOT_DAY, SLOT_CLOCK)]
    return dependent


def _undated(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    tense = conjunction.tense
    if conjunction.german in ("weil", "obwohl"):
        thing = _about_theme(choice, story, words, tense)
        if thing:
            return thing
        draw_kind = choice.random.random()
        if draw_kind < 0.38:
            return _copula(choice, words, tense, _again(choice, story))
        if draw_kind < 0.44:
            return Story(copulas.weather(choice, 3, tense), None, None, tense)
    if conjunction.german in ("wenn", "als") and choice.chance(0.15):
        return Story(copulas.weather(choice, 3, tense, progressive=False), None, None, tense)
    return _happening(choice, story, conjunction, words)


def _happening(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    need = "d" if conjunction.progressive else "a" if conjunction.german in ("damit", "sobald", "nachdem", "bevor") else ""
    plain = conjunction.german not in ("weil", "obwohl")
    wish = Wish(min(words, 10), conjunction.tense, *_again(choice, story), need, plain=plain, affirmed=plain)
    drawn = draw(choice, wish)
    if conjunction.german == "damit":
        drawn.clause.modal = MODALS["can"]
    drawn.clause.progressive = conjunction.progressive or drawn.clause.progressive
    room = words - measured(drawn.clause)
    if room > 5 and choice.chance(0.6):
        expand(choice, drawn, min(room, 9))
    return Story(drawn.clause, drawn.subject, drawn.theme, conjunction.tense)


def _subordinate(choice: Choice, story: Story, words: int, said: str) -> tuple[Conjunction, Story]:
    """A conjunction that suits what happens, and its clause; states have but reasons."""
    eventful = frames.is_action(story.clause.verb) or frames.is_event(story.clause.verb)
    fitting = {conjunction.german for conjunction in CONJUNCTIONS[story.tense]} if eventful else {"weil", "obwohl"}
    if story.clause.progressive:
        fitting = {"weil", "obwohl", "während"}
    fitting -= {said}
    conjunction = choice.weighted(CONJUNCTIONS[story.tense])
    while conjunction.german not in fitting:
        conjunction = choice.weighted(CONJUNCTIONS[story.tense])
    return conjunction, _dependent(choice, story, conjunction, words)


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
    tense = Tense.PAST if story.tense is Tense.PAST else Tense.PRESENT if story.tense is Tense.FUTURE else choice.weighted(TENSES)
    if kind == "w":
        lead = choice.pick((("warum", "why"), ("wann", "when"), ("wo", "where")))
        need = "p" if lead[0] == "wo" else ""
        clause = draw(choice, Wish(words, tense, *_again(choice, story), need, plain=True, affirmed=True)).clause
        clause.lead = lead
        return Tail(f", {german(clause, Order.FINAL)} ,", english(clause, Order.FINAL))
    inner = grown(choice, words - 1, tense, main=False, about=_again(choice, story))
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


def _second_predicate(choice: Choice, story: Story, words: int, order: Order) -> Tail:
    """Und kauft ein Brot: what the same subject does too, perhaps to the same thing."""
    theme = story.theme if choice.chance(0.5) else None
    if not _is_somebody(story.subject):
        raise DeadEndError
    wish = Wish(min(words, 10), story.tense, story.subject, plain=theme is not None, theme=theme, affirmed=True)
    second = draw(choice, wish)
    if second.clause.subject.rank:
        raise DeadEndError
    second.clause.modal = None
    return Tail(f"und {german(second.clause, order, subject=False)}", f"and {english(second.clause, Order.SECOND, subject=False)}")


def _is_somebody(phrase: Phrase | None) -> bool:
    return phrase is not None and (not isinstance(phrase, NounPhrase) or is_human(phrase.noun))


def grown(choice: Choice, words: int, tense: Tense, main: bool, about: Again = NEW, said: str = "") -> Story:
    """A clause that has about this many words with all that depends on it, but not by the conjunction that was said before."""
    if words < 10:
        return _simple(choice, words, tense, main, about)
    kind = choice.random.random()
    if kind < 0.22 and about.subject is None:
        return _content(choice, words, tense)
    first = int(words * (0.4 + 0.25 * choice.random.random())) if words > 14 or kind < 0.7 else words
    story = _simple(choice, max(first, 5), tense, main, about)
    rest = words - measured(story.clause)
    if rest < 5:
        return story
    if kind < 0.32 and _is_somebody(story.subject) and "a" in story.clause.verb.flags and not story.clause.passive:
        story.clause.tails.append(_purpose(choice, story, rest))
    elif kind < 0.88:
        conjunction, (clause, *_) = _subordinate(choice, story, rest - 1, said)
        comma = ", " if conjunction.german == "obwohl" else ""
        tail = Tail(f", {conjunction.german} {german(clause, Order.FINAL)} ,", f"{comma}{conjunction.english} {english(clause, Order.FINAL)}")
        story.clause.tails.append(tail)
    return story


def _fronted(choice: Choice, words: int, tense: Tense) -> tuple[str, str]:
    """A subordinate clause first: Weil es regnet, bleibt er zu Hause."""
    first = max(4, int(words * (0.3 + 0.2 * choice.random.random())))
    conjunction = choice.weighted(CONJUNCTIONS[tense])
    before = Story(Clause(NOBODY, lexicon().verbs[0], tense, []), None, None, tense)
    inner = _dependent(choice, before, conjunction, first)
    clause = inner.clause
    story = grown(choice, words - measured(clause) - 1, tense, main=False, about=_again(choice, inner), said=conjunction.german)
    opening = f"{conjunction.german} {german(clause, Order.FINAL)} ,", f"{conjunction.english} {english(clause, Order.FINAL)} ,"
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
        drawn = draw(choice, Wish(min(rest, 12), tense, *_again(choice, left), "a", plain=True, affirmed=True))
        story = Story(drawn.clause, drawn.subject, drawn.theme, tense)
        right = german(story.clause, Order.FIRST), english(story.clause, Order.SECOND)
    elif rest > 22 and not inverted:
        right = statement(choice, rest, tense)
    else:
        story = grown(choice, rest, tense, main=not inverted, about=_again(choice, left))
        right = german(story.clause, Order.FIRST if inverted else Order.SECOND), english(story.clause, Order.SECOND)
    return f"{said[0]} {joint} {right[0]}", f"{said[1]} {english_joint} {right[1]}"


def _chained(choice: Choice, words: int, tense: Tense) -> tuple[str, str]:
    """One subject, two predicates."""
    story = _verbal(choice, max(5, words // 2), tense, False)
    if story.clause.modal or story.clause.gladly or story.clause.negated or story.subject is None or story.clause.subject.rank:
        raise DeadEndError
    tail = _second_predicate(choice, story, words - measured(story.clause), Order.FIRST)
    return f"{german(story.clause, Order.SECOND)} {tail.german}", f"{english(story.clause, Order.SECOND)} {tail.english}"


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


