from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

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
    text = report.text(report.scores_table([one.as_json() for one in results]))
    title, header, rule, *rows = text.split("\n\n")[0].split("\n")
    assert title == "toy: 4 sentences, under 100: read the intervals"
    assert len(rule) == len(header)
    assert header.split()[:2] == ["run", "BLEU"]
    assert [row.split()[0] for row in rows] == ["runs/a", "runs/a-long-name"]
    assert text.count("tok:13a") == 1
    assert text.count("search: beam 5, length_penalty 0.6") == 1


def test_a_search_setting_that_varies_takes_a_column() -> None:
    table = report.scores_table([result("runs/a", beam).as_json() for beam in (1, 5)])
    assert table.columns[1] == "beam"
    assert [row[1] for row in table.rows] == ["1", "5"]
    assert "search: length_penalty 0.6, min_length 0, max_ratio 2.0, max_extra 20" in table.notes


def test_runs_but_the_first_are_compared_with_it_and_significant_differences_are_marked() -> None:
    results = [result("runs/a"), result("runs/b")]
    found = [replace(one, p_value=0.02 if one.metric == "TER" else 0.03) for one in evaluate.compare(results)[0]]
    table = report.differences_table([one.as_json() for one in results], [tuple(found)])
    assert table.columns == ("run", "BLEU", "95 %", "p", "chrF2", "TER")
    [row] = table.rows
    assert (row[0], row[3]) == ("runs/b", "0.030")
    assert [cell.endswith("*") for cell in (row[1], row[4], row[5])] == [False, False, True]


def test_a_table_that_is_too_wide_loses_the_middle_of_its_first_column() -> None:
    table = report.Table(("run", "value"), (("a-name-of-30-characters-or-so-1", "1"), ("short", "2")))
    assert report.text(table, 20).splitlines()[2] == "a-name…r-so-1      1"
    assert report.text(table, 80) == report.text(table)
    assert max(map(len, report.text(table, 5).splitlines())) == report.SHORTEST + 2 + 5, "a name is left readable"


def test_latex_escapes_what_it_reads_as_commands_and_sets_ranges_and_signs() -> None:
    table = report.Table(("run", "95 %"), (("a_b & c", "-1.20 to 3.00"), (r"\x{~^#$", "+0.10*")), ("note",), "toy")
    assert report.latex(table).splitlines() == [
        "% toy",
        "% note",
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"run & 95 \% \\",
        r"\midrule",
        r"a\_b \& c & $-$1.20--3.00 \\",
        r"\textbackslash{}x\{\textasciitilde{}\textasciicircum{}\#\$ & +0.10$^{*}$ \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_markdown_has_one_cell_for_every_column_even_when_a_name_holds_a_bar() -> None:
    table = report.scores_table([result("runs/a|b").as_json()])
    title, body, *_ = report.markdown(table).split("\n\n")
    lines = body.split("\n")
    assert title.startswith("**toy: 4 sentences")
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
