"""Scores the archived outputs of published results again and compares every score with the published one.

python -m tools.rescore                                every folder of docs/results that has outputs.tar.xz
python -m tools.rescore docs/results/bottleneck
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

from nmt.atomic import JsonObject
from nmt.data.lines import read
from nmt.errors import UserError
from nmt.evaluation import metrics
from nmt.evaluation.lengths import by_length
from nmt.lab.studies import concatenated
from nmt.lab.studies.archive import ARCHIVE, FOLDER, unpack
from nmt.lab.studies.results import LEXICON, LONG, REFERENCES, SOURCES, concatenated_name, output_name

RESULTS = Path(__file__).parents[1] / "docs" / "results"


class Comparison(NamedTuple):
    """One score: what it is of, the published value, and the value computed again."""

    name: str
    published: float
    again: float

    @property
    def equal(self) -> bool:
        """Equal up to the rounding of floating-point sums."""
        return isclose(self.published, self.again, rel_tol=1e-9, abs_tol=1e-9)


def compare(results: Path) -> Iterator[Comparison]:
    """Every published score of a results folder beside the score of its archived outputs."""
    scorers = {"bottleneck.json": _bottleneck, "ladder.json": _ladder, "scores.json": _runs}
    name = next((name for name in scorers if (results / name).exists()), None)
    if name is None:
        raise UserError(f"{results}: expected one of {', '.join(scorers)} beside {ARCHIVE}")
    published: JsonObject = json.loads((results / name).read_bytes())
    with TemporaryDirectory() as place:
        unpack(results, Path(place))
        yield from scorers[name](published, Path(place) / FOLDER)


def _bottleneck(published: JsonObject, outputs: Path) -> Iterator[Comparison]:
    target = published["conditions"]["languages"].partition("-")[2]
    for cost in published["costs"]:
        run, size = f"{cost['system']}-seed{cost['seed']}", cost["k"]
        references = _lines(outputs / REFERENCES / f"{concatenated_name(size)}.txt")
        together, singles = (
            _lines(outputs / run / output_name(concatenated_name(each), cost["beam"])) for each in (size, 1)
        )
        for side, lines in (("concatenated", together), ("one_by_one", concatenated.join(singles, size))):
            name = f"{run}, beam {cost['beam']}, k = {size}, {side}"
            yield Comparison(name, cost[side], metrics.bleu(lines, references, target))
    for run in published["long"]:
        sources, references = (_lines(outputs / side / f"{LONG}.txt") for side in (SOURCES, REFERENCES))
        name = f"{run['system']}-seed{run['seed']}"
        lines = _lines(outputs / name / output_name(LONG, run["beam"]))
        buckets = by_length(sources, lines, references, target=target)
        for bucket, before in zip(buckets, run["buckets"], strict=True):
            yield Comparison(f"{name}, {bucket.label} words", before["bleu"]["value"], bucket.bleu.value)


def _ladder(published: JsonObject, outputs: Path) -> Iterator[Comparison]:
    target, beam = published["conditions"]["languages"].partition("-")[2], published["conditions"]["beam"]
    test = concatenated_name(1)
    references = _lines(outputs / REFERENCES / f"{test}.txt")
    for row in published["rows"]:
        lexicon = row["system"] == LEXICON
        run = f"{LEXICON}/{test}.txt" if lexicon else f"{row['system']}-seed1/{output_name(test, beam)}"
        yield from _scores(row["system"], row["scores"], _lines(outputs / run), references, target)


def _runs(published: JsonObject, outputs: Path) -> Iterator[Comparison]:
    for name, run in published["runs"].items():
        lines, references = (_lines(outputs / name / file) for file in (run["outputs"], "references.txt"))
        yield from _scores(name, run, lines, references, name.split("-")[1])


def _scores(
    name: str, published: JsonObject, lines: list[str], references: list[str], target: str
) -> Iterator[Comparison]:
    """All three metrics."""
    again = metrics.score(lines, references, target=target, intervals=False)
    for metric, score in again.metrics.items():
        yield Comparison(f"{name}, {metric}", published[metric]["value"], score.value)


def _lines(path: Path) -> list[str]:
    return read(path).text


def main(
    results: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RESULTS_DIR]...", help="Folders with outputs.tar.xz, by default those of docs/."),
    ] = None,
) -> None:
    """Score archived outputs again; exit status 1 if a score differs from the published one."""
    differs = False
    try:
        for folder in results or sorted(path.parent for path in RESULTS.glob(f"*/{ARCHIVE}")):
            compared = list(compare(folder))
            changed = [each for each in compared if not each.equal]
            print(f"{folder}: {len(compared) - len(changed)} of {len(compared)} scores equal", flush=True)
            for each in changed:
                print(f"  {each.name}: published {each.published}, computed {each.again}")
            differs = differs or bool(changed)
    except UserError as error:
        print(f"rescore: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    if differs:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
