from __future__ import annotations

import pytest

from nmt.serving import languages
from nmt.serving.languages import Guess


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("de-AT", "de"),
        ("de_CH", "de"),
        ("pt-br", "pt-BR"),
        ("pt", None),
        ("zz", None),
        ("", None),
    ],
)
def test_codes_match_in_any_case_and_with_a_region(asked: str, found: str | None) -> None:
    assert languages.matching(asked, ["de", "en", "pt-BR"]) == found


def test_names_are_english_and_unknown_codes_name_themselves() -> None:
    assert [languages.name(code) for code in ("de", "pt-BR", "tlh")] == ["German", "Portuguese (pt-BR)", "tlh"]


def test_languages_are_detected_among_the_candidates() -> None:
    pytest.importorskip("lingua", reason="needs the extra lid: pip install 'nmt-recipes[lid]'")
    best = languages.detect("Ein Hund schläft im Garten.", ["en", "de"])[0]
    assert best.language == "de"
    assert 90 < best.confidence <= 100
    assert languages.detect("The dog sleeps in the garden.", ["de", "en"])[0].language == "en"


@pytest.mark.parametrize("text", ["", "😀 12", "..."])
def test_without_evidence_the_first_candidate_has_confidence_0(text: str) -> None:
    assert languages.detect(text, ["de", "en"]) == [Guess("de", 0.0)]


def test_one_candidate_and_unknown_ones_are_not_detected() -> None:
    assert languages.detect("Ein Hund schläft.", ["de"]) == [Guess("de", 0.0)]
    assert languages.detect("Ein Hund schläft.", ["xx", "yy"]) == [Guess("xx", 0.0)]


def test_a_text_in_no_served_language_is_named_and_leaves_the_served_ones_their_true_confidence() -> None:
    pytest.importorskip("lingua", reason="needs the extra lid: pip install 'nmt-recipes[lid]'")
    text = "Les enfants jouent dans le parc avec leurs amis."
    assert languages.detect(text, ["de", "en"])[0].confidence < 1
    first, *others = languages.identify(text, ["de", "en"])
    assert (first.language, first.confidence > 90) == ("fr", True)
    assert {guess.language for guess in others} == {"de", "en"}
    assert languages.identify("Ein Hund schläft im Garten.", ["de", "en"])[0].language == "de"
