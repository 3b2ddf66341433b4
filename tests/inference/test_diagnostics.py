from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from nmt.data.vocabulary import Vocabulary, train
from nmt.inference import diagnostics
from nmt.inference.diagnostics import Part, TrainingStatistics, diagnose
from nmt.text import detection
from nmt.text.detection import Guess

VOCABULARY = Vocabulary(train(["der Hund sieht die Katze und das Haus am See mit viel Wasser"], type="bpe", size=310))
SOURCE = "der Hund sieht die Katze"


def part(source: str, target: str, weights: Tensor | None = None, *, finished: bool = True) -> Part:
    return Part(VOCABULARY.encode(source), VOCABULARY.encode(target), finished, weights)


def warned(source: str, target: str, *parts: Part, longest: int = 100, ratio: float | None = 1.0) -> list[str]:
    trained = TrainingStatistics(longest, ratio, VOCABULARY.bytes)
    return diagnose(source, target, parts or [part(source, target)], VOCABULARY, VOCABULARY, trained)


def kinds(source: str, target: str, *parts: Part, **trained: float) -> set[str]:
    return {diagnostics.kind(warning) for warning in warned(source, target, *parts, **trained)}  # type: ignore[arg-type]


def test_a_translation_in_which_nothing_is_odd_has_no_warnings() -> None:
    assert warned(SOURCE, "das Haus am See mit Wasser") == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("das Haus am See am See am See mit", "'am See' 3 times in a row"),
        ("Haus Haus Haus Haus", "'Haus' 4 times in a row"),
        ("wawawawawawa", "'wa' 6 times in a row"),
        ("das Haus am See am See", None),
        ("am See ... ... ... ...", None),
        ("Wasser XIII", None),
    ],
)
def test_what_stands_three_times_in_a_row_is_a_loop_unless_it_is_short_or_no_word(
    target: str, said: str | None
) -> None:
    found = [
        warning for warning in warned(SOURCE, target, ratio=None) if diagnostics.kind(warning) == "repetition loop"
    ]
    assert found == ([] if said is None else [f"repetition loop: {said}"])


def test_a_loop_of_the_source_may_be_translated() -> None:
    assert kinds("Hund Hund Hund Hund", "Katze Katze Katze Katze") == set()
    assert kinds("Hund Hund Hund", "Katze Katze Katze Katze Katze Katze", ratio=2.0) == {"repetition loop"}


@pytest.mark.parametrize(
    ("source", "target", "ratio", "odd"),
    [
        *((40, written, 1.0, odd) for written, odd in ((40, False), (83, False), (84, True), (19, False), (18, True))),
        *((40, written, 0.5, odd) for written, odd in ((43, False), (44, True), (9, False), (8, True))),
        (1, 5, 1.0, False),
        (40, 400, None, False),
    ],
)
def test_a_length_is_odd_beyond_twice_or_half_of_what_training_lets_expect(
    source: int, target: int, ratio: float | None, odd: bool
) -> None:
    lengths = Part(list(range(300, 300 + source)), list(range(300, 300 + target)), True)
    found = diagnose("", "", [lengths], VOCABULARY, VOCABULARY, TrainingStatistics(100, ratio, ()))
    assert [diagnostics.kind(warning) for warning in found] == ["length ratio out of range"] * odd


def test_what_training_never_saw_need_not_be_translated() -> None:
    assert kinds("", "", part("der Hund " + "☃" * 30, "das Haus")) == {"pieces unknown to training"}
    assert kinds("", "", part("der Hund " + "☃" * 30, "das Haus " + "☃" * 30)) == {"pieces unknown to training"}


def attention(slots: int, *, passed_over: slice) -> Tensor:
    """Three target pieces that share their attention evenly among all slots but some."""
    weights = torch.ones(3, slots)
    weights[:, passed_over] = 0.0
    return weights / weights.sum(1, keepdim=True)


def test_a_span_is_never_attended_when_four_pieces_in_a_row_get_no_weight() -> None:
    source = VOCABULARY.encode(SOURCE)
    assert len(source) >= 8
    for first, last, said in (
        (2, 5, False),
        (2, 6, True),
        (0, 3, False),
        (len(source) - 3, len(source) + 1, False),
        (len(source) - 4, len(source), True),
    ):
        span = Part(
            source, VOCABULARY.encode("das Haus"), True, attention(len(source) + 1, passed_over=slice(first, last))
        )
        found = warned(SOURCE, "das Haus", span, ratio=None)
        assert found == ([f"source span never attended: {whole_words(source, first, last)!r}"] if said else [])


