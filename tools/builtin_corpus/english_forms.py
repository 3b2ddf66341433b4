"""English inflection: nouns, articles, verbs and comparison."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

A_BEFORE_VOWEL: Final = ("uni", "use", "one")
AN_BEFORE_CONSONANT: Final = ("hon", "hour")
BE: Final = {False: ("am", "are", "is", "are", "are", "are"), True: ("was", "were", "was", "were", "were", "were")}
THIRD: Final = 2
"""Among the six persons (ich, du, er, wir, ihr, sie), the third of the singular."""


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


@cache
def plural(singular: str) -> str:
    """The regular plural of a noun."""
    return _with_s(singular)


@cache
def article(phrase: str) -> str:
    """The phrase after a or an, as it sounds."""
    vowel = phrase[0] in "aeiouAEIO" and not phrase.startswith(A_BEFORE_VOWEL)
    return ("an " if vowel or phrase.startswith(AN_BEFORE_CONSONANT) else "a ") + phrase


@cache
def third(base: str) -> str:
    """The third person singular of the present."""
    return {"have": "has", "go": "goes", "do": "does"}.get(base) or _with_s(base)


@cache
def past(base: str) -> str:
    """The regular past."""
    if base.endswith("e"):
        return base + "d"
    return base[:-1] + "ied" if base.endswith("y") and base[-2] not in "aeiou" else base + "ed"


@cache
def ing(base: str) -> str:
    """The regular form in -ing."""
    return base[:-1] + "ing" if base.endswith("e") and not base.endswith(("ee", "be")) else base + "ing"


def finite(base: str, past_form: str, person: int, in_past: bool) -> str:
    """The finite form for one of the six persons."""
    if base == "be":
        return BE[in_past][person]
    if in_past:
        return past_form
    return third(base) if person == THIRD else base


def _short(adjective: str) -> bool:
    return adjective.endswith("y") or len(re.findall("[aeiou]+", adjective.removesuffix("e"))) == 1


def _longer(adjective: str) -> str:
    if adjective.endswith("y") and adjective != "shy":
        return adjective[:-1] + "ier"
    if re.search("[^aeiou][aeiou][bdgnt]$", adjective):
        return adjective + adjective[-1] + "er"
    return adjective.removesuffix("e") + "er"


@cache
def comparative(adjective: str) -> str:
    """Bigger, happier, more expensive."""
    return _longer(adjective) if _short(adjective) else f"more {adjective}"


@cache
def superlative(comparative: str) -> str:
    """Biggest, happiest, most expensive, from the comparative."""
    irregular = {"better": "best", "worse": "worst"}.get(comparative)
    return irregular or (
        comparative.replace("more", "most") if comparative.startswith("more ") else comparative[:-2] + "est"
    )
