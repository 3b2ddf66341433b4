"""Scores every run on every test set under every beam, into one CSV, Markdown and JSON table.

Each combination is one file under ``cells/`` of the results folder, named by hashes of the weights, the test set and the search settings:
what is there is not translated again, so the same command continues after an interruption and after new runs are added.
"""

from __future__ import annotations

import glob
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from nmt import atomic
from nmt.errors import RunError, UserError
from nmt.evaluation import evaluation_log, report, systems, testsets
from nmt.evaluation.evaluate import Decoding, Translate
from nmt.evaluation.testsets import TestSet
from nmt.inference.open import open_translator
from nmt.runs.run_folder import Run

Record = dict[str, Any]
app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Pair(BaseModel):
    """The two files of a test set."""

    model_config = ConfigDict(extra="forbid", strict=True)
    source: str
    reference: str


class Batch(BaseModel):
    """What is to be scored; paths are relative to the current folder."""

    model_config = ConfigDict(extra="forbid", strict=True)
    runs: list[str] = []
    """Run folders, or patterns of them such as `runs/de-en*`."""
    tests: dict[str, Pair] = {}
    """Test sets by name."""
    beam: list[Annotated[int, Field(ge=1)]] = []
    """Beams to search with; none takes the one of each run's recipe."""


@dataclass(frozen=True)
class Cell:
    """One run on one test set under one setting of the search."""

    run: Run
    test: TestSet
    decoding: Decoding

    @property
    def name(self) -> str:
        """For people, and as a key: equal names mean equal translations and references."""
        run = self.run.path.resolve().name
        metadata = [
            run,
            self.run.weights_sha256,
            self.run.recipe.data.target,
            self.test.sha256,
            self.decoding.as_json(),
        ]
        return f"{run}.{self.test.name}.{sha256(json.dumps(metadata, sort_keys=True).encode()).hexdigest()[:16]}"

    def score(self, reason: str | None) -> Record:
        """Translates, scores, and leaves outputs and a line of the ledger in the run folder."""
        translate = load(self.run.path, self.decoding)
        return systems.score(self.run, self.test, self.decoding, translate, by_length=True, reason=reason).as_json()

    def record(self, results: Path) -> Path:
        """The file that holds what it came to."""
        return results / "cells" / f"{self.name}.json"


@lru_cache(maxsize=1)
def load(folder: Path, decoding: Decoding) -> Translate:
    """The translator of a run folder under search settings; it is kept for the next test set."""
    translator = open_translator(folder, "torch", device="cpu", precision=decoding.precision, search=decoding.search)
    return lambda sentences: [found.text for found in translator.translate(sentences)]


def read_batch(path: Path) -> Batch:
    """The YAML file of a batch; all unknown keys and wrong types are reported at once."""
    try:
        return Batch.model_validate(YAML(typ="safe", pure=True).load(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    except YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        faults = [f"{path}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        raise UserError("\n".join(faults)) from error


def find_runs(patterns: Sequence[str]) -> list[Path]:
    """The folders that the patterns name, each once, in order."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        folders = [Path(path) for path in sorted(glob.glob(pattern)) if Path(path).is_dir()]
        if not folders:
            raise UserError(f"{pattern}: there is no such run folder")
        found |= dict.fromkeys(folders)
    return list(found)


def make_cells(patterns: Sequence[str], tests: Sequence[TestSet], beams: Sequence[int]) -> list[Cell]:
    """Every run x beam x test set, in this order: each model is loaded once for each beam."""
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
    """Refuses to score a test set in several ways without a reason, before any work; what is scored already is no new look."""
    new = [cell for cell in cells if not cell.record(results).exists()]
    for cell in new:
        evaluation_log.permit(
            cell.run,
            cell.test,
            [other.decoding for other in new if (other.run, other.test) == (cell.run, cell.test)],
            reason,
        )


def run_batch(cells: Sequence[Cell], results: Path, reason: str | None, say: Callable[[str], None]) -> list[Record]:
    """The records of all cells, scored or found in the results folder; what fails is told on stderr and left out."""
    records = []
    for number, cell in enumerate(cells, 1):
        begun = time.monotonic()
        try:
            record, how = _found_or_scored(cell, cell.record(results), reason)
        except (UserError, RunError) as fault:
            print(f"[{number}/{len(cells)}] {cell.run.path} on {cell.test.name}: {fault}", file=sys.stderr)
            continue
        records.append(record | {"run": str(cell.run.path), "test": cell.test.name})
        score = f"beam {cell.decoding.search.beam}: BLEU {record['scores']['bleu']['value']:.2f}"
        say(
            f"[{number}/{len(cells)}] {cell.run.path} on {cell.test.name}, {score} ({how}, {time.monotonic() - begun:.0f} s)"
        )
    return records


def _found_or_scored(cell: Cell, path: Path, reason: str | None) -> tuple[Record, Literal["found", "translated"]]:
    if path.exists():
        return _read_record(path), "found"
    record = cell.score(reason)
    atomic.write_file(path, report.json_text(record))
    return record, "translated"


def _read_record(path: Path) -> Record:
    try:
        record: Record = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not the record of a score ({error}); delete it to score again") from error
    return record


def write_tables(records: Sequence[Record], results: Path) -> None:
    """``scores.csv``, ``scores.md`` and ``scores.json``, each written whole."""
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
        typer.Option(metavar="GLOB", help="Run folder or pattern; may be repeated, and adds to the file's."),
    ] = None,
    test: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=SRC,REF", help="Test set; may be repeated, and adds to the file's."),
    ] = None,
    beam: Annotated[
        list[int] | None, typer.Option(min=1, metavar="N", help="Beam; may be repeated. By default each recipe's own.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why a test set is scored in several ways; kept in the ledger.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of the tables and of what is already scored.")] = Path(
        "results"
    ),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Score runs x test sets x beams into scores.csv, scores.md and scores.json of the results folder.

    What is already scored there is not translated again: the same command continues after an interruption.

    \b
    Examples:
      python tools/evaluate_batch.py batch.yaml
      python tools/evaluate_batch.py --runs 'runs/de-en*' --test test2016=test2016.de,test2016.en
      python tools/evaluate_batch.py batch.yaml --beam 1 --beam 5 --results results/beams --reason 'a curve over beams'
    """
    try:
        given = Batch() if batch is None else read_batch(batch)
        tests = [
            testsets.from_files(name, Path(pair.source), Path(pair.reference)) for name, pair in given.tests.items()
        ]
        tests += [testsets.read(argument) for argument in test or []]
        cells = make_cells([*given.runs, *(runs or [])], tests, [*given.beam, *(beam or [])])
        permit(cells, results, reason)
        records = run_batch(cells, results, reason, lambda line: None if quiet else print(line, file=sys.stderr))
        if records:
            write_tables(records, results)
        if failed := len(cells) - len(records):
            raise RunError(
                f"{failed} of {len(cells)} could not be scored, see above; the same command tries only these again"
            )
    except (UserError, RunError) as fault:
        print(f"evaluate_batch: {fault}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(fault, UserError) else 1) from None


if __name__ == "__main__":
    app()
