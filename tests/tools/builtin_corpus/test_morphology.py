"""Forms against a table written by hand: what the grammar says must be what a German would."""

from __future__ import annotations

import pytest

from tools.builtin_corpus import english_forms, german_forms
from tools.builtin_corpus.german_forms import ACCUSATIVE, DATIVE, GENITIVE, NOMINATIVE
from tools.builtin_corpus.lexicon import lexicon
from tools.builtin_corpus.phrases import BARE, MANY, NOT_A, THE, THIS, A, Describing, Determiner, NounPhrase, possessive
from tools.builtin_corpus.words import Noun, Verb


def noun(german: str) -> Noun:
    return next(noun for noun in lexicon().nouns if noun.german == german)


def verb(german: str) -> Verb:
    return next(verb for verb in lexicon().verbs if verb.prefix + verb.infinitive == german)


def cases(german: str, determiner: Determiner, stem: str = "", plural: bool = False) -> list[str]:
    adjectives = (Describing("", stem, ""),) if stem else ()
    phrase = NounPhrase(noun(german), plural, determiner, adjectives)
    return [phrase.german(case) for case in (NOMINATIVE, ACCUSATIVE, DATIVE, GENITIVE)]


@pytest.mark.parametrize(
    ("german", "determiner", "stem", "plural", "expected"),
    [
        ("Mann", THE, "", False, "der Mann, den Mann, dem Mann, des Mannes"),
        ("Frau", THE, "jung", False, "die junge Frau, die junge Frau, der jungen Frau, der jungen Frau"),
        ("Haus", THE, "alt", False, "das alte Haus, das alte Haus, dem alten Haus, des alten Hauses"),
        ("Kind", THE, "klein", True, "die kleinen Kinder, die kleinen Kinder, den kleinen Kindern, der kleinen Kinder"),
        ("Mann", A, "alt", False, "ein alter Mann, einen alten Mann, einem alten Mann, eines alten Mannes"),
        ("Auto", A, "neu", False, "ein neues Auto, ein neues Auto, einem neuen Auto, eines neuen Autos"),
        (
            "Katze",
            NOT_A,
            "schwarz",
            True,
            "keine schwarzen Katzen, keine schwarzen Katzen, keinen schwarzen Katzen, keiner schwarzen Katzen",
        ),
        ("Wasser", BARE, "kalt", False, "kaltes Wasser, kaltes Wasser, kaltem Wasser, kalten Wassers"),
        ("Kaffee", BARE, "heiß", False, "heißer Kaffee, heißen Kaffee, heißem Kaffee, heißen Kaffees"),
        ("Baum", MANY, "hoh", True, "viele hohe Bäume, viele hohe Bäume, vielen hohen Bäumen, vieler hoher Bäume"),
        (
            "Tisch",
            THIS,
            "rund",
            False,
            "dieser runde Tisch, diesen runden Tisch, diesem runden Tisch, dieses runden Tisches",
        ),
        ("Student", THE, "", False, "der Student, den Studenten, dem Studenten, des Studenten"),
        ("Junge", A, "", False, "ein Junge, einen Jungen, einem Jungen, eines Jungen"),
        ("Name", THE, "", False, "der Name, den Namen, dem Namen, des Namens"),
        ("Auto", THE, "", True, "die Autos, die Autos, den Autos, der Autos"),
        ("Bruder", possessive(6, 6), "", False, "euer Bruder, euren Bruder, eurem Bruder, eures Bruders"),
        ("Tochter", possessive(5, 5), "", True, "unsere Töchter, unsere Töchter, unseren Töchtern, unserer Töchter"),
    ],
)
def test_a_noun_phrase_has_the_right_form_in_every_case(
    german: str, determiner: Determiner, stem: str, plural: bool, expected: str
) -> None:
    assert cases(german, determiner, stem, plural) == expected.split(", ")


@pytest.mark.parametrize(
    ("infinitive", "present"),
    [
        ("lesen", "lese liest liest lesen lest lesen"),
        ("fahren", "fahre fährst fährt fahren fahrt fahren"),
        ("arbeiten", "arbeite arbeitest arbeitet arbeiten arbeitet arbeiten"),
        ("öffnen", "öffne öffnest öffnet öffnen öffnet öffnen"),
        ("zeichnen", "zeichne zeichnest zeichnet zeichnen zeichnet zeichnen"),
        ("tanzen", "tanze tanzt tanzt tanzen tanzt tanzen"),
        ("sammeln", "sammle sammelst sammelt sammeln sammelt sammeln"),
        ("füttern", "füttere fütterst füttert füttern füttert füttern"),
        ("nehmen", "nehme nimmst nimmt nehmen nehmt nehmen"),
        ("wissen", "weiß weißt weiß wissen wisst wissen"),
        ("mögen", "mag magst mag mögen mögt mögen"),
        ("werden", "werde wirst wird werden werdet werden"),
        ("wehtun", "tue tust tut tun tut tun"),
    ],
)
def test_the_present_has_the_right_six_forms(infinitive: str, present: str) -> None:
    assert " ".join(verb(infinitive).present) == present


