"""Scores every run on every test set with every beam, into one table as CSV, Markdown and JSON.

Each combination is one file in ``cells/`` of the results folder, named by a hash of weights, test set and search
settings. Existing files are not computed again, so the same command continues after an interruption and after runs are
added.
"""

from __future__ import annotations

import glob
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from nmt import atomic
from nmt.atomic import JsonObject
from nmt.errors import Log, RunError, UserError
from nmt.evaluation import evaluation_log, report, systems, testsets
from nmt.evaluation.evaluate import Decoding, Translate
from nmt.evaluation.testsets import TestSet
from nmt.inference.open import open_translator
from nmt.runs.run_folder import Run

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Pair(BaseModel):
    """The two files of a test set."""

    model_config = ConfigDict(extra="forbid", strict=True)
    source: str
    reference: str


class Batch(BaseModel):
    """The YAML file of a batch; paths are relative to the current folder."""

    model_config = ConfigDict(extra="forbid", strict=True)
    runs: list[str] = []
    """Run folders or patterns such as ``runs/de-en*``."""
    tests: dict[str, Pair] = {}
    """Test sets by name."""
    beam: list[Annotated[int, Field(ge=1)]] = []
    """Beams; by default the beam of each run's recipe."""


@dataclass(frozen=True)
class Cell:
    """One run on one test set with one setting of search."""

    run: Run
    test: TestSet
    decoding: Decoding

    @property
    def name(self) -> str:
        """The name of its file; cells of equal names have equal translations and references."""
        run = self.run.path.resolve().name
        metadata = [
            run,
            self.run.weights_sha256,
            self.run.recipe.data.target,
            self.test.sha256,
            self.decoding.as_json(),
        ]
        return f"{run}.{self.test.name}.{sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:16]}"

    def score(self, reason: str | None) -> JsonObject:
        """Translates and scores; outputs and a line of the evaluation log go into the run folder."""
        translate = translate_with(self.run.path, self.decoding)
        return systems.score(self.run, self.test, self.decoding, translate, by_length=True, reason=reason).as_json()

    def path(self, results: Path) -> Path:
        """The file of its record."""
        return results / "cells" / f"{self.name}.json"


@lru_cache(maxsize=1)
def translate_with(folder: Path, decoding: Decoding) -> Translate:
    """Translates with a run folder and search settings; the open translator is kept for the next test set."""
    translator = open_translator(
        folder, "torch", device="cpu", precision=decoding.precision, search=decoding.search, split="never"
    )
    return lambda sentences: [translation.text for translation in translator.translate(sentences)]


