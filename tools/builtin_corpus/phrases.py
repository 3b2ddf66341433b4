"""Noun phrases and pronouns, each said in German by case and in English."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from tools.builtin_corpus import english_forms, german_forms
from tools.builtin_corpus.german_forms import ACCUSATIVE, GENITIVE, NOMINATIVE
from tools.builtin_corpus.words import Noun

# The pronouns, in the order ich, du, er, sie, es, wir, ihr, sie.
ICH, DU, ER, SIE, ES, WIR, IHR, PLURAL = range(8)
GERMAN: Final = (
    ("ich", "mich", "mir"),
    ("du", "dich", "dir"),
    ("er", "ihn", "ihm"),
    ("sie", "sie", "ihr"),
    ("es", "es", "ihm"),
    ("wir", "uns", "uns"),
    ("ihr", "euch", "euch"),
    ("sie", "sie", "ihnen"),
)
ENGLISH: Final = (
    ("I", "me"),
    ("you", "you"),
    ("he", "him"),
    ("she", "her"),
    ("it", "it"),
    ("we", "us"),
    ("you", "you"),
    ("they", "them"),
)
GERMAN_POSSESSIVE: Final = ("mein", "dein", "sein", "ihr", "sein", "unser", "euer", "ihr")
ENGLISH_POSSESSIVE: Final = ("my", "your", "his", "her", "its", "our", "your", "their")
PERSON: Final = (0, 1, 2, 2, 2, 3, 4, 5)
"""The person of the verb that each pronoun takes."""


@dataclass(frozen=True, eq=False, slots=True)
class Determiner:
    """What stands before adjectives and noun: the German stem and how it and they inflect, and the English of singular
    and plural.

    In English, "a" becomes an before a vowel.
    """

    german: str
    endings: dict[str, german_forms.Cases] | None
    adjectives: dict[str, german_forms.Cases]
    english: str
    english_plural: str


THE: Final = Determiner("", german_forms.DEFINITE, german_forms.WEAK, "the", "the")
A: Final = Determiner("ein", german_forms.ARTICLE, german_forms.MIXED, "a", "")
BARE: Final = Determiner("", None, german_forms.STRONG, "", "")
PIANO: Final = Determiner("", None, german_forms.STRONG, "the", "the")
"""Before instruments that are played: Klavier, the piano."""
NOT_A: Final = Determiner("kein", german_forms.ARTICLE, german_forms.MIXED, "a", "any")
NOT_ANY: Final = replace(NOT_A, english="any")
NO: Final = replace(NOT_A, english="no", english_plural="no")
THIS: Final = Determiner("dies", german_forms.DETERMINER, german_forms.WEAK, "this", "these")
EVERY: Final = Determiner("jed", german_forms.DETERMINER, german_forms.WEAK, "every", "")
WHICH: Final = Determiner("welch", german_forms.DETERMINER, german_forms.WEAK, "which", "which")
ALL: Final = Determiner("all", german_forms.DETERMINER, german_forms.WEAK, "", "all")
MANY: Final = Determiner("viel", german_forms.STRONG, german_forms.STRONG, "", "many")
SOME: Final = Determiner("einig", german_forms.STRONG, german_forms.STRONG, "", "some")

MUCH: Final = Determiner("viel", None, german_forms.STRONG, "a lot of", "")
HOW_MANY: Final = Determiner("wie viel", german_forms.STRONG, german_forms.STRONG, "", "how many")


def possessive(pronoun: int, english: int) -> Determiner:
    """My, your, his and so on, by the number of the pronoun in either language."""
    word = ENGLISH_POSSESSIVE[english]
    return Determiner(GERMAN_POSSESSIVE[pronoun], german_forms.ARTICLE, german_forms.MIXED, word, word)


def number(german: str, english: str) -> Determiner:
    """A number above one, in words or digits, the same in every case."""
    return Determiner(german, None, german_forms.STRONG, "", english)


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A personal pronoun; the German and the English one differ where a thing is er or sie."""

    german_index: int
    english_index: int

    @property
    def person(self) -> int:
        """The person of the verb, one of six."""
        return PERSON[self.german_index]

    english_person = person
    definite = True

    def german(self, case: int) -> str:
        """The pronoun in the nominative, accusative or dative."""
        return GERMAN[self.german_index][case]

    def english(self, objective: bool) -> str:
        """The pronoun as subject or as object."""
        return ENGLISH[self.english_index][objective]

    def pronoun(self) -> Pronoun:
        """Itself."""
        return self


