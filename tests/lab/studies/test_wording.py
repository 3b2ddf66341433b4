from __future__ import annotations

from typing import Any

import pytest

from nmt.lab.studies import verdicts, wording
from tests.lab.studies.example import COSTS, K50, LOSSES, findings

CHEAP = {**COSTS, "thought-vector": (0.2, 0.1, 0.3, 0.2), "attention": (2.0, 5.0, 9.0, 12.0)}
FALLING = {**COSTS, "thought-vector": (22.0, 17.0, 15.0, 9.0)}
SHRINKING = {32: None, 64: 3.1, 128: 2.3, 256: 1.8, 512: 1.4}
BEGINNING = {**LOSSES, "thought-vector": (18.0, 8.0), "forward": (18.0, 8.0), "reversed": (18.0, 8.0)}


def said(**changes: Any) -> str:
    found = findings(**changes)
    return " ".join([wording.answer(found), *wording.paragraphs(found)])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "One fixed vector is a bottleneck: translating 4 sentences at once costs the thought vector 17.0 BLEU, attention 0.6.",
        ),
        (
            {"costs": CHEAP},
            "One fixed vector is no bottleneck here: translating 4 sentences at once costs the thought vector 0.3 BLEU, attention 9.0.",
        ),
        ({"p_value": 0.2}, "Whether one fixed vector is a bottleneck is not settled: "),
        ({"costs": {**COSTS, "thought-vector": (1.0, 1.5, 2.0, 2.5)}}, "One fixed vector is hardly a bottleneck: "),
        ({"trained": 2}, "No answer about capacity, for want of training on input of this length: "),
        (
            {"costs": {**COSTS, "thought-vector": (26.0, 27.0, 28.0, 29.0)}, "seeds": 1},
            "One fixed vector is a bottleneck: ",
        ),
    ],
)
def test_the_answer_follows_the_numbers(changes: dict[str, Any], sentence: str) -> None:
    assert wording.answer(findings(**changes)).startswith(sentence)


@pytest.mark.parametrize(
    ("changes", "opposite", "before", "after"),
    [
        (
            {},
            {"costs": CHEAP},
            "16.4 BLEU (16.2 to 16.7), is more than chance in the choice of test sentences explains, in each of 3 seeds (p = 0.001, 0.001 and 0.001",
            "-8.7 BLEU (-8.9 to -8.4), is in favour of the thought vector, and more than chance",
        ),
        (
            {},
            {"costs": FALLING},
            "thought vector grows at every step of k: 9.0, 15.0, 17.0 and 22.0 BLEU",
            "does not grow with k: 22.0, 17.0, 15.0 and 9.0 BLEU",
        ),
        ({}, {"p_value": 0.02}, "in each of 3 seeds (p = 0.001,", "in 0 of 3 seeds (p = 0.020,"),
        (
            {},
            {"trained": 1},
            "that measures capacity",
            "They were trained on single sentences, and 4 at once is a length never seen in training: that measures extrapolation",
        ),
        (
            {},
            {"k50": SHRINKING},
            "The wider the vector, the larger the share of its BLEU that it keeps: half of the BLEU is left at 1.4, 1.8, 2.3, 3.1 and > 8",
            "A wider vector keeps no larger share of its BLEU",
        ),
        (
            {},
            {"k50": {**K50, 128: 1.5}},
            "The wider the vector, the larger the share of its BLEU that it keeps",
            "A wider vector keeps a larger share of its BLEU, but not at every step",
        ),
        ({}, {"losses": BEGINNING}, "the end suffers more, and not the beginning", "the beginning suffers more"),
        (
            {},
            {"losses": BEGINNING},
            "the end that suffers turns with the direction",
            "the end that suffers does not turn with the direction",
        ),
        ({}, {"seeds": 1}, "in brackets the range over 3 seeds", "costs the thought vector 17.0 BLEU (one seed)"),
    ],
)
def test_opposite_numbers_give_opposite_sentences(
    changes: dict[str, Any], opposite: dict[str, Any], before: str, after: str
) -> None:
    assert before in said(**changes)
    assert after not in said(**changes)
    assert after in said(**opposite)
    assert before not in said(**opposite)


