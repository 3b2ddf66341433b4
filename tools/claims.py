"""Writes what measurement says of every claim of the story of memory, as Markdown, from the results of experiments and studies.

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
from typing import Annotated, Any, get_args

import typer

from nmt import provenance
from nmt.errors import UserError
from nmt.evaluation.report import Table, markdown
from nmt.lab.experiments import record
from nmt.lab.experiments.claims import CHAPTERS, UNMEASURED, Row, story
from nmt.lab.experiments.experiment import Verdict

DOCS = Path(__file__).parents[1] / "docs"
RESULTS = tuple(DOCS / "results" / name for name in ("experiments", "bottleneck", "ladder", "bench"))
"""Where results are looked for: experiments leave a file each, studies one of their own name, benchmarks one for each run."""
HEADER = """\
# The story of memory, measured

Introductions to sequence models tell one story: networks without memory, recurrent memory that fades, gates that keep it, a thought vector
that is too narrow, attention, the Transformer. Here is each of its claims as it is usually told, and what was measured with the models of
this repository. A verdict is computed from the numbers, which hold under their conditions and no further.

Generated from the results below by `python tools/claims.py > docs/claims.md`; do not edit by hand. A command in a table gives its number again.
"""


@dataclass(frozen=True)
class Result:
    """What one experiment or study left."""

    path: Path
    values: dict[str, Any]

    @property
    def link(self) -> str:
        """A link that works from the generated page."""
        return f"[{self.path.stem}]({os.path.relpath(self.path, DOCS)})"


@dataclass(frozen=True)
class Answer:
    """What one result says of one claim."""

    number: str
    verdict: Verdict
    command: str


Answers = dict[str, list[Answer]]


def read_results(folders: Sequence[Path]) -> list[Result]:
    """The JSON files of the folders that answer claims, by folder and name; a folder that is not there holds none."""
    found = (Result(path, _read(path)) for folder in folders for path in sorted(folder.glob("*.json")))
    return [result for result in found if "claims" in result.values]


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a result ({error}); measure it again") from error
    return values if isinstance(values, dict) else {}


def answers(results: Sequence[Result]) -> Answers:
    """What all results say, by claim."""
    found: Answers = {name: [] for name in story()}
    for result in results:
        for claim in result.values["claims"]:
            if claim["id"] not in found or claim["verdict"] not in get_args(Verdict):
                raise UserError(
                    f"{result.path}: no claim of the story has the id {claim['id']!r} and the verdict {claim['verdict']!r}"
                )
            found[claim["id"]].append(Answer(claim["number"], claim["verdict"], result.values["command"]))
    return found


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    found = answers(results)
    chapters = (chapter(number, letter, found) for number, letter in enumerate(CHAPTERS, start=1))
    return "\n".join([HEADER, _summary(found), *chapters, corrected(found), origins(results)])


def _summary(found: Answers) -> str:
    counts = Counter(_state(row, found[row.id]) for row in story().values())
    states = (*get_args(Verdict), "with differing verdicts", "not measured yet", *UNMEASURED)
    return f"{len(found)} claims: {', '.join(f'{state} {counts[state]}' for state in states if counts[state])}.\n"


def _state(row: Row, given: Sequence[Answer]) -> str:
    """The verdict on a claim; or why there is none."""
    verdicts = {answer.verdict for answer in given}
    if verdicts:
        return verdicts.pop() if len(verdicts) == 1 else "with differing verdicts"
    return row.measured_by.partition(":")[0] if row.measured_by.startswith(UNMEASURED) else "not measured yet"


def chapter(number: int, letter: str, found: Answers) -> str:
    """The table of one chapter."""
    rows = tuple(cells(row, found[row.id]) for row in story().values() if row.id.startswith(letter))
    table = Table(("row", "as usually told", "measured, and under which conditions", "command", "verdict"), rows)
    return f"## 1.{number} {CHAPTERS[letter]}\n\n{_left(markdown(table))}"


def _left(table: str) -> str:
    """All columns are words here."""
    return table.replace("---:", "---")


def cells(row: Row, given: Sequence[Answer]) -> tuple[str, ...]:
    """One row; several results stand below each other."""
    if not given:
        words = row.measured_by if row.measured_by.startswith(UNMEASURED) else "not measured yet"
        return (row.id, _plain(row.claim), words, _code(row.command), "")
    return (
        row.id,
        _plain(row.claim),
        "<br>".join(_plain(answer.number) for answer in given),
        "<br>".join(dict.fromkeys(_code(answer.command) for answer in given)),
        "<br>".join(f"**{answer.verdict}**" for answer in given),
    )


def corrected(found: Answers) -> str:
    """The claims that do not simply hold, each with all that was measured of it."""
    lines = [
        line
        for row in story().values()
        if any(answer.verdict != "holds" for answer in found[row.id])
        for line in _correction(row, found[row.id])
    ]
    return "\n".join(["## What measurement corrected", "", *(lines or ["Nothing so far."]), ""])


def _correction(row: Row, given: Sequence[Answer]) -> Iterator[str]:
    yield f"- **{row.id}** As usually told: {_plain(row.claim)}"
    for answer in given:
        yield f"  - {answer.verdict}: {_plain(answer.number)}"


def origins(results: Sequence[Result]) -> str:
    """Which results were read, how each came about, and all its conditions."""
    rows = tuple(_origin(result) for result in results)
    table = (
        _left(markdown(Table(("result", "command", "commit", "date", "minutes"), rows)))
        if rows
        else "No results yet.\n"
    )
    conditions = [
        f"- {result.link}: {_plain(record.settings(result.values['conditions']))}"
        for result in results
        if result.values.get("conditions")
    ]
    return "\n".join(["## The results", "", table, *conditions]).rstrip("\n") + "\n"


def _origin(result: Result) -> tuple[str, ...]:
    values = result.values
    minutes = f"{values['seconds'] / 60:.1f}" if "seconds" in values else ""
    return (
        result.link,
        _code(values["command"]),
        provenance.abbreviated(values.get("commit", "")),
        values.get("date", "")[:10],
        minutes,
    )


def _plain(words: str) -> str:
    """Words in which Markdown and HTML see no signs of theirs; the table itself takes care of bars."""
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
    except UserError as fault:
        print(f"claims: {fault}", file=sys.stderr)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    typer.run(main)
