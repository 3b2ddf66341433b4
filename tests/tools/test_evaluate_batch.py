from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner, Result

from nmt.errors import RunError
from nmt.evaluation import evaluation_log
from nmt.evaluation.evaluate import Decoding
from nmt.runs.run_folder import FORMAT, Run

Calls = list[tuple[str, int, int]]


LENGTHS = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
METADATA = {"format": FORMAT, "corpus": {"fallback": None}, "lengths": {"source": LENGTHS, "target": LENGTHS}}


@pytest.fixture
def calls(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Two runs and a test set in the current folder, and every call of a translator: its run, beam and number of
    sentences."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        Path("runs", name).mkdir(parents=True)
        Path("runs", name, "model.safetensors").write_text(f"weights of {name}")
        Path("runs", name, "run.json").write_text(json.dumps(METADATA))
        Path("runs", name, "recipe.yaml").write_text("data: {corpus: builtin}\ntraining: {updates: 1}\n")
    Path("t.de").write_text("ein Hund läuft im Garten\neine Katze schläft im Haus\n", "utf-8")
    Path("t.en").write_text("a dog runs in the garden\na cat sleeps in the house\n", "utf-8")
    made: Calls = []

    def translate_with(folder: Path, decoding: Decoding) -> Callable[[list[str]], list[str]]:
        beam = decoding.search.beam

        def translate(sentences: list[str]) -> list[str]:
            made.append((folder.name, beam, len(sentences)))
            if Path(folder, "broken").exists():
                raise RunError("the model cannot be loaded")
            return ["a dog runs in the house"] * len(sentences)

        return translate

    monkeypatch.setattr(tool, "translate_with", translate_with)
    return made


def run(tool: ModuleType, *arguments: str) -> Result:
    return CliRunner().invoke(tool.app, list(arguments))


OPTIONS = ("--runs", "runs/*", "--test", "toy=t.de,t.en")


def test_every_run_is_scored_with_every_beam_into_three_tables(tool: ModuleType, calls: Calls) -> None:
    assert run(tool, *OPTIONS, "--beam", "1", "--beam", "5", "--reason", "a curve").exit_code == 0
    assert calls == [("a", 1, 2), ("a", 5, 2), ("b", 1, 2), ("b", 5, 2)]
    records = json.loads(Path("results/scores.json").read_text())
    assert [(record["run"], record["search"]["beam"]) for record in records] == [
        ("runs/a", 1),
        ("runs/a", 5),
        ("runs/b", 1),
        ("runs/b", 5),
    ]
    with Path("results/scores.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["scores.bleu.value"]) for row in rows] == [
        record["scores"]["bleu"]["value"] for record in records
    ]
    assert Path("results/scores.md").read_text().count("| runs/") == 4


def test_existing_records_are_not_computed_again(tool: ModuleType, calls: Calls) -> None:
    run(tool, *OPTIONS)
    tables = {path.name: path.read_bytes() for path in Path("results").glob("scores.*")}
    calls.clear()
    again = run(tool, *OPTIONS)
    assert (again.exit_code, calls) == (0, [])
    assert {path.name: path.read_bytes() for path in Path("results").glob("scores.*")} == tables
    assert again.stderr.count("found") == 2


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [("runs/b/model.safetensors", "trained on", [("b", 5, 2)]), ("t.en", "x\ny\n", [("a", 5, 2), ("b", 5, 2)])],
)
def test_other_weights_or_sentences_are_translated_again(
    tool: ModuleType, calls: Calls, path: str, text: str, expected: Calls
) -> None:
    run(tool, *OPTIONS)
    calls.clear()
    Path(path).write_text(text)
    run(tool, *OPTIONS, "--reason", "other weights")
    assert calls == expected


def test_a_run_that_fails_is_named_and_the_others_are_scored(tool: ModuleType, calls: Calls) -> None:
    Path("runs/a/broken").touch()
    found = run(tool, *OPTIONS)
    assert found.exit_code == 1
    assert "runs/a on toy: the model cannot be loaded" in found.stderr
    assert [record["run"] for record in json.loads(Path("results/scores.json").read_text())] == ["runs/b"]
    Path("runs/a/broken").unlink()
    calls.clear()
    assert (run(tool, *OPTIONS).exit_code, calls) == (0, [("a", 5, 2)])


