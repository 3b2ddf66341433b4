from __future__ import annotations

import csv
import io
import json

from nmt.evaluation import evaluate, report, testsets
from nmt.evaluation.evaluate import Decoding
from nmt.search import SearchSettings

REFERENCES = [
    f"the {colour} dog sees the {animal} in the garden" for colour in ("red", "old") for animal in ("cat", "man")
]
TEST = testsets.TestSet("toy", ["ein Hund", "zwei Hunde im Garten und noch einer", "ein Hund", "ein Hund"], REFERENCES)


def result(run: str, beam: int = 5) -> evaluate.Result:
    return evaluate.evaluate(
        lambda lines: [*REFERENCES[:-1], f"the dog of {run}"],
        TEST,
        target="en",
        by_length=True,
        run=run,
        decoding=Decoding(SearchSettings(beam=beam)),
    )


def test_text_aligns_columns_and_prints_what_all_rows_share_once() -> None:
    results = [result("runs/a"), result("runs/a-long-name")]
    text = report.text(report.scores_table([one.as_json() for one in results], evaluate.compare(results)))
    header, rule, *rows = text.split("\n\n")[0].split("\n")
    assert len({len(line) for line in (rule, rows[1])}) == 1
    assert header.split()[:3] == ["run", "test", "sentences"]
    assert [row.split()[:3] for row in rows] == [["runs/a", "toy", "4*"], ["runs/a-long-name", "toy", "4*"]]
    assert text.count("tok:13a") == 1
    assert text.count("search: beam 5, length_penalty 0.6") == 1


def test_a_search_setting_that_varies_takes_a_column() -> None:
    table = report.scores_table([result("runs/a", beam).as_json() for beam in (1, 5)])
    assert table.columns[2] == "beam"
    assert [row[2] for row in table.rows] == ["1", "5"]
    assert "search: length_penalty 0.6, min_length 0, max_ratio 2.0, max_extra 20" in table.notes


def test_the_first_row_of_a_comparison_is_compared_with_nothing() -> None:
    results = [result("runs/a"), result("runs/b")]
    first, second = report.scores_table([one.as_json() for one in results], evaluate.compare(results)).rows
    assert first[-5:] == ("",) * 5
    assert all(second[-5:])


def test_markdown_has_one_cell_for_every_column_even_when_a_name_holds_a_bar() -> None:
    table = report.scores_table([result("runs/a|b").as_json()])
    lines = report.markdown(table).split("\n\n")[0].split("\n")
    assert [line.replace("\\|", "").count("|") for line in lines] == [len(table.columns) + 1] * 3


def test_csv_holds_the_numbers_unrounded_with_their_signatures_and_hashes() -> None:
    record = result("runs/a").as_json()
    [row] = csv.DictReader(io.StringIO(report.csv_text([record])))
    assert float(row["scores.bleu.value"]) == record["scores"]["bleu"]["value"]
    assert row["scores.ter.signature"] == record["scores"]["ter"]["signature"]
    assert (row["search.beam"], row["source_sha256"]) == ("5", TEST.source_sha256)


def test_small_buckets_of_source_length_are_marked_and_explained() -> None:
    table = report.lengths_table(result("runs/a").as_json())
    assert [row[:2] for row in table.rows] == [("1-5*", "3"), ("6-10*", "1")]
    assert table.notes[0].startswith("* under 100 sentences")


def test_json_reads_back_as_what_it_was() -> None:
    record = result("runs/ä").as_json()
    assert json.loads(report.json_text([record])) == [record]