def read_batch(path: Path) -> Batch:
    """The YAML file of a batch; all unknown keys and wrong types are reported at once."""
    try:
        return Batch.model_validate(YAML(typ="safe", pure=True).load(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        messages = [f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
        raise UserError("\n".join(messages)) from error


def find_runs(patterns: Sequence[str]) -> list[Path]:
    """The folders of all patterns, each once, in order."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        folders = [Path(path) for path in sorted(glob.glob(pattern)) if Path(path).is_dir()]
        if not folders:
            raise UserError(f"{pattern}: no such run folder")
        found |= dict.fromkeys(folders)
    return list(found)


def make_cells(patterns: Sequence[str], tests: Sequence[TestSet], beams: Sequence[int]) -> list[Cell]:
    """Every run x beam x test set, in this order, so that each model is loaded once for each beam."""
    if not patterns or not tests:
        raise UserError(
            "nothing to do: name at least one run (--runs) and one test set (--test), or a YAML file with both"
        )
    testsets.check_names(tests)
    runs = [Run(folder) for folder in find_runs(patterns)]
    for run in runs:
        run.check()
    decodings = [
        (run, systems.decoding(run, beam=beam))
        for run in runs
        for beam in dict.fromkeys(beams or [run.recipe.search.beam])
    ]
    return [Cell(run, test, decoding) for run, decoding in decodings for test in tests]


def permit(cells: Sequence[Cell], results: Path, reason: str | None) -> None:
    """Refuses to score a test set in several ways without a reason, before any work; existing records do not count."""
    new = [cell for cell in cells if not cell.path(results).exists()]
    for cell in new:
        evaluation_log.permit(
            cell.run,
            cell.test,
            [other.decoding for other in new if (other.run, other.test) == (cell.run, cell.test)],
            reason,
        )


def run_batch(cells: Sequence[Cell], results: Path, reason: str | None, log: Log) -> list[JsonObject]:
    """The records of all cells, scored or found in the results folder; failures are reported on stderr and left out."""
    records = []
    for number, cell in enumerate(cells, 1):
        begun = time.monotonic()
        try:
            record, how = _found_or_scored(cell, cell.path(results), reason)
        except (UserError, RunError) as error:
            print(f"[{number}/{len(cells)}] {cell.run.path} on {cell.test.name}: {error}", file=sys.stderr)
            continue
        records.append(record | {"run": str(cell.run.path), "test": cell.test.name})
        score = f"beam {cell.decoding.search.beam}: BLEU {record['scores']['bleu']['value']:.2f}"
        seconds = time.monotonic() - begun
        log(f"[{number}/{len(cells)}] {cell.run.path} on {cell.test.name}, {score} ({how}, {seconds:.0f} s)")
    return records


def _found_or_scored(cell: Cell, path: Path, reason: str | None) -> tuple[JsonObject, Literal["found", "translated"]]:
    if path.exists():
        return _read_record(path), "found"
    record = cell.score(reason)
    atomic.write_file(path, report.json_text(record))
    return record, "translated"


def _read_record(path: Path) -> JsonObject:
    try:
        record: JsonObject = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a record of scores ({error}); delete it to score again") from error
    return record


def write_tables(records: Sequence[JsonObject], results: Path) -> None:
    """Writes ``scores.csv``, ``scores.md`` and ``scores.json``."""
    atomic.write_file(results / "scores.csv", report.csv_text(records))
    atomic.write_file(results / "scores.md", report.markdown(report.scores_table(records)))
    atomic.write_file(results / "scores.json", report.json_text(list(records)))


@app.command()
def main(
    batch: Annotated[
        Path | None,
        typer.Argument(metavar="BATCH", help="YAML: runs: [GLOB], tests: {NAME: {source:, reference:}}, beam: [N]."),
    ] = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Run folder or pattern; may be repeated, added to those of the file."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SRC,REF", help="Test set; may be repeated, added to those of the file."),
    ] = None,
    beam: Annotated[
        list[int] | None, typer.Option(min=1, metavar="N", help="Beam; may be repeated. By default each recipe's own.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Why a test set is scored in several ways; kept in the evaluation log."),
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of the tables and records.")] = Path("results"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Score runs x test sets x beams into scores.csv, scores.md and scores.json of the results folder.

    Records in the results folder are not computed again: the same command continues after an interruption.

    \b
    Examples:
      python tools/evaluate_batch.py batch.yaml
      python tools/evaluate_batch.py --runs 'runs/de-en*' --test test2016=test2016.de,test2016.en
      python tools/evaluate_batch.py batch.yaml --beam 1 --beam 5 --results results/beams --reason 'scores by beam'
    """
    try:
        file = Batch() if batch is None else read_batch(batch)
        tests = [
            testsets.from_files(name, Path(pair.source), Path(pair.reference)) for name, pair in file.tests.items()
        ]
        tests += [testsets.read(argument) for argument in test or []]
        cells = make_cells([*file.runs, *(runs or [])], tests, [*file.beam, *(beam or [])])
        permit(cells, results, reason)
        records = run_batch(cells, results, reason, lambda line: None if quiet else print(line, file=sys.stderr))
        if records:
            write_tables(records, results)
        if failed := len(cells) - len(records):
            raise RunError(
                f"{failed} of {len(cells)} could not be scored, see above; run the same command to try only these again"
            )
    except (UserError, RunError) as error:
        print(f"evaluate_batch: {error}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(error, UserError) else 1) from None


if __name__ == "__main__":
    app()
