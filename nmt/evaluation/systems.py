"""Scoring of run folders, which keep the outputs and an evaluation log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nmt.atomic import JsonObject
from nmt.data import lines
from nmt.errors import RunError, UserError
from nmt.evaluation import evaluation_log
from nmt.evaluation.evaluate import Decoding, Result, Translate, evaluate, output_path, save
from nmt.evaluation.evaluation_log import Entry
from nmt.evaluation.testsets import TestSet, text_sha256
from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from nmt.inference.open import Split


def decoding(
    run: Run,
    *,
    beam: int | None = None,
    length_penalty: float | None = None,
    precision: str | None = None,
    split: Split = "never",
) -> Decoding:
    """The settings of the recipe, with those that are given in their place."""
    own = run.recipe.search.precision
    chosen = None if (precision or own, own) == ("fp32", "fp32") else precision or own
    return Decoding(run.search_settings(beam=beam, length_penalty=length_penalty), chosen, split)


def score(
    run: Run,
    test: TestSet,
    decoding: Decoding,
    translate: Translate,
    *,
    by_length: bool,
    reason: str | None = None,
) -> Result:
    """Translates and scores; adds the output and a log entry to the run. The caller has called
    `evaluation_log.permit`."""
    result = save(_result(run, test, decoding, translate, by_length=by_length), run.evaluations)
    return replace(result, scored_before=evaluation_log.append(run, result, reason))


def output(run: Run, test: TestSet, decoding: Decoding) -> list[str] | None:
    """The translations of an earlier scoring with the same weights, sentences and settings; None if there was none, or
    if its output is no longer there as it was logged."""
    try:
        path = run.evaluations.to_write(output_path(test, decoding).as_posix())  # follows no link out of the folder
        found = lines.read(path).text
    except (UserError, RunError):
        return None
    wanted = (run.weights_sha256, decoding.as_json(), test.source_sha256, test.references_sha256, text_sha256(found))
    return found if any(wanted == _way(entry) for entry in evaluation_log.read(run)) else None


def score_output(run: Run, test: TestSet, decoding: Decoding, output: list[str], *, by_length: bool) -> Result:
    """Scores the translations of an earlier scoring again; nothing is translated or logged."""
    result = _result(run, test, decoding, lambda _: output, by_length=by_length)
    return replace(result, output=output_path(test, decoding), scored_before=len(evaluation_log.of_test(run, test)) - 1)


def _way(entry: Entry) -> tuple[str | None, JsonObject, str, str, str | None]:
    hashes = (entry.source_sha256, entry.references_sha256)
    return (entry.weights_sha256, entry.search, *hashes, entry.output_sha256)


def _result(run: Run, test: TestSet, decoding: Decoding, translate: Translate, *, by_length: bool) -> Result:
    return evaluate(
        translate,
        test,
        target=run.recipe.data.target,
        by_length=by_length,
        run=str(run.path),
        decoding=decoding,
        weights_sha256=run.weights_sha256,
        notes=run.notes,
    )
