"""The kinds of words, with every form they take."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.builtin_corpus import german_forms


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A noun of both languages; `forms` are singular and plural by case, `classes` say what it is."""

    german: str
    gender: str
    forms: tuple[german_forms.Cases, german_forms.Cases]
    english: str
    english_plural: str
    classes: frozenset[str]
    countable: bool
    plural_only: bool

    @property
    def sex(self) -> str | None:
        """Which pronoun a person takes: male, female or neither known."""
        return "male" if "male" in self.classes else "female" if "female" in self.classes else None


@dataclass(frozen=True, eq=False, slots=True)
class Role:
    """What a verb takes beside its subject: a kind such as acc or dat, prepositions of both languages, and the nouns
    that fit."""

    kind: str
    german: str = ""
    english: str = ""
    case: int = german_forms.ACCUSATIVE
    nouns: tuple[Noun, ...] = ()
    of: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Verb:
    """A verb of both languages. The present and the preterite have the persons ich, du, er, wir, ihr, sie."""

    prefix: str
    infinitive: str
    reflexive: bool
    present: tuple[str, ...]
    preterite: tuple[str, ...]
    participle: str
    imperative: str
    auxiliary: str
    english: str
    past: str
    english_participle: str
    ing: str
    particle: str
    flags: str
    frames: list[Frame] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The English verb as a whole: what combinations are known by."""
        return f"{self.english} {self.particle}".rstrip()


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One way to use a verb: who does it, and to what."""

    verb: Verb
    subjects: tuple[Noun, ...]
    personal: bool
    roles: tuple[Role, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Adjective:
    """An adjective of both languages; the degrees are (positive, comparative, superlative), the last two empty where
    there are none."""

    german: tuple[str, str, str]
    english: tuple[str, str, str]
    order: int
    nouns: tuple[Noun, ...]
    kinds: frozenset[str]


@dataclass(frozen=True, eq=False, slots=True)
class Adverbial:
    """An adverbial that is the same wherever it stands."""

    german: str
    english: str
    kind: str
    verbs: frozenset[str]


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """Where a noun is a place: the prepositions of rest and of movement."""

    location: str
    english: str
    goal: str


@dataclass(frozen=True, eq=False)
class Lexicon:
    """All words, and the nouns of each class."""

    nouns: tuple[Noun, ...]
    classes: dict[str, tuple[Noun, ...]]
    verbs: tuple[Verb, ...]
    adjectives: tuple[Adjective, ...]
    adverbials: dict[str, tuple[Adverbial, ...]]
    names: dict[str, tuple[tuple[str, str], ...]]
    places: dict[Noun, Place]
    kinds: dict[str, tuple[Adjective, ...]]
    """Adjectives by the kind of predicate they make, such as mood or weather."""