class Describing(NamedTuple):
    """An adjective before a noun: an uninflected intensifier, the stem that takes the ending, and the English."""

    before: str
    stem: str
    english: str


@dataclass(frozen=True, slots=True)
class NounPhrase:
    """A noun with what surrounds it. `owner` is a genitive after the German noun and its English before or after it
    (`of ...`)."""

    noun: Noun
    plural: bool
    determiner: Determiner
    adjectives: tuple[Describing, ...] = ()
    owner: tuple[str, str] = ("", "")

    @property
    def person(self) -> int:
        """Third person, singular or plural."""
        return 5 if self.plural else 2

    @property
    def english_person(self) -> int:
        """Third person, singular or plural."""
        return self.person

    @property
    def gender(self) -> str:
        """The column of the tables of endings."""
        return "p" if self.plural else self.noun.gender

    @property
    def definite(self) -> bool:
        """Whether the phrase names something known, which German likes to say early."""
        determiner = self.determiner
        return (
            determiner.english in ("the", "this")
            or determiner.german in GERMAN_POSSESSIVE
            or determiner.english.endswith("'s")
        )

    def german(self, case: int) -> str:
        """The phrase in a case."""
        gender, determiner = self.gender, self.determiner
        if determiner.endings is german_forms.DEFINITE:
            words = [determiner.endings[gender][case]]
        else:
            words = [
                german_forms.determiner(determiner.german, determiner.endings, gender, case)
                if determiner.endings
                else determiner.german
            ]
        ending = determiner.adjectives[gender][case]
        for adjective in self.adjectives:
            words += [adjective.before, adjective.stem + ending]
        words += [self.noun.forms[self.plural][case], self.owner[0]]
        return german_forms.joined(words)

    def english(self, objective: bool) -> str:
        """The phrase; English nouns have no cases."""
        noun = self.noun.english_plural if self.plural else self.noun.english
        words = [adjective.english for adjective in self.adjectives] + [noun]
        owner = self.owner[1]
        text = " ".join(words)
        determiner = self.determiner.english_plural if self.plural else self.determiner.english
        if owner.endswith(("'s", "'")):
            text = f"{owner} {text}"
        elif determiner == "a":
            text = english_forms.article(text)
        elif determiner:
            text = f"{determiner} {text}"
        if owner.startswith("of "):
            text += f" {owner}"
        return text

    def pronoun(self) -> Pronoun | None:
        """The pronoun that refers to it; none to a person whose sex is not said."""
        classes = self.noun.classes
        if self.plural:
            return Pronoun(PLURAL, PLURAL)
        if is_human(self.noun):
            index = {"male": ER, "female": SIE}.get(self.noun.sex or "")
            return None if index is None else Pronoun(index, index)
        return None if "tongue" in classes else Pronoun({"m": ER, "f": SIE, "n": ES}[self.noun.gender], ES)


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name; a Herr is Herrn outside the nominative."""

    name: str
    english_name: str
    female: bool
    person = english_person = 2
    definite = True

    def german(self, case: int) -> str:
        """The name, in the genitive with an s."""
        name = self.name.replace("Herr ", "Herrn ") if case != NOMINATIVE else self.name
        return name + "s" if case == GENITIVE else name

    def english(self, objective: bool) -> str:
        """The name."""
        return self.english_name

    def pronoun(self) -> Pronoun:
        """He or she."""
        index = SIE if self.female else ER
        return Pronoun(index, index)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two phrases joined by and: always a plural."""

    first: NounPhrase | Name
    second: NounPhrase | Name
    person = english_person = 5
    definite = True

    def german(self, case: int) -> str:
        """Both in the same case."""
        return f"{self.first.german(case)} und {self.second.german(case)}"

    def english(self, objective: bool) -> str:
        """Both in their order."""
        return f"{self.first.english(objective)} and {self.second.english(objective)}"

    def pronoun(self) -> Pronoun:
        """They."""
        return Pronoun(PLURAL, PLURAL)


Phrase = Pronoun | NounPhrase | Name | Pair
HUMAN: Final = frozenset({"adult", "young", "kin", "job", "baby"})


def is_human(noun: Noun) -> bool:
    """Whether a noun means a person."""
    return not HUMAN.isdisjoint(noun.classes)


def reflexive(phrase: Phrase, case: int = ACCUSATIVE) -> str:
    """Myself and so on in German: mich, dich, uns, euch, and sich for all others."""
    index = phrase.german_index if isinstance(phrase, Pronoun) else ER
    return GERMAN[index][case] if index in (ICH, DU, WIR, IHR) else "sich"
