"""Scoring of run folders, which keep the outputs and an evaluation log."""

from __future__ import annotations

from dataclasses import replace

from nmt.evaluation import evaluation_log
from nmt.evaluation.evaluate import Decoding, Result, Translate, evaluate, save
from nmt.evaluation.testsets import TestSet
from nmt.runs.run_folder import Run


def decoding(
    run: Run, *, beam: int | None = None, length_penalty: float | None = None, precision: str | None = None
) -> Decoding:
    """The settings of the recipe, with those that are given in their place."""
    own = run.recipe.search.precision
    chosen = None if (precision or own, own) == ("fp32", "fp32") else precision or own
    return Decoding(run.search_settings(beam=beam, length_penalty=length_penalty), chosen)


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
    result = evaluate(
        translate,
        test,
        target=run.recipe.data.target,
        by_length=by_length,
        run=str(run.path),
        decoding=decoding,
        weights_sha256=run.weights_sha256,
        notes=run.notes,
    )
    result = save(result, run.evaluations)
    return replace(result, scored_before=evaluation_log.append(run, result, reason))
