from __future__ import annotations

from typing import Any

import pytest

from nmt.lab.studies import ladder


def rung(system: str, bleu: float, step: tuple[float, float, float] | None = None, ter: float = 50.0) -> dict[str, Any]:
    score = {"value": bleu, "low": bleu - 1, "high": bleu + 1, "signature": "s", "name": "BLEU"}
    scored = {"bleu": score, "chrf": {**score, "name": "chrF2"}, "ter": {**score, "name": "TER", "value": ter}}
    steps = (
        {} if step is None else {"step": [{"difference": step[0], "low": step[1], "high": step[2], "p_value": 0.001}]}
    )
    return {"system": system, "title": f"the {system}", "parameters": 1000, "scores": scored, **steps}


def found(*rungs: dict[str, Any], missing: tuple[str, ...] = ()) -> dict[str, Any]:
    conditions = {"languages": "de-en", "test sentences": 1000, "fallback": None, "missing runs": list(missing)}
    return {"conditions": conditions, "rungs": list(rungs), "claims": ladder.claims(rungs)}


@pytest.mark.parametrize(
    ("gain", "other", "verdict"),
    [
        ((8.0, 7.0, 9.0), 3.0, "holds"),
        ((2.0, 1.0, 3.0), 5.0, "holds under conditions"),
        ((0.5, -1.0, 2.0), 5.0, "does not hold"),
    ],
)
def test_that_attention_is_the_largest_step_is_said_only_where_it_is(
    gain: tuple[float, float, float], other: float, verdict: str
) -> None:
    claims = ladder.claims(
        [rung("lstm", 20), rung("dropout", 23, (other, other - 1, other + 1)), rung("dot", 30, gain)]
    )
    assert [(claim["id"], claim["verdict"]) for claim in claims] == [("E3", verdict)]
    assert ("not the largest" in claims[0]["number"]) == (verdict != "holds")


def test_the_share_of_a_gap_counts_from_the_old_system_to_the_ceiling() -> None:
    assert ladder.gap_closed(20.0, 25.0, 40.0) == 0.25
    assert ladder.gap_closed(-50.0, -45.0, -40.0) == 0.5, "of errors, with the sign turned"
    assert ladder.gap_closed(40.0, 45.0, 40.0) is None


@pytest.mark.parametrize(
    ("step", "verdict"),
    [((2.0, 1.0, 3.0), "holds"), ((0.5, -1.0, 2.0), "holds under conditions"), ((-2.0, -3.0, -1.0), "does not hold")],
)
def test_the_stack_is_judged_by_the_interval_of_its_step(step: tuple[float, float, float], verdict: str) -> None:
    rungs = [
        rung("bahdanau", 30, ter=60),
        rung("stack", 30 + step[0], step, ter=55),
        rung("transformer", 40, (8.0, 7.0, 9.0), ter=50),
    ]
    claim = ladder.claims(rungs)[-1]
    assert (claim["id"], claim["verdict"]) == ("E4", verdict)
    assert "TER 50 %" in claim["number"]


def test_the_table_has_a_row_a_rung_and_says_what_is_missing() -> None:
    text = ladder.markdown(
        found(rung("lexicon", 27.57), rung("bag", 25.0, (-2.57, -4.0, -1.0)), missing=("gru-seed1",))
    )
    assert "| the bag | 1,000 | 25.00 | 24.0 to 26.0 | -2.57 | -4.00 to -1.00 | 0.001 |" in text
    assert "Not finished yet: gru-seed1." in text


def test_the_figure_names_every_rung_from_the_floor_up() -> None:
    (panel,) = ladder.draw(found(rung("lexicon", 27.57), rung("bag", 25.0))).axes
    assert [text.get_text() for text in panel.get_yticklabels()] == ["the lexicon", "the bag"]
