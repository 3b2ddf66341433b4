"""Draws adverbials: when, how often, where, how and with whom something happens."""

from __future__ import annotations

from typing import Final

from tools.builtin_corpus import clauses, nominals
from tools.builtin_corpus.choice import Choice
from tools.builtin_corpus.clauses import Part, Tense
from tools.builtin_corpus.german_forms import ACCUSATIVE, DATIVE, contracted
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import NounPhrase, Phrase
from tools.builtin_corpus.words import Noun, Verb

MIDDLE: Final = frozenset({"often", "still", "already", "guess"})
RANKS: Final = {"often": clauses.OFTEN, "still": clauses.OFTEN, "already": clauses.ALREADY, "guess": clauses.MIDDLE}


def fixed(choice: Choice, kind: str) -> Part:
    """An adverbial of a kind in the table, such as past, often or opinion."""
    entry = choice.pick(lexicon().adverbials[kind])
    if kind in MIDDLE:
        return Part(entry.german, entry.english, RANKS[kind], clauses.BEFORE_VERB)
    return Part(entry.german, entry.english, clauses.DAY, clauses.SLOT_DAY)


def going_on(choice: Choice) -> list[Part]:
    """What makes an English progressive: gerade (which English does not say), now, still."""
    draw = choice.random.random()
    if draw < 0.6:
        return [Part("gerade", "", clauses.GOING_ON, 0)]
    return [fixed(choice, "still" if draw < 0.7 else "now")]


def _weekday(choice: Choice) -> Part:
    german, english = choice.pick(lexicon().names["weekday"])
    german_part, english_part = choice.weighted(
        {("", ""): 0.6, ("morgen", " morning"): 0.15, ("abend", " evening"): 0.15, ("nachmittag", " afternoon"): 0.1}
    )
    return Part(f"am {german}{german_part}", f"on {english}{english_part}", clauses.DAY, clauses.SLOT_DAY)


def _span(choice: Choice) -> tuple[str, str]:
    """An amount of time in the dative: drei Tagen, three days."""
    if choice.chance(0.3):
        return choice.pick(lexicon().names["one"])
    amount = nominals.number(choice)
    german, english = choice.pick(lexicon().names["unit"])
    return f"{amount.german} {german}", f"{amount.english_plural} {english}"


def duration(choice: Choice) -> tuple[str, str]:
    """An amount of time in the accusative: drei Tage, three days."""
    amount = nominals.number(choice)
    german, english = choice.pick(lexicon().names["lasting"])
    return f"{amount.german} {german}", f"{amount.english_plural} {english}"


def _day(german: str, english: str) -> Part:
    return Part(german, english, clauses.DAY, clauses.SLOT_DAY)


def past_day(choice: Choice) -> Part:
    """Yesterday, on Monday, three days ago, in July, in 1998."""
    draw = choice.random.random()
    if draw < 0.45:
        return fixed(choice, "past")
    if draw < 0.62:
        german, english = _span(choice)
        return _day(f"vor {german}", f"{english} ago")
    if draw < 0.78:
        return _weekday(choice)
    if draw < 0.88:
        return fixed(choice, "today")
    if draw < 0.95:
        german, english = choice.pick(lexicon().names["month"])
        return _day(f"im {german}", f"in {english}")
    year = 1950 + int(choice.random.random() * 75)
    return _day(f"im Jahr {year}", f"in {year}")


def future_day(choice: Choice) -> Part:
    """Tomorrow, on Monday, in three days."""
    draw = choice.random.random()
    if draw < 0.55:
        return fixed(choice, "future")
    if draw < 0.7:
        german, english = _span(choice)
        return _day(f"in {german}", f"in {english}")
    return _weekday(choice) if draw < 0.85 else fixed(choice, "today")


def habit(choice: Choice) -> Part:
    """Every day, in the morning, often."""
    return fixed(choice, "habit" if choice.chance(0.6) else "often")