@pytest.mark.parametrize(
    ("infinitive", "er", "ihr", "participle", "imperative"),
    [
        ("machen", "machte", "machtet", "gemacht", "mach"),
        ("warten", "wartete", "wartetet", "gewartet", "warte"),
        ("gehen", "ging", "gingt", "gegangen", "geh"),
        ("halten", "hielt", "hieltet", "gehalten", "halt"),
        ("aufstehen", "stand", "standet", "aufgestanden", "steh"),
        ("zumachen", "machte", "machtet", "zugemacht", "mach"),
        ("besuchen", "besuchte", "besuchtet", "besucht", "besuch"),
        ("verkaufen", "verkaufte", "verkauftet", "verkauft", "verkauf"),
        ("reparieren", "reparierte", "repariertet", "repariert", "reparier"),
        ("spazieren gehen", "ging", "gingt", "spazieren gegangen", "geh"),
        ("essen", "aß", "aßt", "gegessen", "iss"),
        ("ansehen", "sah", "saht", "angesehen", "sieh"),
        ("waschen", "wusch", "wuscht", "gewaschen", "wasch"),
    ],
)
def test_preterite_participle_and_imperative_are_right(
    infinitive: str, er: str, ihr: str, participle: str, imperative: str
) -> None:
    found = verb(infinitive)
    assert (found.preterite[2], found.preterite[4], found.participle, found.imperative) == (
        er,
        ihr,
        participle,
        imperative,
    )


@pytest.mark.parametrize(
    ("preposition", "phrase", "expected"),
    [
        ("in", "dem Garten", "im Garten"),
        ("in", "das alte Haus", "ins alte Haus"),
        ("zu", "der Schule", "zur Schule"),
        ("von", "dem Berg", "vom Berg"),
        ("auf", "dem Tisch", "auf dem Tisch"),
        ("in", "diesem Park", "in diesem Park"),
        ("mit", "dem", "mit dem"),
        ("in", "dem", "in dem"),
    ],
)
def test_a_preposition_takes_in_the_article_but_no_relative_pronoun(
    preposition: str, phrase: str, expected: str
) -> None:
    assert german_forms.contracted(preposition, phrase) == expected


@pytest.mark.parametrize(
    ("german", "stem"),
    [
        ("teuer", "teur"),
        ("dunkel", "dunkl"),
        ("hoch", "hoh"),
        ("sauer", "saur"),
        ("müde", "müd"),
        ("schnell", "schnell"),
    ],
)
def test_an_adjective_before_its_noun_may_have_another_stem(german: str, stem: str) -> None:
    assert german_forms.attributive(german) == stem


@pytest.mark.parametrize(
    ("base", "third", "past", "ing"),
    [
        ("open", "opens", "opened", "opening"),
        ("carry", "carries", "carried", "carrying"),
        ("play", "plays", "played", "playing"),
        ("wash", "washes", "washed", "washing"),
        ("dance", "dances", "danced", "dancing"),
    ],
)
def test_regular_english_verbs_follow_the_rules(base: str, third: str, past: str, ing: str) -> None:
    assert (english_forms.third(base), english_forms.past(base), english_forms.ing(base)) == (third, past, ing)


@pytest.mark.parametrize(
    ("adjective", "comparative", "superlative"),
    [
        ("big", "bigger", "biggest"),
        ("happy", "happier", "happiest"),
        ("cheap", "cheaper", "cheapest"),
        ("strange", "stranger", "strangest"),
        ("interesting", "more interesting", "most interesting"),
        ("tired", "more tired", "most tired"),
    ],
)
def test_english_comparison_is_short_or_with_more(adjective: str, comparative: str, superlative: str) -> None:
    assert (english_forms.comparative(adjective), english_forms.superlative(english_forms.comparative(adjective))) == (
        comparative,
        superlative,
    )


@pytest.mark.parametrize(
    "phrase",
    [
        "an apple",
        "an old house",
        "a house",
        "a university",
        "an honest man",
        "a useful tool",
        "an umbrella",
        "an English book",
    ],
)
def test_a_or_an_goes_by_sound(phrase: str) -> None:
    assert english_forms.article(phrase.split(" ", 1)[1]) == phrase


def test_the_lexicon_has_hundreds_of_lemmas_of_each_kind() -> None:
    words = lexicon()
    nouns, verbs = {noun.german for noun in words.nouns}, {verb.prefix + verb.infinitive for verb in words.verbs}
    adjectives = {adjective.german[0] for adjective in words.adjectives}
    adverbials = {entry.german for entries in words.adverbials.values() for entry in entries}
    assert len(nouns) >= 400
    assert len(verbs) >= 200
    assert len(nouns) + len(verbs) + len(adjectives) + len(adverbials) >= 800


def test_a_german_noun_has_one_translation() -> None:
    assert len({noun.german for noun in lexicon().nouns}) == len(lexicon().nouns)