def test_beside_the_share_that_a_width_keeps_stands_the_bleu_that_it_is_of() -> None:
    assert "In BLEU itself, 4 at once reach " in said()
    assert ", and one by one " in said().partition("In BLEU itself")[2]


def test_training_on_singles_is_said_to_show_extrapolation_and_a_single_seed_is_marked() -> None:
    text = said(singles=dict.fromkeys(COSTS, (20.0, 21.0, 22.0, 23.0)))
    assert (
        "With training on single sentences alone, packing 4 costs the thought vector 22.0 BLEU (one seed), attention 22.0 (one seed)"
        in text
    )
    assert "that measures extrapolation, and supports no claim about capacity, which only training on packs can" in text


def test_a_wider_and_a_longer_trained_thought_vector_are_spoken_of_where_they_are_finished() -> None:
    text = said(matched=(7, 12, 16, 21), longer={"thought-vector": (6, 11, 14, 19)})
    assert "Widened to 720 numbers, so that it has 1,600,000 parameters, it loses 16.0 BLEU (one seed)" in text
    assert "After 4,000 updates instead of 2,000, packing 4 costs the thought vector 14.0 BLEU (one seed)." in text
    assert "Widened" not in said()
    assert "updates" not in said()


def outcomes(**changes: Any) -> list[str]:
    return [each.outcome for each in verdicts.expectations(findings(**changes))]


def test_each_expectation_can_come_out_either_way() -> None:
    assert outcomes() == ["as expected"] * 6
    other = {name: tuple(reversed(costs)) for name, costs in CHEAP.items()}
    assert outcomes(costs={**other, "transformer": (9.0,) * 4}, k50=SHRINKING) == ["not as expected"] * 6


def test_what_is_not_finished_is_not_measured() -> None:
    assert outcomes(seeds=2) == [*["as expected"] * 4, "not measured", "as expected"]
    assert outcomes(core=("attention",), k50={}) == ["as expected", *["not measured"] * 5]


def claims(**changes: Any) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in verdicts.claims(findings(**changes))}


NARROW: dict[int, float | None] = {32: 1.4, 64: 1.8, 128: 2.3}


def test_each_claim_can_hold_hold_under_conditions_or_not_hold() -> None:
    assert claims(k50=NARROW) == {"E2": "holds", "E3": "holds", "B9": "holds under conditions"}
    assert claims(k50=NARROW, losses=BEGINNING)["B9"] == "holds"
    assert claims(k50=NARROW, losses=dict.fromkeys(LOSSES, (8.0, 18.0)))["B9"] == "does not hold"
    assert claims(k50=K50)["E2"] == "holds under conditions"
    assert claims(k50=NARROW, singles=COSTS)["E3"] == "holds"
    assert claims(k50=NARROW, singles={"attention": (9.0, 15.0, 22.0, 29.0)})["E3"] == "holds under conditions"
    assert claims(costs=CHEAP) == {"E2": "does not hold", "E3": "does not hold", "B9": "holds under conditions"}


def test_a_length_counts_as_unseen_only_where_training_on_it_would_have_helped() -> None:
    dear = (9.0, 15.0, 22.0, 29.0)
    assert claims(k50=NARROW, singles={"attention": dear})["E8"] == "holds"
    assert claims(k50=NARROW, singles={"thought-vector": dear, "attention": dear})["E8"] == "holds under conditions"
    assert claims(k50=NARROW, singles={"attention": COSTS["attention"]})["E8"] == "does not hold"


@pytest.mark.parametrize("weaker", [{"seeds": 1}, {"trained": 1}, {"costs": FALLING}])
def test_a_claim_rests_on_seeds_on_training_and_on_growth(weaker: dict[str, Any]) -> None:
    assert claims(k50=NARROW, **weaker)["E2"] == "holds under conditions"


def test_models_that_hardly_translate_answer_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.studies.example.JOIN", dict.fromkeys(COSTS, 0.4))
    poor = dict.fromkeys(COSTS, (0.1, 0.2, 0.3, 0.4))
    assert said(costs=poor).startswith("Not answered: these models hardly translate at all")
    assert "the costs say nothing" in said(costs=poor)
    assert outcomes(costs=poor) == ["not measured"] * 6
    assert claims(costs=poor) == {}
