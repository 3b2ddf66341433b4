from __future__ import annotations

import numpy as np
import pytest

from nmt.lab.experiments import readings, stories
from nmt.lab.experiments.contrasts import Contrast
from nmt.lab.experiments.experiment import Options
from nmt.lab.experiments.gates import EXPERIMENT, claims
from nmt.lab.experiments.intervals import Interval
from nmt.lab.experiments.readings import CONTRASTS, Reading
from nmt.lab.experiments.surgery import ALWAYS, AT_CROWNS, AT_DEATHS, INTACT, NEITHER, NO_CELL, NO_HIDDEN

NAMES = (INTACT, ALWAYS, AT_DEATHS, AT_CROWNS, *NO_CELL.values(), *NO_HIDDEN.values(), NEITHER)


def sure(value: float) -> Interval:
    return Interval(value, value - 0.01, value + 0.01)


def difference(value: float) -> Contrast:
    return Contrast(0.5 + value, 0.5, sure(value), 0.5)


def reading(right: dict[str, float] | None = None, *, gate: dict[tuple[str, str], float] | None = None) -> Reading:
    """A reading in which all gates are as everywhere and all answers are right, but for what is said."""
    accuracy = {name: sure((right or {}).get(name, 1.0)) for name in NAMES}
    contrasts = {
        each: {event: difference((gate or {}).get((each, event), 0.0)) for event in events}
        for each, events in CONTRASTS.items()
    }
    return Reading(accuracy, contrasts, 3, difference(0.0), [])


def verdict(id: str, *found: Reading) -> str:
    return next(claim.verdict for claim in claims({"succession": list(found)}) if claim.id == id)


CLOSES = {("forget", "king dies"): -0.2}
OPENS = {("input", "king rules"): 0.2, ("output", "question"): 0.1}
WITHOUT_CELL = dict.fromkeys(NO_CELL.values(), 0.2)


def test_the_gate_forgets_kings_if_it_closes_for_them_alone_and_has_to() -> None:
    for_all = {**CLOSES, ("forget", "bystander dies"): -0.2}
    assert verdict("C3", reading({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate=CLOSES)) == "holds"
    assert verdict("C3", reading({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate=for_all)) == "holds under conditions"
    assert verdict("C3", reading({ALWAYS: 0.2}, gate=CLOSES)) == "holds under conditions"
    assert verdict("C3", reading(gate=CLOSES)) == "does not hold"
    assert verdict("C3", reading({AT_DEATHS: 0.6, ALWAYS: 0.2}, gate={("forget", "king dies"): 0.2})) == "does not hold"


def test_gates_let_in_and_out_if_both_open() -> None:
    assert verdict("C4", reading(gate=OPENS)) == "holds"
    assert verdict("C4", reading(gate={**OPENS, ("output", "question"): -0.1})) == "holds under conditions"
    assert verdict("C4", reading()) == "does not hold"


def test_the_cell_remembers_if_it_suffices_and_the_hidden_state_does_not() -> None:
    assert verdict("C5", reading(WITHOUT_CELL)) == "holds"
    assert verdict("C5", reading(dict.fromkeys(NO_CELL.values(), 0.8))) == "holds under conditions"
    assert verdict("C5", reading(dict.fromkeys(NO_HIDDEN.values(), 0.5))) == "does not hold"


def test_one_seed_that_differs_bounds_a_claim() -> None:
    assert verdict("C5", reading(WITHOUT_CELL), reading()) == "does not hold"
    assert verdict("C4", reading(gate=OPENS), reading(gate={("input", "king rules"): 0.2})) == "holds under conditions"


def test_a_model_that_does_not_understand_the_stories_bears_out_nothing() -> None:
    assert verdict("C4", reading({INTACT: 0.5}, gate=OPENS)) == "does not hold"


def test_a_claim_borne_out_by_one_task_alone_holds_under_conditions() -> None:
    found = claims({"succession": [reading()], "interregnum": [reading(gate=OPENS)]})
    assert {claim.id: claim.verdict for claim in found}["C4"] == "holds under conditions"


def test_the_experiment_runs_and_tells_every_operation_and_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "STORIES", 30)
    stop_requested = list[str]()
    outcome = EXPERIMENT(Options(seeds=1, updates=2), stop_requested.append)
    assert [row[0] for row in outcome.rows] == ["succession"] * (len(outcome.rows) // 2) + ["interregnum"] * (
        len(outcome.rows) // 2
    )
    assert len(outcome.rows) == 2 * (len(NAMES) + sum(map(len, CONTRASTS.values())) + 1)
    assert [claim.id for claim in outcome.claims] == ["C3", "C4", "C5"]
    example, (found,) = outcome.details["succession"].values()
    assert np.shape(found["example"]) == (4, len(example)) == (4, stories.LENGTH + 1)
    assert len(stop_requested) == 2
    assert outcome.figure is not None
    assert len(outcome.figure().axes) == 2 * 2 + 1  # a scale beside each picture of gates
