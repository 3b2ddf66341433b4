"""Draws subordinate clauses: which conjunction suits which tense, and what follows it."""

from __future__ import annotations

from typing import Final, NamedTuple

from tools.builtin_corpus import copulas, frames
from tools.builtin_corpus.choice import Choice
from tools.builtin_corpus.clauses import MODALS, SLOT_CLOCK, SLOT_DAY, Clause, Tense
from tools.builtin_corpus.grammar import Wish, draw, measured
from tools.builtin_corpus.relatives import expand
from tools.builtin_corpus.stories import Story, again, copula


class Conjunction(NamedTuple):
    """A subordinating conjunction, the tense of its clause, whether that goes on (and is a progressive in English), and
    its weight."""

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
    tense: {entry: entry.weight for entry in entries}
    for tense, entries in ((Tense.PRESENT, PRESENT), (Tense.PAST, PAST), (Tense.FUTURE, FUTURE))
}


def _about_theme(choice: Choice, story: Story, words: int, tense: Tense) -> Story | None:
    """The thing of the story once more: weil sie billig war, because it was cheap."""
    if story.theme is None or not choice.chance(0.45):
        return None
    taken = story.theme.pronoun()
    if tense in (Tense.PRETERITE, Tense.PLUPERFECT) or taken is None or story.theme.plural:
        return None
    return Story(copulas.of_thing(choice, words, tense, story.theme, taken)[0], story.theme, None, tense)


def undate(clause: Clause) -> None:
    """Takes the time from a clause in the past; in the present it says how the verb is meant."""
    if clause.tense is not Tense.PRESENT:
        clause.parts = [part for part in clause.parts if part.slot not in (SLOT_DAY, SLOT_CLOCK)]


def dependent(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    """The clause after a conjunction. It happens when the main clause does, so in the past it has no time of its
    own."""
    found = _undated(choice, story, conjunction, words)
    undate(found.clause)
    return found


def _undated(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    tense = conjunction.tense
    if conjunction.german in ("weil", "obwohl"):
        thing = _about_theme(choice, story, words, tense)
        if thing:
            return thing
        kind = choice.random.random()
        if kind < 0.38:
            return copula(choice, words, tense, again(choice, story))
        if kind < 0.44:
            return Story(copulas.weather(choice, 3, tense), None, None, tense)
    if conjunction.german in ("wenn", "als") and choice.chance(0.15):
        return Story(copulas.weather(choice, 3, tense, progressive=False), None, None, tense)
    return _happening(choice, story, conjunction, words)


def _happening(choice: Choice, story: Story, conjunction: Conjunction, words: int) -> Story:
    need = (
        "d" if conjunction.progressive else "a" if conjunction.german in ("damit", "sobald", "nachdem", "bevor") else ""
    )
    plain = conjunction.german not in ("weil", "obwohl")
    wish = Wish(min(words, 10), conjunction.tense, *again(choice, story), need, plain=plain, affirmed=plain)
    drawn = draw(choice, wish)
    if conjunction.german == "damit":
        drawn.clause.modal = MODALS["can"]
    drawn.clause.progressive = conjunction.progressive or drawn.clause.progressive
    room = words - measured(drawn.clause)
    if room > 5 and choice.chance(0.6):
        expand(choice, drawn, min(room, 9))
    return Story(drawn.clause, drawn.subject, drawn.theme, conjunction.tense)


def subordinate(choice: Choice, story: Story, words: int, said: str) -> tuple[Conjunction, Story]:
    """A conjunction that suits what happens, and its clause; states have but reasons."""
    eventful = frames.is_action(story.clause.verb) or frames.is_event(story.clause.verb)
    fitting = {conjunction.german for conjunction in CONJUNCTIONS[story.tense]} if eventful else {"weil", "obwohl"}
    if story.clause.progressive:
        fitting = {"weil", "obwohl", "während"}
    fitting -= {said}
    conjunction = choice.weighted(CONJUNCTIONS[story.tense])
    while conjunction.german not in fitting:
        conjunction = choice.weighted(CONJUNCTIONS[story.tense])
    return conjunction, dependent(choice, story, conjunction, words)
