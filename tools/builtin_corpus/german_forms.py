"""German inflection: nouns, articles, adjectives and verbs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE = range(4)
Cases = tuple[str, str, str, str]

# Rows: masculine, feminine, neuter, plural. Columns: the four cases.
DEFINITE: Final[dict[str, Cases]] = {
    "m": ("der", "den", "dem", "des"),
    "f": ("die", "die", "der", "der"),
    "n": ("das", "das", "dem", "des"),
    "p": ("die", "die", "den", "der"),
}
RELATIVE: Final[dict[str, Cases]] = {
    "m": ("der", "den", "dem", "dessen"),
    "f": ("die", "die", "der", "deren"),
    "n": ("das", "das", "dem", "dessen"),
    "p": ("die", "die", "denen", "deren"),
}
STRONG: Final[dict[str, Cases]] = {
    "m": ("er", "en", "em", "en"),
    "f": ("e", "e", "er", "er"),
    "n": ("es", "es", "em", "en"),
    "p": ("e", "e", "en", "er"),
}
WEAK: Final[dict[str, Cases]] = {
    "m": ("e", "en", "en", "en"),
    "f": ("e", "e", "en", "en"),
    "n": ("e", "e", "en", "en"),
    "p": ("en", "en", "en", "en"),
}
MIXED: Final[dict[str, Cases]] = {**WEAK, "m": ("er", "en", "en", "en"), "n": ("es", "es", "en", "en")}
# Endings of dies-, jed-, welch-; ein-, kein- and the possessives lack them in three places.
DETERMINER: Final[dict[str, Cases]] = {**STRONG, "m": ("er", "en", "em", "es"), "n": ("es", "es", "em", "es")}
ARTICLE: Final[dict[str, Cases]] = {**DETERMINER, "m": ("", "en", "em", "es"), "n": ("", "", "em", "es")}

CONTRACTIONS: Final = {
    ("in", "dem"): "im",
    ("in", "das"): "ins",
    ("an", "dem"): "am",
    ("an", "das"): "ans",
    ("zu", "dem"): "zum",
    ("zu", "der"): "zur",
    ("bei", "dem"): "beim",
    ("von", "dem"): "vom",
}
INSEPARABLE: Final = ("be", "emp", "ent", "er", "ge", "ver", "zer")


@cache
def noun(nominative: str, gender: str, genitive: str, plural: str) -> tuple[Cases, Cases]:
    """Singular and plural by case. Weak masculines have the genitive ending n or en in every case but the
    nominative."""
    ending = "" if genitive == "-" else genitive
    weak = {"n": "n", "en": "en", "ns": "n"}.get(genitive, "") if gender == "m" else ""
    singular = (nominative, nominative + weak, nominative + weak, nominative + ending)
    if plural in ("-", "only"):
        plural = nominative
    return singular, (plural, plural, plural if plural.endswith(("n", "s")) else plural + "n", plural)


def determiner(stem: str, endings: dict[str, Cases], gender: str, case: int) -> str:
    """A determiner such as dies-, kein- or mein- with its ending; euer drops its e before one."""
    ending = endings[gender][case]
    return ("eur" if stem == "euer" and ending else stem) + ending


def contracted(preposition: str, phrase: str) -> str:
    """A preposition before a phrase: `in dem Haus` becomes `im Haus`."""
    first, _, rest = phrase.partition(" ")
    short = CONTRACTIONS.get((preposition, first))
    return f"{short} {rest}" if short and rest else f"{preposition} {phrase}"


def attributive(stem: str) -> str:
    """The stem that takes endings: teur- for teuer, dunkl- for dunkel, hoh- for hoch."""
    if stem == "hoch":
        return "hoh"
    if stem.endswith(("euer", "auer", "el")):
        return stem[:-2] + stem[-1]
    return stem.removesuffix("e") if stem.endswith("müde") else stem


def stem_of(infinitive: str) -> str:
    """What remains without the ending of the infinitive: les-, fütter-, tu-."""
    return infinitive[:-1] if infinitive.endswith(("eln", "ern", "un")) else infinitive[:-2]


def _needs_e(stem: str) -> bool:
    return stem.endswith(("t", "d", "chn")) or (
        stem.endswith(("n", "m")) and len(stem) > 2 and stem[-2] not in "aeiouäöürlmnh"
    )


def present(infinitive: str, du: str = ".", er: str = ".") -> tuple[str, ...]:
    """The six forms of the present; a dot stands for the regular form."""
    stem = stem_of(infinitive)
    link = "e" if _needs_e(stem) else ""
    du = stem + ("t" if stem.endswith(("s", "ß", "x", "z")) else link + "st") if du == "." else du
    er = stem + link + "t" if er == "." else er
    ich = (stem[:-2] + "l" if stem.endswith("el") else stem) + "e"
    return (ich if er.endswith(("t", "d")) else er, du, er, infinitive, stem + link + "t", infinitive)


def preterite(form: str) -> tuple[str, ...]:
    """The six forms of the preterite from that of the third person, weak (machte) or strong (ging)."""
    if form.endswith("e"):
        return (form, form + "st", form, form + "n", form + "t", form + "n")
    link = "e" if form.endswith(("t", "d", "s", "ß", "z")) else ""
    return (
        form,
        form + link + "st",
        form,
        form + "en",
        form + ("e" if form.endswith(("t", "d")) else "") + "t",
        form + "en",
    )


def weak_preterite(infinitive: str) -> str:
    """The regular preterite of the third person: machte, wartete."""
    stem = stem_of(infinitive)
    return stem + ("e" if _needs_e(stem) else "") + "te"


def weak_participle(infinitive: str) -> str:
    """The regular participle: gemacht, gewartet, besucht, repariert."""
    stem = stem_of(infinitive)
    bare = infinitive.endswith("ieren") or infinitive.startswith(INSEPARABLE)
    return ("" if bare else "ge") + stem + ("e" if _needs_e(stem) else "") + "t"


def imperative(infinitive: str, er: str) -> str:
    """The form that commands one friend: lies, fahr, warte."""
    stem = stem_of(infinitive)
    if not er.startswith(stem):
        return stem if "ä" in er else er if er.endswith("tt") else er.removesuffix("t")
    return stem + ("e" if _needs_e(stem) or infinitive.endswith(("eln", "ern")) else "")


def joined(words: Iterable[str]) -> str:
    """Words in a row, the empty ones left out."""
    return " ".join(word for word in words if word)
