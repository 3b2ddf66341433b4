"""Run folders as systems to be scored: what is translated is kept in the folder, and every look at a test set is recorded there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nmt.evaluation import evaluation_log
from nmt.evaluation.evaluate import Result, Translate, evaluate, save
from nmt.evaluation.testsets import TestSet
from nmt.runs.run_folder import Run


def settings(run: Run, **given: Any) -> dict[str, Any]:
    """The search settings that decide a run's translations: its recipe's, but for those given. How many sentences share a batch decides
    nothing, so it is not among them; nor is fp32 where a run translates so anyway, as records from before there was a choice do not say it."""
    own = run.recipe.search.model_dump(exclude={"batch_tokens"})
    found = own | {name: value for name, value in given.items() if value is not None}
    return {
        name: value for name, value in found.items() if name != "precision" or (value, own[name]) != ("fp32", "fp32")
    }


def translate_with(run: Run, search: Mapping[str, Any]) -> Translate:
    """A function from sentences to translations; loads the model."""
    from nmt.inference.translator import Translator

    translator = Translator.of(run, keep_weights=False, **search)
    return lambda sentences: [found.text for found in translator.translate(sentences)]


def score(
    run: Run,
    test: TestSet,
    search: Mapping[str, Any],
    translate: Translate,
    *,
    by_length: bool,
    reason: str | None = None,
) -> Result:
    """Translates and scores, and leaves the output and a line of the ledger in the run folder. The caller has asked `ledger.permit`."""
    result = evaluate(
        translate,
        test,
        target=run.recipe.data.target,
        by_length=by_length,
        run=str(run.path),
        search=search,
        weights_sha256=run.weights_sha256,
        notes=run.notes,
    )
    result = save(result, run.evaluations)
    return replace(result, scored_before=evaluation_log.append(run, result, reason))
