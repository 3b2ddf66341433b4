from __future__ import annotations

import pytest

from nmt.evaluation.metrics import Bleu, Score, Scores
from nmt.evaluation.significance import Difference
from nmt.lab.studies import ladder
from nmt.lab.studies.ladder import Conditions, Ladder, Row
from nmt.lab.studies.results import JobResult


def row(system: str, bleu: float, step: tuple[float, float, float] | None = None, ter: float = 50.0) -> Row:
    bounds = {"low": bleu - 1, "high": bleu + 1}
    scores = Scores(
        metrics={
            "bleu": Bleu(name="BLEU", value=bleu, signature="s", brevity_penalty=1.0, length_ratio=1.0, **bounds),
            "chrf": Score(name="chrF2", value=bleu, signature="s", **bounds),
            "ter": Score(name="TER", value=ter, signature="s"),
        },
        sentences=1000,
    )
    run = JobResult(
        parameters=1000,
        updates=5,
        best_update=5,
        target_tokens=5,
        precision="fp32",
        training_seconds=1,
        translating_seconds=1,
        weights_sha256="abc",
        capped={},
        example=None,
        origin={},
        recipe={},
    )
    steps = None
    if step is not None:
        gain, low, high = step
        about = {"p_value": 0.001, "mean": bleu, "half_width": 1.0}
        steps = (Difference(metric="BLEU", value=bleu, difference=gain, low=low, high=high, signature="s", **about),)
    return Row(system=system, title=f"the {system}", run=run, scores=scores, step=steps)


def found(*rows: Row, missing: tuple[str, ...] = ()) -> Ladder:
    conditions = Conditions(
        corpus="made-up",
        fallback=None,
        languages="de-en",
        test_sentences=1000,
        vocabulary=1000,
        updates=5,
        batch_tokens=1024,
        beam=5,
        seeds=1,
        missing_runs=list(missing),
        evaluations_of_the_test_set="1",
    )
    return Ladder(study="ladder", conditions=conditions, rows=list(rows))


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
    claims = ladder.claims([row("lstm", 20), row("dropout", 23, (other, other - 1, other + 1)), row("dot", 30, gain)])
    assert [(claim.id, claim.verdict) for claim in claims] == [("E3", verdict)]
    assert ("not the largest" in claims[0].number) == (verdict != "holds")


def test_the_share_of_a_gap_counts_from_the_old_system_to_the_ceiling() -> None:
    assert ladder.gap_closed(20.0, 25.0, 40.0) == 0.25
    assert ladder.gap_closed(-50.0, -45.0, -40.0) == 0.5, "of errors, with the sign turned"
    assert ladder.gap_closed(40.0, 45.0, 40.0) is None


@pytest.mark.parametrize(
    ("step", "verdict"),
    [((2.0, 1.0, 3.0), "holds"), ((0.5, -1.0, 2.0), "holds under conditions"), ((-2.0, -3.0, -1.0), "does not hold")],
)
def test_the_stack_is_judged_by_the_interval_of_its_step(step: tuple[float, float, float], verdict: str) -> None:
    rows = [
        row("bahdanau", 30, ter=60),
        row("stack", 30 + step[0], step, ter=55),
        row("transformer", 40, (8.0, 7.0, 9.0), ter=50),
    ]
    claim = ladder.claims(rows)[-1]
    assert (claim.id, claim.verdict) == ("E4", verdict)
    assert "TER 50 %" in claim.number


def test_the_table_has_a_line_for_each_row_and_names_missing_runs() -> None:
    text = ladder.markdown(
        found(row("lexicon", 27.57), row("bag", 25.0, (-2.57, -4.0, -1.0)), missing=("gru-seed1",)), []
    )
    assert "| the bag | 1,000 | 25.00 | 24.0 to 26.0 | -2.57 | -4.00 to -1.00 | 0.001 |" in text
    assert "Not finished: gru-seed1." in text


def test_the_figure_names_every_row_from_the_bottom_up() -> None:
    (panel,) = ladder.draw(found(row("lexicon", 27.57), row("bag", 25.0))).axes
    assert [text.get_text() for text in panel.get_yticklabels()] == ["the lexicon", "the bag"]


def test_a_summary_written_by_hand_opens_the_report() -> None:
    text = ladder.markdown(found(row("bag", 25.0)), ["What a step gains", "One paragraph.", "Another."])
    assert text.startswith("# What a step gains\n\nOne paragraph.\n\nAnother.\n\n| row |")
    assert ladder.markdown(found(row("bag", 25.0)), []).startswith("# The ladder: de-en\n\n| row |")