def test_outputs_and_the_evaluation_log_are_in_the_run_folder(tool: ModuleType, calls: Calls) -> None:
    run(tool, *OPTIONS)
    [entry] = evaluation_log.read(Run(Path("runs/a")))
    assert (entry.test, entry.scored_before, entry.search["beam"]) == ("toy", 0, 5)
    assert Path("runs/a", entry.output or "").read_text() == "a dog runs in the house\n" * 2


def test_a_test_set_is_not_scored_in_several_ways_without_a_reason(tool: ModuleType, calls: Calls) -> None:
    found = run(tool, *OPTIONS, "--beam", "1", "--beam", "5")
    assert (found.exit_code, calls) == (2, [])
    assert "test set toy would be scored in several ways" in found.stderr
    run(tool, *OPTIONS, "--beam", "1")
    assert run(tool, *OPTIONS, "--beam", "5").exit_code == 2
    assert run(tool, *OPTIONS, "--beam", "1", "--beam", "5", "--reason", "a curve").exit_code == 0
    assert [entry.reason for entry in evaluation_log.read(Run(Path("runs/a")))] == [None, "a curve"]
    assert run(tool, *OPTIONS, "--beam", "1", "--beam", "5").exit_code == 0, "existing records do not count again"


def test_a_yaml_file_means_the_same_as_options(tool: ModuleType, calls: Calls) -> None:
    Path("batch.yaml").write_text("runs: [runs/a]\ntests:\n  toy: {source: t.de, reference: t.en}\nbeam: [2]\n")
    assert run(tool, "batch.yaml", "--runs", "runs/b", "-q").stderr == ""
    assert calls == [("a", 2, 2), ("b", 2, 2)]


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("run: [runs/a]", (), "batch.yaml: run: "),
        ("runs: [runs/a]\nbeam: [no]", (), "batch.yaml: beam.0: "),
        ("runs: [", (), "batch.yaml: not YAML"),
        ("runs: [runs/c*]\ntests: {toy: {source: t.de, reference: t.en}}", (), "runs/c*: no such run folder"),
        ("runs: [.]\ntests: {toy: {source: t.de, reference: t.en}}", (), "run.json"),
        ("runs: [runs/a]", (), "nothing to do"),
        ("runs: [runs/a]", ("--test", "toy=t.de"), "expected NAME=SRC,REF"),
        ("tests: {toy: {source: t.de, reference: t.en}}", OPTIONS, "toy: the name is given twice"),
        ("runs: [runs/a]", ("--test", "toy=t.de,batch.yaml"), "t.de has 2 lines, but batch.yaml has 1"),
    ],
)
def test_wrong_input_stops_before_any_translation(
    tool: ModuleType, calls: Calls, text: str, arguments: tuple[str, ...], expected: str
) -> None:
    Path("batch.yaml").write_text(text)
    found = run(tool, "batch.yaml", *arguments)
    assert (found.exit_code, calls) == (2, [])
    assert expected in found.stderr
    assert len(found.stderr.splitlines()) <= 3


def test_an_error_names_a_damaged_record_and_what_to_do(tool: ModuleType, calls: Calls) -> None:
    run(tool, *OPTIONS)
    record = min(Path("results/cells").iterdir())
    record.write_text("{")
    found = run(tool, *OPTIONS)
    assert found.exit_code == 1
    assert f"{record}: not a record of scores" in found.stderr


def test_a_run_without_weights_is_refused(tool: ModuleType, calls: Calls) -> None:
    Path("runs/b/model.safetensors").unlink()
    found = run(tool, *OPTIONS)
    assert (found.exit_code, calls) == (2, [])
    assert "runs/b/model.safetensors: this run has no weights yet" in found.stderr


def test_help_shows_how_it_is_called(tool: ModuleType) -> None:
    found = run(tool, "--help").stdout
    assert "\n    python tools/evaluate_batch.py batch.yaml\n" in found
