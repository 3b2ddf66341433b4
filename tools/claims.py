"""Generates the page of claims about memory in neural networks from the results of experiments, studies and benchmarks.

python tools/claims.py > docs/claims.md
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import typer

from nmt import provenance
from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.evaluation.report import Table, markdown
from nmt.lab.experiments import record
from nmt.lab.experiments.claims import CHAPTERS, UNMEASURED, UsualClaim, read_claims
from nmt.lab.experiments.experiment import Verdict

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = tuple(DOCS / "results" / name for name in ("experiments", "bottleneck", "ladder", "bench"))
"""Folders of results: one file for each experiment, study and benchmark."""
HEADER = """\
# Claims about memory in neural networks, measured

Introductions to sequence models tell one story: networks without memory, recurrent memory that fades, gates that keep
it, a thought vector that is too narrow, attention, the Transformer. This page lists each claim as it is usually told,
and what was measured with the models of this repository. Verdicts are computed from the numbers, which hold under their
conditions only. Each claim leads to its numbers and to the command that reproduces them.

Generated from the results below by `python tools/claims.py > docs/claims.md`; do not edit by hand.
"""


@dataclass(frozen=True)
class Result:
    """The record of an experiment, a study or a benchmark."""

    path: Path
    values: JsonObject

    @property
    def link(self) -> str:
        """A link relative to the generated page."""
        return f"[{self.path.stem}]({os.path.relpath(self.path, DOCS)})"


@dataclass(frozen=True)
class Answer:
    """The number and verdict of one result on one claim."""

    number: str
    verdict: Verdict
    command: str


Answers = dict[str, list[Answer]]
"""By claim."""


def read_results(folders: Sequence[Path]) -> list[Result]:
    """The JSON files of the folders that judge claims, by folder and name; a missing folder is empty."""
    found = (Result(path, read_json(path)) for folder in folders for path in sorted(folder.glob("*.json")))
    return [result for result in found if "claims" in result.values]


def read_json(path: Path) -> JsonObject:
    """The object of a file; empty if the file holds another kind of value."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a result ({error}); measure it again") from error
    return values if isinstance(values, dict) else {}


def answers(results: Sequence[Result]) -> Answers:
    """The answers of all results."""
    found: Answers = {id: [] for id in read_claims()}
    for result in results:
        for claim in result.values["claims"]:
            if claim["id"] not in found or claim["verdict"] not in get_args(Verdict):
                raise UserError(
                    f"{result.path}: there is no claim with the id {claim['id']!r} and the verdict {claim['verdict']!r}"
                )
            found[claim["id"]].append(Answer(claim["number"], claim["verdict"], result.values["command"]))
    return found


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    found = answers(results)
    chapters = (chapter(number, letter, found) for number, letter in enumerate(CHAPTERS, start=1))
    return "\n".join([HEADER, _summary(found), *chapters, measured(found), origins(results)])


def _summary(found: Answers) -> str:
    counts = Counter(_state(claim, found[claim.id]) for claim in read_claims().values())
    states = (*get_args(Verdict), "with differing verdicts", "not measured yet", *UNMEASURED)
    return f"{len(found)} claims: {', '.join(f'{state} {counts[state]}' for state in states if counts[state])}.\n"


def _state(claim: UsualClaim, given: Sequence[Answer]) -> str:
    """The verdict on a claim, or why there is none."""
    verdicts = {answer.verdict for answer in given}
    if verdicts:
        return verdicts.pop() if len(verdicts) == 1 else "with differing verdicts"
    return claim.measured_by.partition(":")[0] if claim.measured_by.startswith(UNMEASURED) else "not measured yet"


def chapter(number: int, letter: str, found: Answers) -> str:
    """The table of one chapter."""
    rows = tuple(cells(claim, found[claim.id]) for claim in read_claims().values() if claim.id.startswith(letter))
    return (
        f"## 1.{number} {CHAPTERS[letter]}\n\n{_left(markdown(Table(('claim', 'as usually told', 'verdict'), rows)))}"
    )


def _left(table: str) -> str:
    """The table with all columns aligned left, since all are text."""
    return table.replace("---:", "---")


def cells(claim: UsualClaim, given: Sequence[Answer]) -> tuple[str, ...]:
    """One row of a chapter, which leads to the numbers of a claim that was measured."""
    if given:
        verdicts = dict.fromkeys(f"**{answer.verdict}**" for answer in given)
        return (f"[{claim.id}](#{claim.id.lower()})", _plain(claim.text), "<br>".join(verdicts))
    if claim.measured_by.startswith(UNMEASURED):
        return (claim.id, _plain(claim.text), claim.measured_by)
    return (claim.id, _plain(claim.text), f"not measured yet: {_code(claim.command)}")


def measured(found: Answers) -> str:
    """The numbers of every claim that was measured."""
    lines = [line for claim in read_claims().values() for line in _measured(claim, found[claim.id])]
    return "\n".join(["## What was measured", "", *(lines or ["Nothing so far.", ""])])


def _measured(claim: UsualClaim, given: Sequence[Answer]) -> Iterator[str]:
    if not given:
        return
    yield from (f"### {claim.id}", "", _plain(claim.text), "")
    for answer in given:
        yield f"**{answer.verdict}**, by {_code(answer.command)}:"
        yield ""
        yield from (f"- {_plain(part)}" for part in answer.number.split("; "))
        yield ""


def origins(results: Sequence[Result]) -> str:
    """The results with command, commit, date and time, and all conditions."""
    columns = ("result", "command", "commit", "date", "minutes")
    table = _left(markdown(Table(columns, tuple(map(_origin, results))))) if results else "No results yet.\n"
    conditions = [
        f"- {result.link}: {_plain(record.settings(result.values['conditions']))}"
        for result in results
        if result.values.get("conditions")
    ]
    return "\n".join(["## The results", "", table, *conditions]).rstrip("\n") + "\n"


def _origin(result: Result) -> tuple[str, ...]:
    values = result.values
    return (
        result.link,
        _code(values["command"]),
        provenance.abbreviated(values.get("commit", "")),
        values.get("date", "")[:10],
        f"{values['seconds'] / 60:.1f}" if "seconds" in values else "",
    )


def _plain(words: str) -> str:
    """The words with the special characters of Markdown and HTML escaped, except bars, which the table escapes."""
    for sign in "\\*<~`":
        words = words.replace(sign, f"\\{sign}")
    return " ".join(words.split())


def _code(command: str) -> str:
    return f"`{command}`" if command else ""


def main(
    results: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RESULTS_DIR]...", help="Folders with results, by default those of docs/."),
    ] = None,
) -> None:
    """Print docs/claims.md: every claim with its number, conditions, command and verdict."""
    try:
        print(page(read_results(results or RESULTS)), end="")
    except UserError as error:
        print(f"claims: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
