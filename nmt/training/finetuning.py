"""Going on with a trained model on other text: the recipe, and the scores of both models on new and old text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from nmt.errors import Log, RunError, UserError
from nmt.evaluation import systems, testsets
from nmt.evaluation.evaluate import Decoding, Result, Translate, evaluate
from nmt.evaluation.testsets import TestSet
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs.run_folder import RECIPE, Run

EPOCHS = 10
"""Passes over the new text, if no limit is named."""
RATE = 0.2
"""Factor on the learning rate of the earlier training, if none is named."""
OF_CORPUS = ("corpus", "configuration", "revision", "train", "valid", "test")
"""Keys of the section `data` that say which text it is; the other keys say how it is read, and stay."""
LIMITS = ("updates", "epochs", "minutes")
REASON = "scored before and after fine-tuning"

Translators = Callable[[Run, Decoding], Translate]
"""Opens the translator of a run."""


def finetuned(base: Run, overrides: Sequence[str], mix: float) -> Recipe:
    """The recipe of a run with other text: model, sizes and vocabulary stay, and its weights are where training begins.

    The learning rate is a fifth of the earlier one, and training takes ten passes, unless overrides say otherwise.
    """
    if not any(each.startswith(("data.train=", "data.corpus=", "data=")) for each in overrides):
        raise UserError("expected the text to go on with: data.train=FILES, or data.corpus=NAME")
    if fixed := [each for each in overrides if each.startswith("vocabulary.") and "sampling" not in each]:
        raise UserError(f"{fixed[0]}: the vocabulary is that of {base.path}; only vocabulary.sampling may be set")
    content, where = base.files.read(RECIPE), base.files.where(RECIPE)
    return reading.read_content(content, where, [*_own(base, overrides, mix), *overrides])


def _own(base: Run, overrides: Sequence[str], mix: float) -> Iterator[str]:
    """What differs from the recipe of the base before the overrides of the user."""
    yield f"name={base.recipe.name}-finetuned"
    yield from (f"data.{key}=null" for key in OF_CORPUS)
    yield "data.extra=[]"
    yield "vocabulary.from=null"
    yield f"training.init_from={json.dumps(str(base.path), ensure_ascii=False)}"
    yield f"training.mix={mix}"
    yield f"training.learning_rate={RATE * base.recipe.training.learning_rate!r}"
    yield "training.concatenation_growth=0"
    if not any(each.startswith(tuple(f"training.{key}=" for key in LIMITS)) for each in overrides):
        yield from ("training.updates=null", "training.minutes=null", f"training.epochs={EPOCHS}")


def scores(
    base: Run, tuned: Run, named: Sequence[TestSet], translators: Translators, log: Log
) -> list[tuple[Result, Result]]:
    """The scores of both runs on the new test set, the old one, and others; those of the tuned run are kept in it."""
    decodings = {run: systems.decoding(run) for run in (base, tuned)}
    translate = {run: translators(run, decoding) for run, decoding in decodings.items()}
    results = []
    for test in (*_tests(base, tuned, log), *named):
        log(f"scoring {base.path} and {tuned.path} on {len(test.source):,} sentences: {test.name}")
        before = evaluate(
            translate[base],
            test,
            target=base.recipe.data.target,
            run=str(base.path),
            decoding=decodings[base],
            weights_sha256=base.weights_sha256,
            notes=base.notes,
        )
        after = systems.score(tuned, test, decodings[tuned], translate[tuned], by_length=False, reason=REASON)
        results.append((before, after))
    return results


def _tests(base: Run, tuned: Run, log: Log) -> Iterator[TestSet]:
    """The test sets of both corpora. The new one is the validation split where no test set is named."""
    if "test" in tuned.metadata.corpus.splits:
        yield replace(testsets.of_run(tuned, log), name="new")
    else:
        log("the new text is scored on its validation split, by which weights were chosen; name a test set: data.test")
        yield replace(testsets.of_run(tuned, log, "valid"), name="new-valid")
    try:
        yield replace(testsets.of_run(base, log), name="old")
    except (UserError, RunError) as error:
        log(f"what is forgotten of the old text is not scored: {error}")
