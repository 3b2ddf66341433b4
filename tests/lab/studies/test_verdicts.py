from __future__ import annotations

import pytest

from nmt.lab.studies import verdicts
from tests.lab.studies.example import COSTS, K50, LOSSES, Changes, analysis

CHEAP = {**COSTS, "thought-vector": (0.2, 0.1, 0.3, 0.2), "attention": (2.0, 5.0, 9.0, 12.0)}
FALLING = {**COSTS, "thought-vector": (22.0, 17.0, 15.0, 9.0)}
SHRINKING: dict[int, float | None] = {32: None, 64: 3.1, 128: 2.3, 256: 1.8, 512: 1.4}
NARROW: dict[int, float | None] = {32: 1.4, 64: 1.8, 128: 2.3}
BEGINNING = {**LOSSES, "thought-vector": (18.0, 8.0), "forward": (18.0, 8.0), "backward": (18.0, 8.0)}


def outcomes(changes: Changes) -> list[str]:
    return [each.outcome for each in verdicts.expectations(analysis(**changes))]


def claims(changes: Changes) -> dict[str, str]:
    return {claim.id: claim.verdict for claim in verdicts.claims(analysis(**changes))}


def numbers(changes: Changes) -> dict[str, str]:
    return {claim.id: claim.number for claim in verdicts.claims(analysis(**changes))}


def test_each_expectation_can_come_out_either_way() -> None:
    assert outcomes({}) == ["as expected"] * 6
    other = {name: tuple(reversed(costs)) for name, costs in CHEAP.items()}
    changes: Changes = {"costs": {**other, "transformer": (9.0,) * 4}, "k50": SHRINKING}
    assert outcomes(changes) == ["not as expected"] * 6


def test_what_is_not_finished_is_not_measured() -> None:
    assert outcomes({"seeds": 2}) == [*["as expected"] * 4, "not measured", "as expected"]
    assert outcomes({"core": ("attention",), "k50": {}}) == ["as expected", *["not measured"] * 5]


def test_each_claim_can_hold_hold_under_conditions_or_not_hold() -> None:
    assert claims({"k50": NARROW}) == {"E2": "holds", "E3": "holds", "B9": "holds under conditions"}
    assert claims({"k50": NARROW, "losses": BEGINNING})["B9"] == "holds"
    assert claims({"k50": NARROW, "losses": dict.fromkeys(LOSSES, (8.0, 18.0))})["B9"] == "does not hold"
    assert claims({"k50": K50})["E2"] == "holds under conditions"
    assert claims({"k50": NARROW, "singles": COSTS})["E3"] == "holds"
    assert claims({"k50": NARROW, "singles": {"attention": (9.0, 15.0, 22.0, 29.0)}})["E3"] == "holds under conditions"
    assert claims({"costs": CHEAP}) == {"E2": "does not hold", "E3": "does not hold", "B9": "holds under conditions"}


def test_a_length_counts_as_unseen_only_where_training_on_it_would_have_helped() -> None:
    large = (9.0, 15.0, 22.0, 29.0)
    assert claims({"k50": NARROW, "singles": {"attention": large}})["E8"] == "holds"
    both = {"thought-vector": large, "attention": large}
    assert claims({"k50": NARROW, "singles": both})["E8"] == "holds under conditions"
    assert claims({"k50": NARROW, "singles": {"attention": COSTS["attention"]}})["E8"] == "does not hold"


@pytest.mark.parametrize(
    ("weaker", "condition"),
    [
        ({"seeds": 1}, "larger than that of the baseline with p < 0.01 in 1 of 3 seeds"),
        ({"trained": 1}, "trained on up to 1 sentences at once, so 4 is an unseen length"),
        ({"costs": FALLING}, "the cost does not grow at every step up to k = 8"),
        ({"k50": K50}, "widths 512 keep more than half up to k = 8"),
    ],
)
def test_a_claim_names_what_weakens_it(weaker: Changes, condition: str) -> None:
    changes: Changes = {"k50": NARROW, **weaker}
    assert claims(changes)["E2"] == "holds under conditions"
    assert condition in numbers(changes)["E2"]


@pytest.mark.parametrize("p_value", [0.02, 0.2])
def test_a_cost_that_chance_in_the_test_sentences_explains_supports_no_claim(p_value: float) -> None:
    assert claims({"k50": NARROW, "p_value": p_value})["E2"] == "does not hold"


def test_a_claim_gives_its_number_with_conditions_and_the_range_over_seeds() -> None:
    assert numbers({"k50": NARROW})["E2"] == (
        "cost of concatenation in BLEU (beam 5, 3 seeds, made-up): at k = 4: "
        "thought vector 17.0 (16.8 to 17.3), attention 0.6 (0.4 to 0.9)"
    )
    assert "thought vector 17.0 (one seed), attention 0.6 (one seed)" in numbers({"k50": NARROW, "seeds": 1})["E2"]
    assert "thought vector 8.0 and 18.0; read forward 8.0 and 18.0; read backward 17.0 and 7.0" in numbers({})["B9"]


def test_without_the_baseline_or_the_thought_vector_there_is_no_claim() -> None:
    assert claims({"core": ("attention",), "k50": {}, "losses": {}}) == {}
    assert claims({"core": ("thought-vector",), "k50": {}, "losses": {}}) == {}


def test_models_that_hardly_translate_measure_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.lab.studies.example.SINGLES", dict.fromkeys(COSTS, 0.4))
    poor: Changes = {"costs": dict.fromkeys(COSTS, (0.1, 0.2, 0.3, 0.4))}
    assert analysis(**poor).no_signal
    assert outcomes(poor) == ["not measured"] * 6
    assert claims(poor) == {}