def clock(choice: Choice) -> Part:
    """At eight o'clock, at half past eight, at 7:45."""
    numbers = lexicon().names["number"]
    hour = int(choice.random.random() * 11)
    draw = choice.random.random()
    if draw < 0.55:
        german, english = f"um {numbers[hour][0]} Uhr", f"at {numbers[hour][1]} o'clock"
    elif draw < 0.75 and hour:
        german, english = f"um halb {numbers[hour][0]}", f"at half past {numbers[hour - 1][1]}"
    else:
        minutes = choice.pick(("05", "10", "15", "20", "30", "40", "45", "50"))
        german, english = f"um {7 + hour}.{minutes} Uhr", f"at {7 + hour}:{minutes}"
    return Part(german, english, clauses.CLOCK, clauses.SLOT_CLOCK)


def timetable(choice: Choice) -> Part:
    """When what has a timetable begins, ends or leaves."""
    return clock(choice) if choice.chance(0.6) else _weekday(choice)


def day(choice: Choice, tense: Tense) -> Part:
    """A day that suits the tense."""
    return future_day(choice) if tense is Tense.FUTURE else past_day(choice)


def place_phrase(choice: Choice, noun: Noun, words: int, subject: Phrase | None) -> NounPhrase:
    """A place as a phrase: known, or somebody's own."""
    return nominals.noun_phrase(choice, noun, words, role=nominals.KNOWN_THING, subject=subject, plural=False)


def location(
    choice: Choice, noun: Noun, words: int, rank: int = clauses.LOCATION, slot: int = clauses.SLOT_PLACE
) -> Part:
    """Where: im Garten, in the garden."""
    place = lexicon().places[noun]
    phrase = place_phrase(choice, noun, words, None)
    return Part(
        contracted(place.location, phrase.german(DATIVE)), f"{place.english} {phrase.english(True)}", rank, slot
    )


def goal(choice: Choice, noun: Noun, words: int, slot: int) -> Part:
    """Whither: in den Garten, zum Bahnhof."""
    place = lexicon().places[noun]
    phrase = place_phrase(choice, noun, words, None)
    german = contracted(place.goal, phrase.german(DATIVE if place.goal == "zu" else ACCUSATIVE))
    return Part(german, f"to {phrase.english(True)}", clauses.GOAL, slot)


def somewhere(choice: Choice, words: int) -> Part:
    """A place for what people do: here, in Berlin, in the garden."""
    draw = choice.random.random()
    if draw < 0.22 or words < 2:
        return fixed(choice, "here")._replace(rank=clauses.LOCATION, slot=clauses.SLOT_PLACE)
    if draw < 0.34:
        german, english = choice.pick(lexicon().names["city"])
        return Part(f"in {german}", f"in {english}", clauses.LOCATION, clauses.SLOT_PLACE)
    return location(choice, choice.pick(tuple(lexicon().places)), words - 3)


def company(choice: Choice, subject: Phrase) -> Part:
    """With somebody else."""
    other: Phrase = nominals.name(choice)
    if choice.chance(0.75):
        noun = choice.pick(lexicon().classes["close"] + lexicon().classes["kin"])
        other = nominals.noun_phrase(choice, noun, 0, subject=subject)
    return Part(f"mit {other.german(DATIVE)}", f"with {other.english(True)}", clauses.COMPANY, clauses.SLOT_COMPANY)


def manner(choice: Choice, verb: Verb, plural: bool, slot: int) -> Part | None:
    """Quickly, well, alone, together: what suits the verb."""
    kinds = ("manner", "together") if plural else ("manner",)
    fitting = [
        entry for kind in kinds for entry in lexicon().adverbials[kind] if verb.flags and verb.english in entry.verbs
    ]
    if not fitting:
        return None
    entry = choice.pick(fitting)
    return Part(entry.german, entry.english, clauses.MANNER, slot)
