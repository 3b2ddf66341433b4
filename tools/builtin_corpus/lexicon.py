"""The words: read from the tables beside this file, with every form they take."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from tools.builtin_corpus import english_forms, german_forms
from tools.builtin_corpus.words import Adjective, Adverbial, Frame, Lexicon, Noun, Place, Role, Verb

PLURAL_ONLY: Final = "only"


def rows(name: str) -> Iterator[list[str]]:
    """The fields of each line of a table; a line that begins with # is a comment."""
    for line in Path(__file__).with_name(f"{name}.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def _noun(
    german: str, gender: str, genitive: str, plural: str, english: str, english_plural: str, classes: str
) -> Noun:
    only = plural == PLURAL_ONLY
    many = english_forms.plural(english) if english_plural == "." else english if only else english_plural
    forms = german_forms.noun(german, gender, genitive, plural)
    return Noun(german, gender, forms, english, many, frozenset(classes.split()), plural != "-" and not only, only)


def _classes(nouns: tuple[Noun, ...]) -> dict[str, tuple[Noun, ...]]:
    found: dict[str, dict[Noun, None]] = {}
    for noun in nouns:
        for name in (*sorted(noun.classes), noun.english.replace(" ", "_")):
            found.setdefault(name, {})[noun] = None
    for group, members in rows("classes"):
        merged = found.setdefault(group, {})
        for member in members.split():
            merged.update(found[member])
    return {name: tuple(members) for name, members in found.items()}


def _verb(german: str, forms: str, auxiliary: str, english: str, flags: str) -> Verb:
    reflexive = german.startswith("sich ")
    prefix, _, infinitive = german.removeprefix("sich ").rpartition("|")
    du, er, past, participle = forms.split() if forms != "." else "...."
    past = german_forms.weak_preterite(infinitive) if past == "." else past
    participle = (
        prefix + german_forms.weak_participle(infinitive) if participle == "." else participle.replace("_", " ")
    )
    present = german_forms.present(infinitive, du, er)
    imperative = german_forms.imperative(infinitive, present[2])
    preterite = german_forms.preterite(past)
    return Verb(
        prefix,
        infinitive,
        reflexive,
        present,
        preterite,
        participle,
        imperative,
        auxiliary,
        *_english(english),
        flags.strip("-"),
    )


def _english(text: str) -> tuple[str, str, str, str, str]:
    """Base, past, participle, -ing form and particle."""
    main, _, particle = (part.strip() for part in text.partition("+"))
    base, *rest = main.split()
    past, participle, ing = [*rest, *[""] * 3][:3]
    past = past or english_forms.past(base)
    return base, past, participle or past, ing or english_forms.ing(base), particle.replace("_", " ")


CASES: Final = {"a": german_forms.ACCUSATIVE, "d": german_forms.DATIVE}


def _role(text: str, classes: dict[str, tuple[Noun, ...]]) -> Role:
    """Reads `acc:text`, `dat=to:person`, `auf+a=for:line`, or a kind alone."""
    head, _, names = text.partition(":")
    kind, _, english = head.partition("=")
    preposition, plus, case = kind.partition("+")
    english = english.replace("_", " ").strip()
    if kind == "pred":
        return Role(kind, of=names)
    members = tuple(
        dict.fromkeys(
            noun for name in names.split(",") if name not in ("", "city", "country") for noun in classes[name]
        )
    )
    if plus:
        return Role("prep", preposition, english, CASES[case], members, names)
    return Role(kind, "", english, german_forms.DATIVE if kind == "dat" else german_forms.ACCUSATIVE, members, names)


def _frames(verb: Verb, text: str, classes: dict[str, tuple[Noun, ...]]) -> Iterator[Frame]:
    for frame in text.split(" / "):
        subjects, _, roles = frame.partition(">")
        names = [name.strip() for name in subjects.split(",")]
        nouns = tuple(dict.fromkeys(noun for name in names for noun in classes[name]))
        yield Frame(verb, nouns, "person" in names, tuple(_role(role, classes) for role in roles.split()))