def whole_words(source: list[int], first: int, last: int) -> str:
    """All words of which a piece is in the span."""
    word = list(itertools.accumulate(piece.startswith("▁") for piece in VOCABULARY.pieces(source)))
    return VOCABULARY.decode([token for token, each in zip(source, word, strict=True) if each in word[first:last]])


def test_a_span_within_an_endless_word_is_shown_with_a_few_pieces_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnostics, "LONG_WORD", 3)
    source = VOCABULARY.encode("der " + "☃" * 9)  # three bytes each
    span = Part(source, [source[0]], True, attention(len(source) + 1, passed_over=slice(11, 17)))
    assert "source span never attended: '☃☃☃☃'" in warned("", "", span, ratio=None)


def test_a_thought_vector_and_a_search_without_weights_say_nothing_of_attention() -> None:
    source, target = VOCABULARY.encode(SOURCE), VOCABULARY.encode("das Haus")
    for weights in (None, torch.ones(3, 1), torch.zeros(3, len(source) + 1)):
        assert warned(SOURCE, "das Haus", Part(source, target, True, weights), ratio=None) == []


def test_pieces_unknown_to_training_are_shown_as_the_characters_they_spell() -> None:
    assert warned("der Ж sieht Ω", "das Haus am See") == ["pieces unknown to training: 'Ж', 'Ω'"]
    assert warned("ΔΘΛ der ΣΦ der Ψ der Ω der Ξ", "", ratio=None) == [
        "pieces unknown to training: 'ΔΘΛ', 'ΣΦ', 'Ψ' and 2 more"
    ]


def test_what_training_saw_decides_what_is_unknown() -> None:
    known = Part([10, 11], [10], True)
    assert diagnose("", "", [known], VOCABULARY, VOCABULARY, TrainingStatistics(9, None, {12})) == []
    assert diagnose("", "", [known], VOCABULARY, VOCABULARY, TrainingStatistics(9, None, {11})) != []


def test_a_line_in_parts_is_judged_by_its_parts_together() -> None:
    parts = [part("der Hund", "das Haus"), part("am See", "Haus Haus Haus Haus", finished=False)]
    assert [diagnostics.kind(warning) for warning in warned("", "", *parts, ratio=None)] == [
        "translated in parts",
        diagnostics.CAPPED,
        "repetition loop",
    ]


def test_what_is_quoted_is_short() -> None:
    line = " ".join(f"Wort{number}" for number in range(1000))
    assert all(len(warning) < 100 for warning in warned(line, line))


def test_a_text_of_another_language_has_a_warning_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[str, list[str]]] = []
    others = {"Le chien": Guess("fr", 99.0), "xq zkw": Guess(detection.UNKNOWN, 20.0)}

    def unlike(text: str, languages: list[str]) -> Guess | None:
        looked.append((text, languages))
        return others.get(text)

    monkeypatch.setattr(detection, "unlike", unlike)

    def warnings(line: str, language: str | None) -> list[str]:
        trained = TrainingStatistics(9, None, (), language)
        return [each for each in diagnose(line, "", [], VOCABULARY, VOCABULARY, trained) if "language" in each]

    assert warnings("Le chien", "de") == ["the language does not look like German: rather French"]
    assert diagnostics.kind(warnings("Le chien", "de")[0]) == "the language does not look like German"
    assert warnings("xq zkw", "de") == ["the language does not look like German: it is unknown"]
    assert warnings("Hund", "de") == warnings("Le chien", None) == []
    assert ("Le chien", ["de"]) in looked


@pytest.mark.parametrize(
    ("source", "target", "lost"),
    [
        ("sieht {name} um 10:30", "das Haus 10", "lost: '{name}', '10:30'"),
        ("am 03.05.2024 mit 1.299,50 €", "2024 05 03 das 1,299.50", None),
        ("an a@b.de", "an a@b.de", None),
        ("an a@b.de", "an a@b", "lost: 'a@b.de'"),
        ("die 2 Hund", "das Haus", None),
    ],
)
def test_what_should_have_survived_and_is_lost_has_a_warning(source: str, target: str, lost: str | None) -> None:
    """Digits count, however the language separates them; small integers may be words."""
    found = [each for each in warned(source, target, ratio=None) if diagnostics.kind(each) == "lost"]
    assert found == ([lost] if lost else [])
