"""Draws noun phrases: determiners that suit the noun and its place, adjectives, owners, names and pronouns."""

from __future__ import annotations

from typing import Final

from tools.builtin_corpus import phrases
from tools.builtin_corpus.choice import Choice
from tools.builtin_corpus.german_forms import GENITIVE, attributive
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import (
    ALL,
    BARE,
    EVERY,
    MANY,
    MUCH,
    NO,
    NOT_A,
    NOT_ANY,
    SOME,
    THE,
    THIS,
    A,
    Describing,
    Determiner,
    Name,
    NounPhrase,
    Pair,
    Phrase,
    Pronoun,
    is_human,
)
from tools.builtin_corpus.words import Adjective, Noun

OWNER: Final = "owner"
SUBJECT, OBJECT, DENIED, KNOWN_THING, NEW_THING, NO_THING = "subject", "object", "denied", "known", "new", "none"
"""What a phrase is to its clause: a denied object has kein, a known thing is definite, a new or missing one is what
there is or is not."""
NOT_OWNED: Final = frozenset(
    {"unique", "weather", "light", "sport", "meal", "wild", "nature", "plant", "cloud", "find", "shop", "open", "event"}
)
NUMBER: Final = "number"
MY_PEOPLE: Final = frozenset(
    {
        "child",
        "pupil",
        "guest",
        "customer",
        "patient",
        "teacher",
        "doctor",
        "dentist",
        "lawyer",
        "coach",
        "professor",
        "secretary",
        "hairdresser",
    }
)
NAMED: Final = frozenset({"tongue", "sport"})
"""Languages and games, which have neither article nor adjective."""
NOT_MINE: Final = frozenset(
    {
        "nature",
        "wild",
        "open",
        "cloud",
        "find",
        "light",
        "fire",
        "weather",
        "high",
        "grass",
        "match",
        "driver",
        "town",
        "line",
    }
)
SUBJECT_ONE: Final[dict[Determiner | str, float]] = {THE: 0.62, A: 0.16, THIS: 0.07, OWNER: 0.11, EVERY: 0.04}
SUBJECT_MANY: Final[dict[Determiner | str, float]] = {
    THE: 0.5,
    MANY: 0.08,
    SOME: 0.1,
    NUMBER: 0.12,
    THIS: 0.06,
    OWNER: 0.09,
    ALL: 0.05,
}
OBJECT_ONE: Final[dict[Determiner | str, float]] = {THE: 0.4, A: 0.38, THIS: 0.06, OWNER: 0.16}
OBJECT_MANY: Final[dict[Determiner | str, float]] = {
    THE: 0.36,
    BARE: 0.2,
    MANY: 0.08,
    SOME: 0.09,
    NUMBER: 0.11,
    THIS: 0.05,
    OWNER: 0.09,
    ALL: 0.02,
}
MASS: Final[dict[Determiner | str, float]] = {BARE: 0.6, THE: 0.26, MUCH: 0.08, THIS: 0.03, OWNER: 0.03}
MASS_SUBJECT: Final[dict[Determiner | str, float]] = {THE: 0.85, THIS: 0.05, OWNER: 0.1}
NEGATED_ONE: Final[dict[Determiner | str, float]] = {NOT_A: 0.5, THE: 0.32, THIS: 0.06, OWNER: 0.12}
NEGATED_MANY: Final[dict[Determiner | str, float]] = {NOT_A: 0.55, THE: 0.3, THIS: 0.05, OWNER: 0.1}
NEGATED_MASS: Final[dict[Determiner | str, float]] = {NOT_ANY: 0.8, THE: 0.2}
KNOWN: Final[dict[Determiner | str, float]] = {THE: 0.7, THIS: 0.1, OWNER: 0.2}
NEW_MANY: Final[dict[Determiner | str, float]] = {BARE: 0.25, MANY: 0.3, SOME: 0.2, NUMBER: 0.25}
KIN: Final[dict[Determiner | str, float]] = {OWNER: 0.85, THE: 0.15}
PRONOUNS: Final = {
    phrases.ICH: 0.2,
    phrases.DU: 0.16,
    phrases.ER: 0.2,
    phrases.SIE: 0.18,
    phrases.WIR: 0.12,
    phrases.IHR: 0.05,
    phrases.PLURAL: 0.09,
}
ALWAYS_THE: Final = frozenset({"unique", "meal", "lesson", "climate"})
SPEAKERS: Final = (phrases.ICH, phrases.DU, phrases.WIR)


