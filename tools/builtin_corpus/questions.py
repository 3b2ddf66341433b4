"""Draws questions and requests."""

from __future__ import annotations

from typing import Final

from tools.builtin_corpus import adverbials, clauses, frames, nominals
from tools.builtin_corpus.choice import Choice, DeadEndError
from tools.builtin_corpus.clauses import Clause, Order, Part, Subject, Tense
from tools.builtin_corpus.complements import Building
from tools.builtin_corpus.english_order import english
from tools.builtin_corpus.german_forms import ACCUSATIVE
from tools.builtin_corpus.german_order import german
from tools.builtin_corpus.grammar import Drawn, Wish, adorn, draw, fill, measured, new_clause, subject_of
from tools.builtin_corpus.lexicon import SEIN, lexicon
from tools.builtin_corpus.phrases import DU, HOW_MANY, IHR, WHICH, WIR, NounPhrase, Phrase, Pronoun

Said = tuple[str, str]
WHEN: Final = {("warum", "why"): 0.35, ("wann", "when"): 0.25, ("wo", "where"): 0.2, ("wie oft", "how often"): 0.2}
TENSES: Final = {Tense.PRESENT: 0.5, Tense.PAST: 0.38, Tense.FUTURE: 0.12}


def _asked(choice: Choice) -> Phrase | None:
    """Whom questions are about: most often the one who is asked."""
    draw = choice.random.random()
    return (
        Pronoun(DU, DU)
        if draw < 0.4
        else Pronoun(IHR, IHR)
        if draw < 0.5
        else Pronoun(WIR, WIR)
        if draw < 0.55
        else None
    )


def yes_or_no(choice: Choice, words: int) -> Said:
    """Liest du das Buch? Do you read the book?"""
    drawn = draw(choice, Wish(words, choice.weighted(TENSES), _asked(choice)))
    return german(drawn.clause, Order.FIRST), english(drawn.clause, Order.FIRST)


def _lead(choice: Choice, clause: Clause, lead: Said) -> Said:
    clause.lead = lead
    return german(clause, Order.SECOND), english(clause, Order.FIRST)


def circumstance(choice: Choice, words: int) -> Said:
    """Why, when, where, how often."""
    lead = choice.weighted(WHEN)
    tense = Tense.PRESENT if lead[0] == "wie oft" else choice.weighted(TENSES)
    need = "p" if lead[0] == "wo" else ""
    wish = Wish(words, tense, _asked(choice), need=need, plain=True, affirmed=lead[0] != "warum")
    drawn = draw(choice, wish)
    if lead[0] == "warum" and words > 5 and tense is Tense.PAST:
        drawn.clause.parts.append(adverbials.past_day(choice))
    return _lead(choice, drawn.clause, lead)


