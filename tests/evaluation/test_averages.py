from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import replace

import pytest
from sacrebleu.metrics.bleu import BLEU

from nmt.errors import UserError
from nmt.evaluation import averages, averages_report, bootstrap, evaluate, metrics, report
from nmt.evaluation.averages import Averages, Row
from nmt.evaluation.evaluate import Decoding
from nmt.evaluation.testsets import TestSet
from nmt.search import SearchSettings

WORDS = [f"word{number}" for number in range(40)]
DRAW = random.Random(1)
REFERENCES = [" ".join(DRAW.choices(WORDS, k=DRAW.randint(4, 12))) for _ in range(120)]
TEST = TestSet("toy", [f"Satz {number}" for number in range(120)], REFERENCES)


def damaged(share: float, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join("x" if draw.random() < share else word for word in line.split()) for line in REFERENCES]


def row(system: str, share: float, *seeds: int, beam: int = 5) -> Row:
    results = [
        evaluate.evaluate(
            lambda _, seed=seed: damaged(share, seed),  # type: ignore[misc]
            TEST,
            target="en",
            run=f"runs/{system}-{seed}",
            decoding=Decoding(SearchSettings(beam=beam)),
        )
        for seed in seeds
    ]
    return Row(system=system, seeds=seeds, results=tuple(results))


@pytest.fixture(scope="module")
def found() -> Averages:
    rows = [row("base", 0.3, 1, 2), row("equal", 0.3, 3, 4), row("better", 0.1, 1, 2, 3), row("single", 0.05, 9)]
    return averages.average(rows, languages="de-en", baseline="base")


def test_a_row_has_the_mean_and_the_range_over_its_runs(found: Averages) -> None:
    values = [BLEU(force=True).corpus_score(damaged(0.3, seed), [REFERENCES]).score for seed in (1, 2)]
    bleu = found.rows[0].averages["bleu"]
    assert bleu.mean == pytest.approx(sum(values) / 2)
    assert (bleu.smallest, bleu.largest) == pytest.approx((min(values), max(values)))


def test_the_interval_of_a_mean_is_that_of_its_only_run_or_of_the_mean_over_runs_on_each_resample(
    found: Averages,
) -> None:
    single = found.rows[3]
    score = single.row.results[0].scores.metrics["chrf"]
    assert (single.averages["chrf"].low, single.averages["chrf"].high) == (score.low, score.high)
    runs = [
        bootstrap.bleu(bootstrap.resampled(bootstrap.counts(damaged(0.3, seed), REFERENCES, target="en")))
        for seed in (1, 2)
    ]
    bounds = bootstrap.interval(((runs[0] + runs[1]) / 2).tolist())
    assert (found.rows[0].averages["bleu"].low, found.rows[0].averages["bleu"].high) == pytest.approx(bounds)


def test_rows_are_compared_with_the_baseline_on_the_same_resamples(found: Averages) -> None:
    assert found.rows[0].differences == {}
    equal, better, single = found.rows[1:]
    assert not equal.differences["bleu"].significant
    for each in (better, single):
        assert each.differences["bleu"].significant
        assert each.differences["bleu"].low > 0
        assert each.differences["ter"].high < 0
    difference = better.differences["bleu"]
    assert difference.difference == better.averages["bleu"].mean - found.rows[0].averages["bleu"].mean
    assert difference.low < difference.difference < difference.high


def test_p_values_are_corrected_for_the_number_of_rows_that_are_compared(found: Averages) -> None:
    assert found.compared == 3
    for key in metrics.METRICS:
        differences = [each.differences[key] for each in found.rows[1:]]
        assert [each.corrected for each in differences] == bootstrap.holm([each.p_value for each in differences])
    assert found.rows[2].differences["bleu"].corrected == pytest.approx(3 / 1001)


def test_a_row_is_compared_with_the_baseline_of_its_own_search_settings() -> None:
    rows = [row("base", 0.3, 1), row("base", 0.5, 1, beam=1), row("other", 0.2, 2), row("other", 0.5, 1, beam=1)]
    found = averages.average(rows, languages="de-en", baseline="base").rows
    assert [bool(each.differences) for each in found] == [False, False, True, True]
    assert found[3].differences["bleu"].difference == 0.0
    assert found[3].differences["bleu"].p_value == 1.0


def test_rows_of_other_sentences_and_unknown_baselines_are_refused() -> None:
    one, other = row("a", 0.1, 1), row("b", 0.1, 1)
    elsewhere = replace(other.results[0], test=TestSet("toy", TEST.references, TEST.references))
    with pytest.raises(UserError, match="runs/b-1 was scored on other sentences than runs/a-1"):
        averages.average([one, replace(other, results=(elsewhere,))], languages="de-en")
    with pytest.raises(UserError, match="no row is called 'c'; there are a, b"):
        averages.average([one, other], languages="de-en", baseline="c")


def test_without_a_baseline_nothing_is_compared() -> None:
    found = averages.average([row("a", 0.1, 1), row("b", 0.1, 1, 2)], languages="de-en")
    assert found.compared == 0
    assert "compared" not in averages_report.text([found])
    assert "difference" not in averages_report.latex([found])


def test_the_tables_are_at_most_80_wide_and_name_test_correction_and_limits(found: Averages) -> None:
    wide = averages.average(
        [replace(each.row, system=f"a-long-name-of-a-system-{place}") for place, each in enumerate(found.rows)],
        languages="de-en",
        baseline="a-long-name-of-a-system-0",
    )
    text = averages_report.text([wide])
    tables = [block for block in text.split("\n\n") if "----" in block]
    assert len(tables) == 2
    assert max(len(line) for block in tables for line in block.splitlines()) <= report.WIDTH
    assert "* p < 0.05: paired bootstrap over test sentences, two-sided, 1,000 resamples" in text
    assert "p is corrected for 3 comparisons by each metric (Holm)" in text
    assert "says nothing of training seeds" in text


def test_the_marks_of_the_table_are_the_significant_differences(found: Averages) -> None:
    rows = averages_report.differences_table(found).rows
    assert [(cells[0], cells[1].endswith("*")) for cells in rows] == [
        ("equal", False),
        ("better", True),
        ("single", True),
    ]


def test_every_form_has_every_row(found: Averages) -> None:
    for write in averages_report.FORMATS.values():
        assert all(each.row.system in write([found]) for each in found.rows)
    [test] = json.loads(averages_report.json([found]))
    assert [each["n"] for each in test["rows"]] == [2, 2, 3, 1]
    rows = list(csv.DictReader(io.StringIO(averages_report.csv([found]))))
    assert [row["seeds"] for row in rows] == ["1; 2", "3; 4", "1; 2; 3", "9"]
    assert float(rows[2]["differences.bleu.corrected"]) == found.rows[2].differences["bleu"].corrected
    assert rows[0]["differences.bleu.corrected"] == ""


def test_latex_is_a_tabular_with_as_many_cells_in_every_row(found: Averages) -> None:
    lines = [line for line in averages_report.latex([found]).splitlines() if not line.startswith("%")]
    assert lines[0] == rf"\begin{{tabular}}{{l{'r' * 11}}}"
    rows = [line for line in lines if line.endswith(r"\\")]
    assert len(rows) == 5
    assert {line.count("&") for line in rows} == {11}
    assert [line for line in lines if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]


def test_models_that_hardly_translate_are_named() -> None:
    found = averages.average([row("good", 0.1, 1), row("bad", 1.0, 1)], languages="de-en", baseline="good")
    notes = averages_report.scores_table(found).notes
    assert [note.partition(": ")[2] for note in notes if "hardly a translation" in note] == ["bad"]