def pronoun(choice: Choice) -> Pronoun:
    """A pronoun that needs nothing before it."""
    index = choice.weighted(PRONOUNS)
    return Pronoun(index, index)


def name(choice: Choice) -> Name:
    """The name of a woman or a man."""
    female = choice.chance(0.5)
    return Name(*choice.pick(lexicon().names["female" if female else "male"]), female)


def number(choice: Choice, digits: float = 0.05) -> Determiner:
    """Two and more, more or less often in digits."""
    if choice.chance(digits):
        figure = str(13 + int(choice.random.random() * 87))
        return phrases.number(figure, figure)
    numbers = lexicon().names["number"]
    return phrases.number(*numbers[int(choice.random.random() ** 3 * len(numbers))])


def _possessive(choice: Choice, subject: Phrase | None, person: bool) -> Determiner:
    """Mine or yours, or the subject's own."""
    owner = subject.pronoun() if subject else None
    if owner and owner.english_index != phrases.ES and choice.chance(0.8):
        return phrases.possessive(owner.german_index, owner.english_index)
    if subject is None and choice.chance(0.35):
        index = choice.pick((phrases.ER, phrases.SIE))
        return phrases.possessive(index, index)
    if not person and choice.chance(0.25):
        named = choice.pick(lexicon().names["female given"] if choice.chance(0.5) else lexicon().names["male given"])
        if named[0].endswith("s"):
            return THE
        return Determiner(named[0] + "s", None, BARE.adjectives, named[1] + "'s", named[1] + "'s")
    index = choice.pick(SPEAKERS)
    return phrases.possessive(index, index)


def _weights(noun: Noun, plural: bool, role: str) -> dict[Determiner | str, float]:
    if role == KNOWN_THING:
        return KNOWN
    if role == NO_THING:
        return {NO: 1.0}
    if role == NEW_THING:
        return NEW_MANY if plural else {A: 1.0}
    if not noun.countable and not noun.plural_only:
        return {SUBJECT: MASS_SUBJECT, DENIED: NEGATED_MASS}.get(role, MASS)
    if role == DENIED:
        return NEGATED_MANY if plural else NEGATED_ONE
    if role == SUBJECT:
        return SUBJECT_MANY if plural else SUBJECT_ONE
    return OBJECT_MANY if plural else OBJECT_ONE


def _only(noun: Noun, plural: bool, role: str) -> Determiner | None:
    """The determiner of nouns that allow but one."""
    classes = noun.classes
    if not NAMED.isdisjoint(classes):
        return BARE
    if "luck" in classes and role != SUBJECT:
        return NOT_ANY if role == DENIED else BARE
    return THE if not ALWAYS_THE.isdisjoint(classes) or ("part" in classes and not plural) else None


def _may_be_mine(noun: Noun) -> bool:
    classes = noun.classes
    if is_human(noun):
        return not classes.isdisjoint(("kin", "close", "baby")) or noun.english in MY_PEOPLE
    return classes.isdisjoint(NOT_MINE) and (
        "building" not in classes or "home" in classes or noun.english in ("school", "office", "store", "workshop")
    )


def determiner(choice: Choice, noun: Noun, plural: bool, role: str, subject: Phrase | None) -> Determiner:
    """A determiner that suits the noun, its number and its role in the clause."""
    only = _only(noun, plural, role)
    if only:
        return only
    if "hurting" in noun.classes and role == SUBJECT:
        return _possessive(choice, None, True)
    mine = "kin" in noun.classes or ("body" in noun.classes and role == OBJECT)
    drawn = choice.weighted(KIN if mine else _weights(noun, plural, role))
    if drawn is NUMBER:
        return number(choice)
    if isinstance(drawn, str):
        if not _may_be_mine(noun):
            return THE
        return _possessive(choice, None if role == SUBJECT else subject, is_human(noun))
    return drawn


