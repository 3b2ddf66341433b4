from __future__ import annotations

import numpy as np
import pytest

from nmt.lab.experiments import gates, stories
from nmt.lab.experiments.experiment import Options
from nmt.lab.experiments.gates import CONTRASTS, EXPERIMENT, Contrast, Measurement, claims, closing_unit, contrast
from nmt.lab.experiments.intervals import Interval
from nmt.lab.experiments.interventions import ALWAYS, AT_CROWNS, AT_DEATHS, INTACT, NEITHER, NO_CELL, NO_HIDDEN

NAMES = (INTACT, ALWAYS, AT_DEATHS, AT_CROWNS, *NO_CELL.values(), *NO_HIDDEN.values(), NEITHER)


def sure(value: float) -> Interval:
    return Interval(value, value - 0.01, value + 0.01)


def difference(value: float) -> Contrast:
    return Contrast(0.5 + value, 0.5, sure(value), 0.5)


def measurement(
    right: dict[str, float] | None = None, *, gate: dict[tuple[str, str], float] | None = None
) -> Measurement:
    """A measurement with equal gates and right answers everywhere, except as given."""
    accuracy = {name: sure((right or {}).get(name, 1.0)) for name in NAMES}
    contrasts = {
        each: {event: difference((gate or {}).get((each, event), 0.0)) for event in events}
        for each, events in CONTRASTS.items()
    }
    return Measurement(accuracy, contrasts, 3, difference(0.0), [])


def verdict(id: str, *found: Measurement) -> str:
    return next(claim.verdict for claim in claims({"succession": list(found)}) if claim.id == id)


CLOSES = {("forget", "king dies"): -0.2}
OPENS = {("input", "king rules"): 0.2, ("output", "question"): 0.1}
WITHOUT_CELL = dict.fromkeys(NO_CELL.values(), 0.2)


def test_forgetting_needs_a_gate_that_closes_for_kings_alone_and_answers_that_depend_on_it() -> None:
    for_all = {**CLOSES, ("forget", "bystander dies"): -0.2}
    assert verdict("C3", measurement({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate=CLOSES)) == "holds"
    assert verdict("C3", measurement({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate=for_all)) == "holds under conditions"
    assert verdict("C3", measurement({ALWAYS: 0.2}, gate=CLOSES)) == "holds under conditions"
    assert verdict("C3", measurement(gate=CLOSES)) == "does not hold"
    assert (
        verdict("C3", measurement({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate={("forget", "king dies"): 0.2}))
        == "does not hold"
    )


def test_input_and_output_gates_must_both_open() -> None:
    assert verdict("C4", measurement(gate=OPENS)) == "holds"
    assert verdict("C4", measurement(gate={**OPENS, ("output", "question"): -0.1})) == "holds under conditions"
    assert verdict("C4", measurement()) == "does not hold"


def test_the_cell_is_the_memory_if_it_suffices_alone_and_the_hidden_state_does_not() -> None:
    assert verdict("C5", measurement(WITHOUT_CELL)) == "holds"
    assert verdict("C5", measurement(dict.fromkeys(NO_CELL.values(), 0.8))) == "holds under conditions"
    assert verdict("C5", measurement(dict.fromkeys(NO_HIDDEN.values(), 0.5))) == "does not hold"


def test_one_seed_that_differs_limits_the_verdict() -> None:
    assert verdict("C5", measurement(WITHOUT_CELL), measurement()) == "does not hold"
    assert (
        verdict("C4", measurement(gate=OPENS), measurement(gate={("input", "king rules"): 0.2}))
        == "holds under conditions"
    )


def test_a_model_that_does_not_understand_the_stories_supports_no_claim() -> None:
    unable = measurement({INTACT: 0.5}, gate=OPENS)
    assert verdict("C4", unable, measurement(gate=OPENS)) == "does not hold"
    assert verdict("C4", unable) == "not answered", "no model understands them"


def test_a_claim_supported_by_one_task_alone_holds_under_conditions() -> None:
    found = claims({"succession": [measurement()], "interregnum": [measurement(gate=OPENS)]})
    assert {claim.id: claim.verdict for claim in found}["C4"] == "holds under conditions"


def test_the_experiment_reports_every_intervention_and_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "STORIES", 30)
    said = list[str]()
    outcome = EXPERIMENT(Options(seeds=1, updates=2), said.append)
    assert [row[0] for row in outcome.rows] == ["succession"] * (len(outcome.rows) // 2) + ["interregnum"] * (
        len(outcome.rows) // 2
    )
    assert len(outcome.rows) == 2 * (len(NAMES) + sum(map(len, CONTRASTS.values())) + 1)
    assert [claim.id for claim in outcome.claims] == ["C3", "C4", "C5"]
    example, (found,) = outcome.details["succession"].values()
    assert np.shape(found["example"]) == (4, len(example)) == (4, stories.LENGTH + 1)
    assert len(said) == 2
    assert outcome.figure is not None
    assert len(outcome.figure().axes) == 2 * 2 + 1  # a scale beside each picture of gates


KINDS = np.array(
    [["filler", "dies", "filler", "name"], ["filler", "filler", "dies", "dies"], ["filler", "filler", "name", "name"]]
)


def test_a_contrast_compares_within_the_stories_that_have_the_event() -> None:
    values = np.array([[0.2, 0.9, 0.4, 5.0], [0.1, 0.3, 0.5, 0.7], [9.0, 9.0, 9.0, 9.0]])
    found = contrast(values, KINDS, "dies")
    assert (found.there, found.elsewhere) == pytest.approx(((0.9 + 0.6) / 2, (0.3 + 0.2) / 2))
    assert found.difference.value == pytest.approx((0.6 + 0.4) / 2)
    assert found.difference.low == pytest.approx(0.4)
    assert found.difference.high == pytest.approx(0.6)


def test_the_closing_unit_is_chosen_and_measured_on_different_stories() -> None:
    kinds = np.repeat(KINDS[:1], 40, 0)
    gate = np.full((40, 4, 3), 0.5)
    gate[:20, 1, 2] = 0.0  # unit 2 closes at deaths in the first half alone
    unit, found = closing_unit(gate, kinds, "dies", "filler")
    assert unit == 2
    assert found.difference == (0.0, 0.0, 0.0)


def test_the_unit_that_closes_is_chosen_over_those_that_open_further() -> None:
    gate = np.full((40, 4, 3), 0.5)
    gate[:, 1] = 1.0, 0.5, 0.1
    unit, found = closing_unit(gate, np.repeat(KINDS[:1], 40, 0), "dies", "filler")
    assert (unit, found.auc) == (2, 0.0)
    assert found.difference.value == pytest.approx(-0.4)
