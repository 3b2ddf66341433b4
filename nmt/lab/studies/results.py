"""The results folder of a study: what every finished run leaves, so that a grid can be completed over days and analysed again untrained.

study.json               what all runs share: the corpus by its hashes, packs, beams
vocabulary.model         the vocabulary that they share
references/pack4.txt     source and reference of every test set, source/pack4.txt
looks.jsonl              when the test set was scored, and with which runs; the one file that grows
NAME-seedN/recipe.yaml   the recipe, with run.json (facts fixed at the start) and metrics.jsonl
NAME-seedN/outputs/      pack4.beam5.txt: the translations, one line each, for sacrebleu's own command
NAME-seedN/result.json   what training and translating came to; written last, so that a folder with it is whole
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt import atomic
from nmt.data.lines import read
from nmt.errors import UserError
from nmt.evaluation import outputs
from nmt.evaluation.testsets import TestSet
from nmt.lab.studies.plan import Plan, Unit, described, differences, filled
from nmt.recipe.renamed import converted
from nmt.runs.run_folder import METRICS

STUDY, RESULT, VOCABULARY, LOOKS = "study.json", "result.json", "vocabulary.model", "looks.jsonl"
LONG = "long"
"""The test set of long sentences."""
SOURCES, REFERENCES, OUTPUTS = "sources", "references", "outputs"


class Results:
    """A results folder. Nothing in it is changed once it is there, but for the ledger of looks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def vocabulary(self) -> Path:
        """The shared vocabulary."""
        return self.path / VOCABULARY

    def check(self, plan: Plan, shared: Mapping[str, Any], tests: Sequence[TestSet]) -> None:
        """Refuses a folder that was begun otherwise, one whose runs could not stand beside this plan's, and one of something else."""
        if (self.path / STUDY).exists():
            self._compare(plan, shared)
            self._refuse(
                [
                    f"{test.name}: another test set"
                    for test in tests
                    if self._holds(test) and self.test(test.name) != test
                ]
            )
            for unit in plan.units:
                self._compare_unit(unit)
        elif self.path.exists() and any(
            path.name not in (SOURCES, REFERENCES, VOCABULARY, LOOKS) for path in self.path.iterdir()
        ):
            raise UserError(f"{self.path}: not empty and not the results of a study; name another folder with --out")

    def begin(self, plan: Plan, shared: Mapping[str, Any], vocabulary: bytes, tests: Sequence[TestSet]) -> None:
        """Writes what all runs share, the file that marks the folder last; where that is there, only the test sets that were not there."""
        begun = (self.path / STUDY).exists()
        for test in tests:
            if not (begun and self._holds(test)):
                outputs.write_lines(self.path / SOURCES / f"{test.name}.txt", test.source)
                outputs.write_lines(self.path / REFERENCES / f"{test.name}.txt", test.references)
        if begun:
            return
        atomic.write_file(self.vocabulary, vocabulary)
        atomic.write_file(self.path / LOOKS, "")
        atomic.write_json(self.path / STUDY, {"name": plan.name, **_settings(plan), **shared})

    def _compare(self, plan: Plan, shared: Mapping[str, Any]) -> None:
        before = {key: value for key, value in self.study.items() if key != "name"}
        self._refuse(differences(before, {**_settings(plan), **shared}))

    def _compare_unit(self, unit: Unit) -> None:
        if self.finished(unit):
            self._refuse(
                [
                    f"{unit.name}: {text}"
                    for text in differences(filled(self.result(unit)["recipe"]), described(unit.recipe))
                ]
            )

    def _refuse(self, changed: list[str]) -> None:
        if changed:
            shown = "\n".join(f"  {text}" for text in changed[:2])
            more = f"\n  and {len(changed) - 2} more" if len(changed) > 2 else ""
            raise UserError(
                f"{self.path}: holds a study with other settings; name another folder with --out\n{shown}{more}"
            )

    @property
    def study(self) -> dict[str, Any]:
        """What all runs share."""
        return read_json(self.path / STUDY)

    def finished(self, unit: Unit) -> bool:
        """Whether a run has left its results."""
        return (self.path / unit.name / RESULT).exists()

    def result(self, unit: Unit) -> dict[str, Any]:
        """What a finished run came to."""
        found = read_json(self.path / unit.name / RESULT)
        return {**found, "recipe": converted(found["recipe"])}

    def output(self, unit: Unit, test: str, beam: int) -> list[str]:
        """The translations of a test set by a finished run."""
        return read(self.path / unit.name / OUTPUTS / output_name(test, beam)).text

    def test(self, name: str) -> TestSet:
        """A test set of the study as it was translated."""
        return TestSet(name, *(read(self.path / side / f"{name}.txt").text for side in (SOURCES, REFERENCES)))

    def _holds(self, test: TestSet) -> bool:
        return (self.path / REFERENCES / f"{test.name}.txt").exists()  # the later one of its two files

    def keep(self, unit: Unit, run: Path, result: Mapping[str, Any]) -> None:
        """Takes from a run folder its outputs and metrics, and from the recipe what holds elsewhere too; the folder appears whole."""
        final = self.path / unit.name
        atomic.remove_leftovers(final)
        with atomic.atomic_folder(final) as building:
            shutil.copyfile(run / METRICS, building / METRICS)
            shutil.copytree(run / OUTPUTS, building / OUTPUTS)
            atomic.write_json(building / RESULT, {**result, "recipe": described(unit.recipe)})


def output_name(test: str, beam: int) -> str:
    """The file of the translations of a test set with a beam."""
    return f"{test}.beam{beam}.txt"


def read_json(path: Path) -> dict[str, Any]:
    """An object that a study wrote."""
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); bring back a copy, or name another folder with --out"
        ) from error
    return values


def _settings(plan: Plan) -> dict[str, Any]:
    return {"kind": plan.settings.kind, "packs": list(plan.settings.packs), "beams": list(plan.settings.beams)}