def _degree(choice: Choice, adjective: Adjective, definite: bool) -> Describing:
    if definite and adjective.german[2] and choice.chance(0.08):
        return Describing("", adjective.german[2], adjective.english[2])
    stem = attributive(adjective.german[0])
    if adjective.german[1] and not definite and choice.chance(0.12):
        return Describing("sehr", stem, f"very {adjective.english[0]}")
    return Describing("", stem, adjective.english[0])


def describing(choice: Choice, noun: Noun, definite: bool, words: int, plain: bool = False) -> tuple[Describing, ...]:
    """None, one or two adjectives, as many as there is room for; plain ones are neither superlative nor intensified."""
    found: list[Adjective] = []
    while len(found) < min(words, 2) and choice.chance(0.42 if not found else 0.1):
        before = len(choice.combinations)
        adjective = choice.adjective(noun)
        if adjective is None or any(adjective.order == other.order for other in found):
            del choice.combinations[before:]
            break
        found.append(adjective)
    found.sort(key=lambda adjective: adjective.order)
    if len(found) == 2 or plain:
        return tuple(Describing("", attributive(adjective.german[0]), adjective.english[0]) for adjective in found)
    return tuple(_degree(choice, adjective, definite) for adjective in found)


def _owner(choice: Choice, noun: Noun, part: bool) -> tuple[str, str]:
    """A genitive: des Arztes, the doctor's; of a part: des Hauses, of the house."""
    if part:
        wholes = [
            whole
            for group in sorted(noun.classes)
            if group.startswith("part.")
            for whole in lexicon().classes[group[5:]]
        ]
    else:
        wholes = list(lexicon().classes["person"])
    owner = choice.pick([whole for whole in wholes if whole.countable])
    phrase = NounPhrase(owner, False, _possessive(choice, None, True) if "kin" in owner.classes else THE)
    english = phrase.english(True)
    return phrase.german(GENITIVE), f"{english}'s" if is_human(owner) else f"of {english}"


def _is_plural(choice: Choice, noun: Noun) -> bool:
    return (
        noun.countable
        and noun.classes.isdisjoint(("one", "part", "unique"))
        and choice.chance(0.75 if "pair" in noun.classes else 0.28)
    )


def noun_phrase(
    choice: Choice,
    noun: Noun,
    words: int = 2,
    *,
    role: str = OBJECT,
    subject: Phrase | None = None,
    plural: bool | None = None,
) -> NounPhrase:
    """A phrase around a noun. `words` is the room for adjectives and owner; `subject` is the clause's, whose own the
    noun may be."""
    many = noun.plural_only or (_is_plural(choice, noun) if plural is None else plural)
    chosen = determiner(choice, noun, many, role, subject)
    adjectives = describing(choice, noun, chosen is THE, words) if NAMED.isdisjoint(noun.classes) else ()
    part = "part" in noun.classes and not many
    owned = chosen is THE and not many and noun.countable and not is_human(noun) and noun.classes.isdisjoint(NOT_OWNED)
    owner = _owner(choice, noun, part) if part or (owned and words > 2 and choice.chance(0.08)) else ("", "")
    return NounPhrase(noun, many, chosen, adjectives, owner)


def person(choice: Choice, nouns: tuple[Noun, ...], words: int) -> Phrase:
    """Somebody as the subject of a clause."""
    draw = choice.random.random()
    if draw < 0.38:
        return pronoun(choice)
    if draw < 0.55:
        return name(choice)
    if draw < 0.6 and words > 4:
        return _couple(choice, nouns)
    return noun_phrase(choice, choice.pick(nouns), words, role=SUBJECT)


def _couple(choice: Choice, nouns: tuple[Noun, ...]) -> Pair:
    """Two of different names or nouns."""
    noun = choice.pick(nouns)
    first: NounPhrase | Name = name(choice) if choice.chance(0.5) else _phrase_of(choice, noun)
    if choice.chance(0.3):
        named = name(choice)
        return Pair(first, named if named != first else _phrase_of(choice, noun))
    others = [other for other in nouns if other.english != noun.english]
    return Pair(first, _phrase_of(choice, choice.pick(others)))


def _phrase_of(choice: Choice, noun: Noun) -> NounPhrase:
    return noun_phrase(choice, noun, 0, role=KNOWN_THING, plural=False)
