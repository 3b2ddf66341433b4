"""The language of a text: known, unknown, or another than expected."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from nmt.data import builtin
from nmt.text import detection
from nmt.text.detection import Guess

FRENCH = "Le chien dort sous la table."
GUESSES = {FRENCH: [Guess("fr", 99.0), Guess("de", 0.4)], "Hund und Katze": [Guess("da", 40.0), Guess("de", 35.0)]}


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection of `GUESSES`, by a library that knows German, French, Danish and Norwegian."""
    codes = SimpleNamespace(DE=1, FR=1, DA=1, NB=1, NN=1)
    library = ModuleType("lingua")
    library.IsoCode639_1 = codes  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lingua", library)
    monkeypatch.setattr(detection, "ranked", lambda text: GUESSES.get(text, []))


@pytest.mark.usefixtures("scripted")
def test_a_language_is_known_only_if_it_is_certain_and_the_text_long_enough() -> None:
    assert detection.identify(FRENCH) == Guess("fr", 99.0)
    assert detection.identify("Hund und Katze") is None
    assert detection.identify("12345 :-) !!!") is None
    GUESSES["Le chat"] = GUESSES[FRENCH]
    assert detection.identify("Le chat") is None


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("expected", "other"), [("de", True), ("fr", False), ("fr-CA", False), ("de fr", False), ("tlh", False)]
)
def test_a_text_is_in_another_language_only_if_detection_knows_the_expected_one(expected: str, other: bool) -> None:
    assert detection.unlike(FRENCH, expected.split()) == (Guess("fr", 99.0) if other else None)


@pytest.mark.usefixtures("scripted")
def test_an_improbable_language_is_not_that_of_a_text_even_if_no_other_is_certain() -> None:
    assert detection.unlike("Hund und Katze", ["fr"]) == Guess(detection.UNKNOWN, 40.0)
    assert detection.unlike("Hund und Katze", ["de"]) is None


@pytest.mark.usefixtures("scripted")
def test_the_two_norwegians_are_one() -> None:
    GUESSES["Hunden sover under bordet."] = [Guess("nb", 95.0)]
    assert detection.unlike("Hunden sover under bordet.", ["no"]) is None
    assert detection.unlike("Hunden sover under bordet.", ["nn-NO"]) is None
    assert detection.unlike("Hunden sover under bordet.", ["da"]) == Guess("nb", 95.0)


def test_without_the_extra_every_language_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "available", lambda: False)
    assert detection.ranked(FRENCH) == []
    assert detection.unlike(FRENCH, ["de"]) is None


def test_real_sentences_are_seldom_taken_for_another_language() -> None:
    pytest.importorskip("lingua", reason="needs the extra lid: pip install 'nmt-recipes[lid]'")
    for own, other, side in (("de", "en", 0), ("en", "de", 1)):
        texts = [pair[side] for pair in builtin.pairs("natural")]
        assert sum(detection.unlike(text, [own]) is not None for text in texts) <= 0.02 * len(texts)
        assert sum(detection.unlike(text, [other]) is not None for text in texts) >= 0.85 * len(texts)
