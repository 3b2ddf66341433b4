from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from nmt.corpus_checks.pairs import untranslated
from nmt.corpus_checks.report import Found
from nmt.corpus_checks.text import languages, scripts
from nmt.data.builtin import pairs
from nmt.data.pairs import Pairs


def builtin(split: str, count: int) -> Pairs:
    source, target = zip(*pairs(split, count=count), strict=True)
    return Pairs(list(source), list(target))


TRAIN = builtin("train", 400)


def faulty(look: Callable[[Mapping[str, Pairs]], Iterator[Found]], test: Pairs) -> dict[str, list[str]]:
    return {
        split: list(found) for _, split, found, _ in look({"train": TRAIN, "test": test}) if found and "test" in split
    }


def test_a_sentence_of_the_other_language_is_found_on_either_side() -> None:
    german, english = next(pair for pair in pairs("test", count=50) if min(map(len, pair)) > 40)
    test = Pairs([german, english, "I see"], [english, german, "Ich sehe"])
    assert faulty(languages, test) == {"test source": [english], "test target": [german]}


def test_sentences_of_the_right_language_are_left_alone() -> None:
    test = builtin("test", 100)
    assert faulty(languages, test) == {}
    assert faulty(untranslated, test) == {}


def test_untranslated_words_are_found() -> None:
    test = Pairs(["Der Hund sieht die Katze", "Ein Hund"], ["So Hund sieht die Katze not", "A dog"])
    assert faulty(untranslated, test) == {"test": ["Der Hund sieht die Katze ||| So Hund sieht die Katze not"]}


def test_letters_of_a_script_that_training_hardly_has_are_odd() -> None:
    test = Pairs(["Привет мир", "Hallo мир und Hallo", "123 ...", ""], ["Hello", "ωδή ψωμί", "", ""])
    assert faulty(scripts, test) == {"test source": ["Привет мир"], "test target": ["ωδή ψωμί"]}


def test_a_script_that_training_has_is_its_own() -> None:
    both = Pairs([*TRAIN.source, *["Привет мир"] * 100], [*TRAIN.target, *["Hello"] * 100])
    assert {split for _, split, found, _ in scripts({"train": both}) if found} == set()