def _verbs(classes: dict[str, tuple[Noun, ...]]) -> Iterator[Verb]:
    for german, forms, auxiliary, english, flags, frames in rows("verbs"):
        verb = _verb(german, forms, auxiliary, english, flags)
        verb.frames.extend(_frames(verb, frames, classes))
        yield verb


def _copula(infinitive: str, present: str, preterite: str, participle: str) -> Verb:
    forms = tuple(present.split())
    return Verb(
        "",
        infinitive,
        False,
        forms,
        german_forms.preterite(preterite),
        participle,
        "",
        "sein",
        "be",
        "was",
        "been",
        "being",
        "",
        "",
    )


SEIN: Final = _copula("sein", "bin bist ist sind seid sind", "war", "gewesen")
THERE_IS: Final = _copula("geben", "gebe gibst gibt geben gebt geben", "gab", "gegeben")
"""Es gibt, whose English is there is."""


def _weather(infinitive: str, present: str, english: str) -> Verb:
    forms, past = german_forms.present(infinitive, ".", present), german_forms.weak_preterite(infinitive)
    participle, done = german_forms.weak_participle(infinitive), english_forms.past(english)
    return Verb(
        "",
        infinitive,
        False,
        forms,
        german_forms.preterite(past),
        participle,
        "",
        "haben",
        english,
        done,
        done,
        english + "ing",
        "",
        "d",
    )


RAIN: Final = _weather("regnen", "regnet", "rain"), _weather("schneien", "schneit", "snow")


def _adjective(row: list[str], classes: dict[str, tuple[Noun, ...]]) -> Adjective:
    german, more, most, english, english_more, order, names = row
    graded = more != "-"
    degrees = (
        german,
        "" if not graded else german + "er" if more == "." else more,
        "" if not graded else german + "st" if most == "." else most,
    )
    comparative = english_forms.comparative(english) if english_more == "." else english_more
    translations = (english, comparative if graded else "", english_forms.superlative(comparative) if graded else "")
    kinds = frozenset(name[1:] for name in names.split() if name.startswith("="))
    nouns = tuple(dict.fromkeys(noun for name in names.split() if not name.startswith("=") for noun in classes[name]))
    return Adjective(degrees, translations, int(order), nouns, kinds)


def _adverbials() -> dict[str, tuple[Adverbial, ...]]:
    found: dict[str, tuple[Adverbial, ...]] = {}
    for german, english, kind, *verbs in rows("adverbials"):
        found[kind] = (*found.get(kind, ()), Adverbial(german, english, kind, frozenset(" ".join(verbs).split())))
    return found


def _names() -> dict[str, tuple[tuple[str, str], ...]]:
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for german, english, kind in rows("names"):
        found[kind] = (*found.get(kind, ()), (german, english))
    given = {
        f"{kind} given": tuple(entry for entry in found[kind] if " " not in entry[0]) for kind in ("female", "male")
    }
    return found | given


def _by_kind(adjectives: tuple[Adjective, ...]) -> dict[str, tuple[Adjective, ...]]:
    kinds = sorted({kind for adjective in adjectives for kind in adjective.kinds})
    return {kind: tuple(adjective for adjective in adjectives if kind in adjective.kinds) for kind in kinds}


@cache
def lexicon() -> Lexicon:
    """The lexicon, read once."""
    nouns = tuple(_noun(*row) for row in rows("nouns"))
    classes = _classes(nouns)
    adjectives = tuple(_adjective(row, classes) for row in rows("adjectives"))
    by_german = {noun.german: noun for noun in nouns}
    places = {by_german[german]: Place(*rest) for german, *rest in rows("places")}
    return Lexicon(
        nouns, classes, tuple(_verbs(classes)), adjectives, _adverbials(), _names(), places, _by_kind(adjectives)
    )