def who(choice: Choice, words: int) -> Said:
    """Wer hat das Buch gelesen? Who read the book?"""
    tense = choice.weighted(TENSES)
    frame = choice.pick(frames.personal(tense, "", False))
    third = Pronoun(2, 2)
    wish = Wish(words, tense, third, affirmed=True)
    clause = new_clause(choice, frame, third, wish)
    building = Building(choice, clause, third, (words - 4) // 2)
    if any(role.kind in frames.ODD for role in frame.roles):
        raise DeadEndError
    fill(building, frame)
    clause.subject, clause.subject_asked = Subject("", "", 2, 2), True
    adorn(choice, Drawn(clause, third, frame, words - measured(clause), building), wish)
    return _lead(choice, clause, ("wer", "who"))


def whom(choice: Choice, words: int) -> Said:
    """Was liest du? Wem hilft sie? Auf wen wartet er?"""
    tense = choice.weighted(TENSES)
    social = choice.chance(0.5)
    frame, gap = choice.pick(frames.asked(tense, social))
    role = frame.roles[gap]
    phrase = _asked(choice) or nominals.person(choice, lexicon().classes["person"], words - 4)
    clause = new_clause(choice, frame, phrase, Wish(words, tense, phrase, affirmed=True))
    clause.progressive = False
    fill(Building(choice, clause, phrase, 0), frame, gap, role.english)
    if tense is Tense.PAST and words > 4:
        clause.parts.append(adverbials.past_day(choice))
    word = ("wen" if role.case == ACCUSATIVE else "wem") if social else "was"
    return _lead(choice, clause, (f"{role.german} {word}".lstrip(), "who" if social else "what"))


def which(choice: Choice, words: int) -> Said:
    """Welches Buch liest du? Wie viele Bücher hat er gelesen?"""
    tense = choice.weighted(TENSES)
    frame, gap = choice.pick(frames.asked(tense, False))
    noun = choice.noun(frame.verb.name, tuple(noun for noun in frame.roles[gap].nouns if noun.countable))
    phrase = _asked(choice) or nominals.person(choice, lexicon().classes["person"], 0)
    many = choice.chance(0.35)
    adjectives = nominals.describing(choice, noun, True, words - 5, plain=True) if words > 5 else ()
    asked = NounPhrase(noun, many, HOW_MANY if many else WHICH, adjectives)
    clause = new_clause(choice, frame, phrase, Wish(words, tense, phrase, affirmed=True))
    clause.progressive = False
    fill(Building(choice, clause, phrase, 0), frame, gap)
    return _lead(choice, clause, (asked.german(ACCUSATIVE), asked.english(True)))


def how(choice: Choice, words: int) -> Said:
    """Wie alt ist das Haus?"""
    adjective = choice.pick([entry for entry in lexicon().adjectives if entry.german[0] in HOW])
    noun = choice.pick(adjective.nouns)
    if not choice.admits(adjective.english[0], noun):
        raise DeadEndError
    phrase = nominals.noun_phrase(choice, noun, 0, role=nominals.KNOWN_THING)
    clause = Clause(subject_of(phrase), SEIN, Tense.PRESENT if choice.chance(0.75) else Tense.PAST, [])
    return _lead(choice, clause, (f"wie {adjective.german[0]}", f"how {adjective.english[0]}"))


HOW: Final = ("alt", "groß", "lang", "teuer", "hoch", "schwer", "tief", "breit", "schnell", "wichtig", "gefährlich")


def whither(choice: Choice, words: int) -> Said:
    """Wohin gehst du? Woher kommt sie?"""
    phrase = _asked(choice) or nominals.person(choice, lexicon().classes["person"], words - 4)
    verbs = {
        verb.infinitive: verb
        for verb in lexicon().verbs
        if not verb.prefix and verb.english in ("go", "travel", "come", "run") and not verb.particle
    }
    verb = verbs[choice.pick(("gehen", "fahren", "reisen", "kommen", "laufen"))]
    clause = Clause(subject_of(phrase), verb, choice.weighted(TENSES), [])
    if words > 4 and clause.tense is not Tense.PRESENT:
        clause.parts.append(adverbials.day(choice, clause.tense))
    if verb.infinitive == "kommen":
        clause.parts.append(Part("", "from", 0, clauses.COMPLEMENT))
        return _lead(choice, clause, ("woher", "where"))
    return _lead(choice, clause, ("wohin", "where"))


def request(choice: Choice, words: int) -> Said:
    """Bitte mach das Fenster auf!"""
    you = Pronoun(DU, DU)
    frame = choice.pick(frames.willing())
    clause = Clause(subject_of(you), frame.verb, Tense.PRESENT, [], negated=choice.chance(0.2), command=True)
    building = Building(choice, clause, you, (words - 4) // 2)
    fill(building, frame)
    if words > 5 and not clause.negated:
        clause.parts.append(adverbials.day(choice, Tense.FUTURE))
    clause.lead = ("bitte", "please")
    clause.subject = Subject("", "", 1, 1)
    return german(clause, Order.SECOND), english(clause, Order.SECOND)


ASKING: Final = {yes_or_no: 0.34, circumstance: 0.17, who: 0.12, whom: 0.15, which: 0.1, how: 0.07, whither: 0.05}


def question(choice: Choice, words: int) -> Said:
    """A question of any kind, without its mark."""
    return choice.weighted(ASKING)(choice, words)
